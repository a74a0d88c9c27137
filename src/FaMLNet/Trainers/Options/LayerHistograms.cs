namespace FaMLNet;

/// <summary>Histograms of each layer at one point of a training, by the layer's name.</summary>
/// <param name="Weights">Forward weights, before the update.</param>
/// <param name="FeedbackWeights">Feedback weights; layers without any are left out.</param>
/// <param name="Gradients">The rule's gradients on the mini-batch at hand, before clipping.</param>
public sealed record LayerHistograms(IReadOnlyDictionary<string, Histogram> Weights, IReadOnlyDictionary<string, Histogram> FeedbackWeights,
    IReadOnlyDictionary<string, Histogram> Gradients);

/// <summary>How values are spread: bins of one width from the smallest to the largest. Values that are not finite are left out.</summary>
public sealed record Histogram
{
    private const int Bins = 64;

    /// <inheritdoc/>
    public override string ToString() => InvariantText.OfRecord(nameof(Histogram), PrintMembers);

    /// <summary>The smallest value; 0 if there is none.</summary>
    public double Minimum { get; private init; }

    /// <summary>The largest value; 0 if there is none.</summary>
    public double Maximum { get; private init; }

    /// <summary>How many values there are.</summary>
    public long Count { get; private init; }

    /// <summary>Their sum.</summary>
    public double Sum { get; private init; }

    /// <summary>The sum of their squares.</summary>
    public double SumOfSquares { get; private init; }

    /// <summary>The upper limit of each bin, ascending; a bin holds what lies above the limit before and up to its own.</summary>
    public IReadOnlyList<double> Limits { get; private init; } = [];

    /// <summary>How many values each bin holds; they add up to <see cref="Count"/>.</summary>
    public IReadOnlyList<long> Counts { get; private init; } = [];

    /// <param name="values">The values; may be empty.</param>
    public static Histogram Of(ReadOnlySpan<float> values)
    {
        double minimum = double.PositiveInfinity, maximum = double.NegativeInfinity, sum = 0, squares = 0;
        long count = 0;
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                continue;
            (minimum, maximum) = (Math.Min(minimum, value), Math.Max(maximum, value));
            sum += value;
            squares += (double)value * value;
            count++;
        }
        if (count == 0)
            return new Histogram();
        int bins = maximum > minimum ? Bins : 1;
        double width = (maximum - minimum) / bins;
        // The last limit is the maximum itself, whatever the rounding.
        double[] limits = [.. Enumerable.Range(1, bins).Select(bin => bin == bins ? maximum : minimum + bin * width)];
        long[] counts = new long[bins];
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                continue;
            int bin = width > 0 ? Math.Min((int)((value - minimum) / width), bins - 1) : 0;
            while (bin > 0 && value <= limits[bin - 1])
                bin--;
            while (value > limits[bin])
                bin++;
            counts[bin]++;
        }
        return new Histogram
        {
            Minimum = minimum,
            Maximum = maximum,
            Count = count,
            Sum = sum,
            SumOfSquares = squares,
            Limits = limits,
            Counts = counts
        };
    }
}
