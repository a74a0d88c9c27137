
namespace FaMLNet;

/// <summary>The sizes of perturbations, over the rows that fool the model: NaN if there are none.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="Median">Their median.</param>
/// <param name="Maximum">The largest.</param>
public sealed record PerturbationSize(double Mean, double Median, double Maximum)
{
    /// <summary>The values, the same in every culture.</summary>
    public override string ToString() => InvariantText.OfRecord(nameof(PerturbationSize), PrintMembers);

    internal static PerturbationSize Of(IReadOnlyCollection<double> sizes)
    {
        if (sizes.Count == 0)
            return new PerturbationSize(double.NaN, double.NaN, double.NaN);
        double[] sorted = [.. sizes.Order()];
        int middle = sorted.Length / 2;
        return new PerturbationSize(sorted.Average(), sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
            sorted[^1]);
    }
}

/// <summary>What one attack has done to a model.</summary>
public sealed record AttackResult
{
    /// <summary>The attack, with its bound.</summary>
    public required Attack Attack { get; init; }

    /// <summary>What it differentiated; null for an attack without gradients.</summary>
    public required ThreatModel? ThreatModel { get; init; }

    /// <summary>Rows attacked: those that the model sees rightly when they are clean.</summary>
    public required int AttackedRows { get; init; }

    /// <summary>Of those, how many the attack has found a perturbation for within bound and range that fools the model.</summary>
    public required int FooledRows { get; init; }

    /// <summary>Share of all rows that the model sees rightly still.</summary>
    public required double RobustAccuracy { get; init; }

    /// <summary>Share of the attacked rows that fool the model; NaN if none was attacked.</summary>
    public double SuccessRate => (double)FooledRows / AttackedRows;

    /// <summary>The largest change of any feature, in units of the feature column.</summary>
    public required PerturbationSize LInfinity { get; init; }

    /// <summary>The Euclidean length of the change, in units of the feature column.</summary>
    public required PerturbationSize L2 { get; init; }

    /// <summary>How many features, of an image pixels, changed.</summary>
    public required PerturbationSize L0 { get; init; }

    /// <summary>Questions for what the model says, all rows together.</summary>
    public required long ForwardQueries { get; init; }

    /// <summary>Questions for gradients (each with a forward pass of its own), all rows together.</summary>
    public required long GradientQueries { get; init; }

    /// <summary>Of those, how many found a gradient that was 0 in every feature.</summary>
    public required long ZeroGradients { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>For each attacked row, by its number in the data, whether it fools the model.</summary>
    internal IReadOnlyDictionary<int, bool> Outcomes { get; init; } = new Dictionary<int, bool>();

    /// <summary>The attack and what it did, the same in every culture.</summary>
    public override string ToString() => InvariantText.Of($"{Attack}: robust accuracy {RobustAccuracy:0.000}, success {SuccessRate:0.000}");
}
