using FaMLNet.Computing;
using FaMLNet.Rows;
using FaMLNet.Tasks;
using FaMLNet.Training.Checkpoints;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>
/// A training with every choice made: made once, by <see cref="Make"/>, after the rows are open and before anything is computed. Checkpoints and
/// records describe it; nothing changes it.
/// </summary>
internal sealed record TrainingPlan
{
    private TrainingPlan() { }

    public required LearningTask Task { get; init; }

    public required NetworkLayout Layout { get; init; }

    public required FeedbackRule Rule { get; init; }

    public required OptimizerOptions Optimizer { get; init; }

    public required LearningRateSchedule Schedule { get; init; }

    public required float InitialWeightScale { get; init; }

    public required float FeedbackScale { get; init; }

    /// <summary>The distribution of the feedback weights.</summary>
    public required WeightInitialization FeedbackInitialization { get; init; }

    public required int NumberOfEpochs { get; init; }

    public required int BatchSize { get; init; }

    public required int Seed { get; init; }

    public required int NumberOfThreads { get; init; }

    /// <summary>The device that trains; null for the host's processor.</summary>
    public required Device? Device { get; init; }

    public required LayerDiagnostics Diagnostics { get; init; }

    /// <summary>Steps from one measurement within an epoch to the next; null for none.</summary>
    public required int? DiagnosticsEverySteps { get; init; }

    /// <summary>Whether the features' means are subtracted.</summary>
    public required bool CentersFeatures { get; init; }

    public required GradientClipping? Clipping { get; init; }

    /// <summary>Whether weights keep the norms that they start with.</summary>
    public required bool ConstrainWeightNorms { get; init; }

    public required float LabelSmoothing { get; init; }

    public required EarlyStopping? EarlyStopping { get; init; }

    /// <summary>How many of the likeliest classes count as a hit for the top-k accuracy; null for no such measure.</summary>
    public required int? TopK { get; init; }

    public required Augmentation? Augmentation { get; init; }

    public required CheckpointSettings? Checkpoints { get; init; }

    public required Action CheckCancelled { get; init; }

    /// <summary>What decides the result, by name: checkpoints compare it, models record it.</summary>
    public required IReadOnlyDictionary<string, string> Description { get; init; }

    /// <summary>Makes every choice that the user has left open.</summary>
    /// <param name="request">What the user asks for.</param>
    /// <param name="source">The rows.</param>
    /// <param name="layout">The network for these rows.</param>
    /// <param name="seed">Of all randomness.</param>
    /// <param name="initial">A trained network to go on from; null for random weights.</param>
    /// <param name="startingModel">The digest of that network, where there are checkpoints to compare.</param>
    /// <exception cref="ArgumentException">The network needs larger mini-batches, or the model to go on from means something else.</exception>
    public static TrainingPlan Make(TrainingRequest request, RowSource source, NetworkLayout layout, int seed,
        Persistence.TrainedNetwork? initial = null, string? startingModel = null)
    {
        if (request.BatchSize < 2 && layout.NeedsTwoRows)
            throw OptionError.Invalid("BatchSize", $"must be at least 2 with batch normalisation, which needs a variance; found "
                + $"{request.BatchSize}. {request.Network} has batch normalisation.");
        float feedbackScale = request.FeedbackScale ?? request.Rule.Defaults.FeedbackScale;
        TrainingPlan plan = new()
        {
            Task = initial == null ? request.Task.For(source.Targets) : request.Task.Continuing(initial.Targets),
            Layout = layout,
            Rule = request.Rule,
            Optimizer = OptimizerOf(request, source),
            Schedule = request.Schedule ?? request.Rule.Defaults.Schedule,
            InitialWeightScale = request.InitialWeightScale
                ?? request.Rule.InitialWeightScaleFor(layout.IsNormalized, feedbackScale, request.ConstrainWeightNorms),
            FeedbackScale = feedbackScale,
            FeedbackInitialization = request.FeedbackInitialization,
            NumberOfEpochs = request.NumberOfEpochs,
            BatchSize = request.BatchSize,
            Seed = seed,
            NumberOfThreads = request.NumberOfThreads
                ?? (layout is DenseLayout ? Interop.ThreadCount.For(layout.WorkPerRow * request.BatchSize) : Interop.ThreadCount.Present),
            Device = request.Device,
            Diagnostics = request.Diagnostics,
            DiagnosticsEverySteps = request.DiagnosticsEverySteps,
            CentersFeatures = request.CenterFeatures && layout is DenseLayout && source.Sparse == null,
            Clipping = request.Clipping,
            ConstrainWeightNorms = request.ConstrainWeightNorms,
            LabelSmoothing = request.LabelSmoothing,
            EarlyStopping = request.EarlyStopping,
            TopK = request.TopK,
            Augmentation = request.Augmentation,
            Checkpoints = request.Checkpoints,
            CheckCancelled = request.CheckCancelled,
            Description = new Dictionary<string, string>(),
        };
        return plan with { Description = plan.Describe(request, source, startingModel) };
    }

