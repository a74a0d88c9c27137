namespace FaMLNet;

/// <summary>
/// The settings that a training uses, with every option that is null filled in: read it before training, or keep it with the results, which then say
/// what was trained with even after a default has changed. <see cref="FeedbackAlignmentOptions.Resolve"/> makes it.
/// </summary>
public sealed record ResolvedOptions
{
    internal ResolvedOptions() { }

    /// <inheritdoc/>
    public override string ToString() => InvariantText.OfRecord(nameof(ResolvedOptions), PrintMembers);

    /// <summary>How the error travels back.</summary>
    public required FeedbackRule Rule { get; init; }

    /// <summary>The layers.</summary>
    public required NetworkDefinition Network { get; init; }

    /// <summary>The optimiser with its rate.</summary>
    public required OptimizerOptions Optimizer { get; init; }

    /// <summary>
    /// The optimiser with its rate, where the rows turn out to be sparse (<see cref="FeedbackAlignmentOptions.FeatureStorage"/>) and the processor
    /// trains; <see cref="Optimizer"/> where network, rule or options keep them dense.
    /// </summary>
    public required OptimizerOptions OptimizerOfSparseRows { get; init; }

    /// <summary>How the learning rate changes over the run.</summary>
    public required LearningRateSchedule Schedule { get; init; }

    /// <summary>
    /// Factor on the initial weights of every layer but the first. Where the network is a module of the user's own and normalises activations, it is
    /// <see cref="InitialWeightScaleIfNormalized"/> instead: that is known when the module is built.
    /// </summary>
    public required float InitialWeightScale { get; init; }

    /// <summary>The same for a module of the user's own that normalises activations; else <see cref="InitialWeightScale"/>.</summary>
    public required float InitialWeightScaleIfNormalized { get; init; }

    /// <summary>Factor on the feedback weights.</summary>
    public required float FeedbackScale { get; init; }

    /// <summary>
    /// Seed of everything random. Null where it is not chosen: the trainer then draws it from the context when it is created, and a training that
    /// goes on from a checkpoint takes the checkpoint's.
    /// </summary>
    public int? Seed { get; init; }

    /// <summary>Seed of the choice of the rows that are kept aside. Null where it is not chosen: that of the training.</summary>
    public int? ValidationSeed { get; init; }

    /// <summary>
    /// Threads. Null where the number is not chosen: it then depends on the number of features, 1 for small networks of dense layers, else libtorch's
    /// own.
    /// </summary>
    public int? NumberOfThreads { get; init; }
}
