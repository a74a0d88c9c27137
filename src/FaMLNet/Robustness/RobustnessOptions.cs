
namespace FaMLNet;

/// <summary>How <c>EvaluateRobustness</c> and <c>CreateAdversarialExamples</c> go about it.</summary>
public sealed record RobustnessOptions
{
    /// <summary>The column with the right classes: a key, as the model's pipeline gives it, or the values of the model's keys.</summary>
    /// <value>Default: <c>Label</c>.</value>
    public string LabelColumnName { get; init; } = "Label";

    /// <summary>
    /// The column to attack; null for the one that the model's last prediction transformer reads. Needed for a model whose scores come from
    /// something else, an ONNX transformer for example: it must then read that column alone.
    /// </summary>
    /// <value>Default: null.</value>
    public string? FeatureColumnName { get; init; }

    /// <summary>Rows that each thread attacks at a time, at least 1. Does not change any result.</summary>
    /// <value>Default: 256.</value>
    public int BatchSize { get; init; } = 256;

    /// <summary>How many rows to attack, the first of the data, at least 1; null for all. Shuffle data that is sorted first.</summary>
    /// <value>Default: null.</value>
    public int? MaximumRows { get; init; }

    /// <summary>Of all randomness; null for that of the <c>MLContext</c>, or 0 where it has none.</summary>
    /// <value>Default: null.</value>
    public int? Seed { get; init; }

    /// <summary>
    /// The range in which features stay. Null: for images (a network that takes images, or as many features as a square image has) whose values
    /// lie in [0, 1] or in [0, 255] those; else none, and nothing is clipped.
    /// </summary>
    /// <value>Default: null.</value>
    public (float Lower, float Upper)? InputRange { get; init; }

    /// <summary>What attacks differentiate that use gradients.</summary>
    /// <value>Default: <see cref="ThreatModel.TrueGradient"/>.</value>
    public ThreatModel ThreatModel { get; init; } = ThreatModel.TrueGradient;

    /// <summary>Threads that attack, at least 1; null for as many as there are processors. Does not change any result. Networks of the user's own
    /// (<see cref="NetworkDefinition.Custom(string)"/>) are attacked by one, since nothing is known of their safety.</summary>
    /// <value>Default: null.</value>
    public int? NumberOfThreads { get; init; }

    /// <summary>Told how far each attack is, from the threads that attack.</summary>
    /// <value>Default: null.</value>
    public IProgress<RobustnessProgress>? Progress { get; init; }

    /// <summary>Ends the evaluation within a batch, by an <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>The values, the same in every culture.</summary>
    public override string ToString() => InvariantText.OfRecord(nameof(RobustnessOptions), PrintMembers);

    internal void Validate()
    {
        if (string.IsNullOrWhiteSpace(LabelColumnName))
            throw OptionError.Invalid(nameof(LabelColumnName), $"must name a column; found nothing.");
        if (BatchSize < 1)
            throw OptionError.OutOfRange(nameof(BatchSize), $"must be at least 1; found {BatchSize}.");
        if (MaximumRows < 1)
            throw OptionError.OutOfRange(nameof(MaximumRows), $"must be at least 1, or null for all rows; found {MaximumRows}.");
        if (NumberOfThreads < 1)
            throw OptionError.OutOfRange(nameof(NumberOfThreads), $"must be at least 1, or null for one a processor; found {NumberOfThreads}.");
        if (InputRange is var (lower, upper) && !(float.IsFinite(lower) && float.IsFinite(upper) && lower < upper))
            throw OptionError.OutOfRange(nameof(InputRange), $"must be two numbers, the lower one first; found ({lower}, {upper}).");
        if (!Enum.IsDefined(ThreatModel))
            throw OptionError.OutOfRange(nameof(ThreatModel),
                $"must be one of {string.Join(", ", Enum.GetNames<ThreatModel>())}; found {ThreatModel}.");
    }
}

/// <summary>How far an evaluation of robustness is.</summary>
/// <param name="Attack">The attack at work.</param>
/// <param name="Number">Its number in the list, from 1.</param>
/// <param name="NumberOfAttacks">How many attacks there are.</param>
/// <param name="Rows">Rows that it is done with.</param>
/// <param name="NumberOfRows">Rows that it attacks: those that the model sees rightly.</param>
/// <param name="Fooled">Of those that it is done with, how many fool the model.</param>
public sealed record RobustnessProgress(Attack Attack, int Number, int NumberOfAttacks, int Rows, int NumberOfRows, int Fooled);
