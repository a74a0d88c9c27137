using FaMLNet.Rows;
using FaMLNet.Tasks;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>Where and how often a training saves its state.</summary>
internal sealed record CheckpointSettings(string Folder, int EveryEpochs, double? EveryMinutes, int Keep);

/// <summary>
/// What a user asks for, before the rows are known: null stands for what has not been chosen. <see cref="TrainingPlan.Make"/> resolves it.
/// </summary>
internal sealed record TrainingRequest
{
    public required LearningTask Task { get; init; }

    public required FeedbackRule Rule { get; init; }

    public required NetworkDefinition Network { get; init; }

    /// <summary>Null for <see cref="DefaultOptimizer"/>, whose rate depends on how rows are kept.</summary>
    public OptimizerOptions? Optimizer { get; init; }

    /// <summary>The optimiser of rule, network and task.</summary>
    public required OptimizerOptions DefaultOptimizer { get; init; }

    /// <summary>Null for the rule's own.</summary>
    public LearningRateSchedule? Schedule { get; init; }

    /// <summary>Null for the one that suits rule and network.</summary>
    public float? InitialWeightScale { get; init; }

    /// <summary>Null for the rule's own.</summary>
    public float? FeedbackScale { get; init; }

    public WeightInitialization FeedbackInitialization { get; init; }

    public required int NumberOfEpochs { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>Null for that of a checkpoint, or for <see cref="DefaultSeed"/>.</summary>
    public int? Seed { get; init; }

    /// <summary>Drawn from the context.</summary>
    public int DefaultSeed { get; init; }

    public LayerDiagnostics Diagnostics { get; init; }

    /// <summary>Steps from one measurement within an epoch to the next; null for none.</summary>
    public int? DiagnosticsEverySteps { get; init; }

    public required bool CenterFeatures { get; init; }

    public GradientClipping? Clipping { get; init; }

    /// <summary>Whether weights keep the norms that they start with.</summary>
    public bool ConstrainWeightNorms { get; init; }

    public float LabelSmoothing { get; init; }

    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>How many of the likeliest classes count as a hit for the top-k accuracy; null for no such measure.</summary>
    public int? TopK { get; init; }

    public ClassWeights? ClassWeights { get; init; }

    public double ValidationFraction { get; init; }

    /// <summary>Seed of the choice of rows kept aside; null for that of the training.</summary>
    public int? ValidationSeed { get; init; }

    public DataCaching Caching { get; init; }

    /// <summary>How rows are to be kept: <see cref="FeatureStorage.Auto"/> only where network and rule can make something of sparse ones.</summary>
    public FeatureStorage Storage { get; init; } = FeatureStorage.Dense;

    public CheckpointSettings? Checkpoints { get; init; }

    /// <summary>Null for the number that suits the network.</summary>
    public int? NumberOfThreads { get; init; }

    public Augmentation? Augmentation { get; init; }

    /// <summary>How features are laid out as images; null if the network takes none, or if it is to be inferred.</summary>
    public ImageShape? ImageShape { get; init; }

    /// <summary>The device that trains, other than the host's processor; null for that.</summary>
    public Device? Device { get; init; }

    /// <summary>Finds factories of networks of the user's own.</summary>
    public IHostEnvironment? Environment { get; init; }

    /// <summary>Called while a network is prepared, which may take long; throws to stop.</summary>
    public Action CheckCancelled { get; init; } = () => { };

    /// <summary>What decides how rows are read and kept.</summary>
    /// <param name="seed">The training's; decides which rows are kept aside, where no other seed does.</param>
    public RowPlan Rows(int seed) => new()
    {
        LeastLabel = Task.LeastLabel,
        Storage = Storage,
        AreImages = ImageShape != null,
        AreStandardized = Network is SequentialDefinition,
        AreForOwnModule = Network is CustomDefinition,
        Caching = Caching,
        ValidationFraction = ValidationFraction,
        ClassWeights = ClassWeights,
        Seed = ValidationSeed ?? seed,
        NeedsHash = Checkpoints != null,
    };
}
