using System.Globalization;

namespace FaMLNet;

/// <summary>How much the rows of each class count in the loss, times the example weights if there are any.</summary>
public abstract record ClassWeights
{
    private ClassWeights() { }

    /// <summary>
    /// Rare classes count more: rows / (classes · rows of the class), so that every class has the same say (King and Zeng 2001). A class
    /// without rows counts 0.
    /// </summary>
    public static ClassWeights Balanced { get; } = new BalancedWeights();

    /// <summary>A weight for each class.</summary>
    /// <param name="weights">As many as the label has classes, in the order of its keys; each finite and at least 0, not all 0.</param>
    /// <exception cref="ArgumentNullException"><paramref name="weights"/> is null.</exception>
    public static ClassWeights Explicit(params float[] weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return new ExplicitWeights([.. weights]);
    }

    internal virtual void Validate() { }

    /// <summary>The weights, by class.</summary>
    /// <param name="counts">Rows of each class.</param>
    /// <exception cref="ArgumentException">There are not as many weights as classes.</exception>
    internal abstract float[] Resolve(ReadOnlySpan<long> counts);

    private sealed record BalancedWeights : ClassWeights
    {
        public override string ToString() => "Balanced";

        internal override float[] Resolve(ReadOnlySpan<long> counts)
        {
            double total = 0;
            foreach (long count in counts)
                total += count;
            float[] weights = new float[counts.Length];
            for (int i = 0; i < weights.Length; i++)
                weights[i] = counts[i] == 0 ? 0 : (float)(total / ((double)counts.Length * counts[i]));
            return weights;
        }
    }

    private sealed record ExplicitWeights(IReadOnlyList<float> Weights) : ClassWeights
    {
        public bool Equals(ExplicitWeights? other) => other is not null && Weights.SequenceEqual(other.Weights);

        public override int GetHashCode() => Weights.Count;

        public override string ToString() =>
            $"Explicit({string.Join(", ", Weights.Select(weight => weight.ToString(CultureInfo.InvariantCulture)))})";

        internal override void Validate()
        {
            foreach (float weight in Weights)
            {
                if (!(weight >= 0 && float.IsFinite(weight)))
                    throw OptionError.Invalid("ClassWeights", $"weights must be finite and at least 0; found {weight}.");
            }
            if (Weights.All(weight => weight == 0))
                throw OptionError.Invalid("ClassWeights", $"all weights are 0, so that no row counts; give at least one class a weight above 0.");
        }

        internal override float[] Resolve(ReadOnlySpan<long> counts) => Weights.Count == counts.Length ? [.. Weights]
            : throw OptionError.Invalid("ClassWeights",
            $"{Weights.Count} weights for {counts.Length} classes. Give one weight a class, in the order of the label's keys.");
    }
}
