using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>Where and how often a training saves its state.</summary>
internal sealed record CheckpointSettings(string Folder, int EveryEpochs, double? EveryMinutes, int Keep);

/// <summary>A training's settings with every default resolved.</summary>
internal sealed record TrainingSettings
{
    public required FeedbackRule Rule { get; init; }

    public required NetworkDefinition Network { get; init; }

    public required OptimizerOptions Optimizer { get; init; }

    /// <summary>Whether the user has set it; else it may be that of sparse rows instead.</summary>
    public bool OptimizerIsChosen { get; init; }

    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Constant;

    /// <summary>Null for the one that suits rule and network.</summary>
    public float? InitialWeightScale { get; init; }

    public required float FeedbackScale { get; init; }

    /// <summary>The distribution of the feedback weights.</summary>
    public WeightInitialization FeedbackInitialization { get; init; }

    public required int NumberOfEpochs { get; init; }

    public required int BatchSize { get; init; }

    public required int Seed { get; init; }

    public LayerDiagnostics Diagnostics { get; init; }

    /// <summary>Steps from one measurement within an epoch to the next; null for none.</summary>
    public int? DiagnosticsEverySteps { get; init; }

    public required bool CenterFeatures { get; init; }

    public GradientClipping? Clipping { get; init; }

    /// <summary>Whether weights keep the norms that they start with.</summary>
    public bool ConstrainWeightNorms { get; init; }

    public float LabelSmoothing { get; init; }

    public EarlyStopping? EarlyStopping { get; init; }

    public int? TopK { get; init; }

    public ClassWeights? ClassWeights { get; init; }

    /// <summary>What a regression minimises; null for classifiers.</summary>
    public RegressionLoss? RegressionLoss { get; init; }

    public bool IsRegression => RegressionLoss != null;

    /// <summary>Whether outputs are logarithms of rates, and labels counts.</summary>
    public bool PredictsRates => RegressionLoss is { IsLogarithmic: true };

    public double ValidationFraction { get; init; }

    /// <summary>Seed of the choice of rows kept aside; null for that of the training.</summary>
    public int? ValidationSeed { get; init; }

    public DataCaching Caching { get; init; }

    /// <summary>How rows are to be kept: <see cref="FeatureStorage.Auto"/> only where network and rule can make something of sparse ones.</summary>
    public FeatureStorage Storage { get; init; } = FeatureStorage.Dense;

    public CheckpointSettings? Checkpoints { get; init; }

    /// <summary>Whether the user has set the seed; else a checkpoint's own is taken over.</summary>
    public bool SeedIsChosen { get; init; }

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

    /// <summary>The settings for rows as they have turned out to be.</summary>
    public TrainingSettings For(RowSource source)
    {
        bool isLazy = source.Sparse != null && Network is MlpDefinition && Device == null;
        float rate = Optimizer.LearningRate * RuleDefaults.SparseRateFactor;
        return isLazy && !OptimizerIsChosen ? this with { Optimizer = Optimizer with { LearningRate = rate } } : this;
    }

    /// <summary>What decides the result, by name, for checkpoints to compare.</summary>
    /// <param name="source">The data.</param>
    /// <param name="layout">The network.</param>
    public Dictionary<string, string> Describe(RowSource source, NetworkLayout layout) => new()
    {
        ["Rule"] = Rule.ShortName,
        ["Network"] = System.Text.Json.JsonSerializer.Serialize(Persistence.NetworkDocument.Create(layout)),
        // Checkpoints of before know of no such thing: a line of its own would have them refused.
        ["Optimizer"] = $"{Optimizer}{(ConstrainWeightNorms ? ", weights keep their norms" : "")}",
        ["Schedule"] = $"{Schedule}",
        ["InitialWeightScale"] = Text(InitialWeightScaleFor(layout)),
        ["FeedbackScale"] = Text(FeedbackScale)
            + (FeedbackInitialization == WeightInitialization.XavierUniform ? "" : $", {FeedbackInitialization}"),
        ["NumberOfEpochs"] = Text(NumberOfEpochs),
        ["BatchSize"] = Text(BatchSize),
        ["Seed"] = Text(Seed),
        ["CenterFeatures"] = $"{CenterFeatures}",
        ["GradientClipping"] = $"{Clipping}",
        ["LabelSmoothing"] = Text(LabelSmoothing),
        ["EarlyStopping"] = $"{EarlyStopping}",
        ["TopK"] = $"{TopK}",
        ["ClassWeights"] = $"{ClassWeights}",
        // As above.
        ["ValidationFraction"] = Text(ValidationFraction) + (ValidationSeed is { } seed && ValidationFraction > 0
            ? InvariantText.Of($", chosen by the seed {seed}") : ""),
        ["Augmentation"] = $"{Augmentation}",
        // As above.
        ["DataCaching"] = $"{(source is InMemoryRows ? "InMemory" : "Streaming")}{(source.Sparse == null ? "" : ", sparse")}",
        [Checkpoint.Data] = DescribeData(source),
    };

    /// <summary>The rows, as checkpoints name them.</summary>
    public string DescribeData(RowSource source)
        => $"{source.Count} rows of {source.Features} features and {Labels(source)}, SHA-256 {source.Fingerprint}";

    /// <summary>
    /// Factor on the initial weights of every layer but the first. Where activations are normalised, small weights change nothing on the way up,
    /// and on the way down a normalisation magnifies the error by as much as the weights are small: through a layer-wise rule's feedback
    /// weights, where these are not as small, it would grow with every layer. And weights that keep their norms would stay small for ever.
    /// </summary>
    public float InitialWeightScaleFor(NetworkLayout layout) => InitialWeightScale
        ?? (ConstrainWeightNorms ? 1
            : layout.IsNormalized && Rule is LayerwiseFeedbackRule ? Math.Max(Rule.Defaults.InitialWeightScale, Math.Min(1, FeedbackScale))
            : Rule.Defaults.InitialWeightScale);

    // What the label is goes with the data, so that checkpoints of before are read as before.
    private string Labels(RowSource source) => source.Kind switch
    {
        LabelKind.Class => $"{source.Classes} classes",
        LabelKind.Boolean => "a Boolean label",
        _ => $"a number to predict by the loss {RegressionLoss}",
    };

    private static string Text(IFormattable value) => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture);
}
