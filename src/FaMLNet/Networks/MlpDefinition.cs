
namespace FaMLNet;

/// <summary>A chain of dense layers: weights and bias, normalisation if wanted, activation, dropout if wanted; and a dense output layer.</summary>
public sealed record MlpDefinition : NetworkDefinition
{
    /// <summary>The most units that a layer may have.</summary>
    internal const int MaximumUnits = 1 << 20;

    private readonly IReadOnlyList<int> _hiddenUnits = [128, 64];

    internal MlpDefinition() { }

    /// <summary>Units of each hidden layer, from the input upwards.</summary>
    /// <value>Range: each 1 to 1,048,576. Default: 128 and 64.</value>
    /// <exception cref="ArgumentOutOfRangeException">A layer has no units, or too many.</exception>
    public IReadOnlyList<int> HiddenUnits
    {
        get => _hiddenUnits;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            for (int i = 0; i < value.Count; i++)
            {
                if (value[i] is < 1 or > MaximumUnits)
                    throw OptionError.OutOfRange("Network",
                        $"hidden layer {i + 1} of the Mlp must have 1 to {MaximumUnits} units; found {value[i]}. For no hidden layer, give none.");
            }
            _hiddenUnits = Array.AsReadOnly(value.ToArray());
        }
    }

    /// <summary>The activation of the hidden layers.</summary>
    /// <value>Default: <see cref="Activation.ReLU"/>.</value>
    public Activation Activation { get; init; } = Activation.ReLU;

    /// <summary>How the initial weights are drawn.</summary>
    /// <value>Default: <see cref="WeightInitialization.XavierUniform"/>.</value>
    public WeightInitialization Initialization { get; init; } = WeightInitialization.XavierUniform;

    /// <summary>Normalisation of the hidden layers.</summary>
    /// <value>Default: <see cref="Normalization.None"/>.</value>
    public Normalization Normalization { get; init; } = Normalization.None;

    /// <summary>Share of each hidden layer's units that is left out at random in each training step (Srivastava et al. 2014).</summary>
    /// <value>Range: [0, 1). Default: 0.</value>
    public float Dropout { get; init; }

    /// <summary>
    /// Whether a linear path leads from the features straight to the outputs, beside the hidden layers ("wide and deep": Cheng et al. 2016,
    /// arXiv 1606.07792): output = dense layers(x) + V x. V (<c>skip.weight</c>, outputs × features) starts at 0, so that training begins with
    /// the network without it; it learns from the output's error as the output layer does, so that no rule needs feedback weights for it, and by
    /// every rule its gradient is backpropagation's. <see cref="FeedbackAlignmentOptions.ConstrainWeightNorms"/> does not apply to it. Where
    /// features are many and sparse, as words are, a linear model is hard to beat: with this the network contains one.
    /// </summary>
    /// <value>Default: <see langword="false"/>. A network without hidden layers is linear already and cannot have it.</value>
    public bool LinearSkip { get; init; }

    /// <inheritdoc/>
    public bool Equals(MlpDefinition? other) =>
        other is not null && HiddenUnits.SequenceEqual(other.HiddenUnits) && Activation == other.Activation
        && Initialization == other.Initialization && Normalization == other.Normalization && Dropout.Equals(other.Dropout)
        && LinearSkip == other.LinearSkip;

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = new();
        foreach (int units in HiddenUnits)
            hash.Add(units);
        hash.Add(Activation);
        hash.Add(Initialization);
        hash.Add(Normalization);
        hash.Add(Dropout);
        hash.Add(LinearSkip);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"Mlp({string.Join(", ", HiddenUnits)}), {Activation}, {Initialization}"
        + (Normalization == Normalization.None ? "" : $", {Normalization} normalisation")
        + (Dropout == 0 ? "" : FormattableString.Invariant($", dropout {Dropout}")) + (LinearSkip ? ", linear skip" : "");

    internal override bool UsesBatchNormalization => Normalization == Normalization.Batch;

    internal override void Validate()
    {
        if (!(Dropout >= 0 && Dropout < 1))
            throw OptionError.OutOfRange("Network", $"Dropout must be at least 0 and below 1; found {Dropout}.");
        if (LinearSkip && HiddenUnits.Count == 0)
            throw OptionError.Invalid("Network", $"LinearSkip leads past the hidden layers, and Mlp() has none: it is linear already. Give it hidden "
                + $"units, for example Mlp(128), or leave LinearSkip out.");
        CheckDefined(Activation);
        CheckDefined(Initialization);
        CheckDefined(Normalization);
    }

    private static void CheckDefined<T>(T value) where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw OptionError.OutOfRange("Network", $"{typeof(T).Name} must be one of {string.Join(", ", Enum.GetNames<T>())}; found {value}.");
    }
}