    /// <summary>What the network needs to know of it.</summary>
    public GradientPlan Gradient => new(Task, Rule)
    {
        InitialWeightScale = InitialWeightScale,
        FeedbackScale = FeedbackScale,
        FeedbackInitialization = FeedbackInitialization,
        Seed = Seed,
        LabelSmoothing = LabelSmoothing,
        ErrorLimit = Clipping?.ErrorLimit,
        Augmentation = Augmentation,
        Device = Device,
        CheckCancelled = CheckCancelled,
    };

    /// <summary>What its updates need to know of it.</summary>
    public UpdatePlan Update => new(Optimizer, Clipping, ConstrainWeightNorms);

    /// <summary>Tells a training with checkpoints from others, whatever the number of its epochs; null without a folder.</summary>
    public string? Id => Checkpoints == null ? null : Checkpoint.IdOf(Description);

    /// <summary>The rows, and the model that is trained further, as checkpoints name them.</summary>
    public static string DescribeData(LearningTask task, RowSource source, string? startingModel = null) =>
        $"{source.Count} rows of {source.Features} features and {task.DescribeLabel(source.Outputs)}, SHA-256 {source.Fingerprint}"
        + (startingModel == null ? "" : $", trained further from a model of SHA-256 {startingModel}");

    /// <summary>Sparse rows of a chain of dense layers get another rate, where the user has set none.</summary>
    private static OptimizerOptions OptimizerOf(TrainingRequest request, RowSource source)
    {
        bool isLazy = source.Sparse != null && request.Network is MlpDefinition && request.Device == null;
        return request.Optimizer ?? (isLazy ? RuleDefaults.OnSparseRows(request.DefaultOptimizer) : request.DefaultOptimizer);
    }

    // Names and texts are those of earlier checkpoints, which are compared with these.
    private Dictionary<string, string> Describe(TrainingRequest request, RowSource source, string? startingModel) => new()
    {
        ["Rule"] = Rule.ShortName,
        ["Network"] = System.Text.Json.JsonSerializer.Serialize(Persistence.NetworkDocument.Create(Layout)),
        ["Optimizer"] = $"{Optimizer}{(ConstrainWeightNorms ? ", weights keep their norms" : "")}",
        ["Schedule"] = $"{Schedule}",
        ["InitialWeightScale"] = Text(InitialWeightScale),
        ["FeedbackScale"] = Text(FeedbackScale)
            + (FeedbackInitialization == WeightInitialization.XavierUniform ? "" : $", {FeedbackInitialization}"),
        ["NumberOfEpochs"] = Text(NumberOfEpochs),
        ["BatchSize"] = Text(BatchSize),
        ["Seed"] = Text(Seed),
        ["CenterFeatures"] = $"{request.CenterFeatures}",
        ["GradientClipping"] = $"{Clipping}",
        ["LabelSmoothing"] = Text(LabelSmoothing),
        ["EarlyStopping"] = $"{EarlyStopping}",
        ["TopK"] = $"{TopK}",
        ["ClassWeights"] = $"{request.ClassWeights}",
        ["ValidationFraction"] = Text(request.ValidationFraction) + (request.ValidationSeed is { } seed && request.ValidationFraction > 0
            ? InvariantText.Of($", chosen by the seed {seed}") : ""),
        ["Augmentation"] = $"{Augmentation}",
        ["DataCaching"] = $"{(source is InMemoryRows ? "InMemory" : "Streaming")}{(source.Sparse == null ? "" : ", sparse")}",
        [Checkpoint.Data] = DescribeData(Task, source, startingModel),
    };

    private static string Text(IFormattable value) => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture);
}
