using FaMLNet.Tasks;
using FaMLNet.Training;

namespace FaMLNet;

public abstract partial class FeedbackAlignmentOptions
{
    /// <summary>The optimiser where none is chosen, at its own rate.</summary>
    internal virtual OptimizerOptions DefaultOptimizer => Rule.Defaults.OptimizerFor(Network);

    /// <summary>The optimiser that <see cref="Optimizer"/> or <see cref="LearningRate"/> decides; null where neither is set.</summary>
    private OptimizerOptions? ChosenOptimizer => Optimizer ?? (LearningRate is { } rate ? DefaultOptimizer with { LearningRate = rate } : null);

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first option out of range.</summary>
    internal virtual void Validate()
    {
        CheckName(LabelColumnName, nameof(LabelColumnName));
        CheckName(FeatureColumnName, nameof(FeatureColumnName));
        Check(Rule is not null, nameof(Rule), Rule, "a rule, for example FeedbackRule.FeedbackAlignment");
        FeedbackRuleRegistry.Check(Rule!);
        Network.Validate();
        ImageShape?.Validate();
        Check(Augmentation is null || Network is not MlpDefinition, nameof(Augmentation), Augmentation,
            $"null for a network of dense layers, which takes no images ({Network})");
        Augmentation?.Validate(ImageShape);
        Check(LearningRate is null || (LearningRate > 0 && float.IsFinite(LearningRate.Value)), nameof(LearningRate), LearningRate,
            "above 0 and finite, or null for the rule's own");
        if (Optimizer is { } chosen && LearningRate is { } rate)
            throw OptionError.Invalid(nameof(LearningRate), $"{rate} is set, and so is option {nameof(Optimizer)} ({chosen}), which has a rate of "
                + $"its own. Set {nameof(LearningRate)} for the rule's own optimiser, or the rate in {nameof(Optimizer)}, not both.");
        (ChosenOptimizer ?? DefaultOptimizer).Validate();
        (Schedule ?? Rule!.Defaults.Schedule).Validate();
        Check(NumberOfEpochs >= 1, nameof(NumberOfEpochs), NumberOfEpochs, "at least 1");
        Check(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
        Check(BatchSize <= 1 << 20, nameof(BatchSize), BatchSize, "at most 1048576");
        Check(BatchSize >= 2 || !Network.UsesBatchNormalization, nameof(BatchSize), BatchSize,
            "at least 2 with batch normalisation, which needs a variance");
        Check(ValidationFraction >= 0 && ValidationFraction < 1, nameof(ValidationFraction), ValidationFraction,
            "0 or more and below 1, for example 0.1");
        Check(Enum.IsDefined(DataCaching), nameof(DataCaching), DataCaching, $"one of {string.Join(", ", Enum.GetNames<DataCaching>())}");
        Check(Enum.IsDefined(FeatureStorage), nameof(FeatureStorage), FeatureStorage, $"one of {string.Join(", ", Enum.GetNames<FeatureStorage>())}");
        Check(FeatureStorage != FeatureStorage.Sparse || Rule is not { Route.TakesSparseRows: false }, nameof(FeatureStorage), FeatureStorage,
            $"Auto or Dense with the rule {Rule!.ShortName}, which changes every feature of its input");
        Check(CheckpointFolder is null || !string.IsNullOrWhiteSpace(CheckpointFolder), nameof(CheckpointFolder), CheckpointFolder,
            "the path of a folder, or null");
        Check(CheckpointEveryEpochs >= 1, nameof(CheckpointEveryEpochs), CheckpointEveryEpochs, "at least 1");
        Check(CheckpointEveryMinutes is null || (CheckpointEveryMinutes > 0 && double.IsFinite(CheckpointEveryMinutes.Value)),
            nameof(CheckpointEveryMinutes), CheckpointEveryMinutes, "above 0, or null");
        Check(CheckpointsToKeep >= 1, nameof(CheckpointsToKeep), CheckpointsToKeep, "at least 1");
        Check((Diagnostics & ~LayerDiagnostics.All) == 0, nameof(Diagnostics), Diagnostics,
            $"a combination of {string.Join(", ", Enum.GetNames<LayerDiagnostics>())}");
        Check(DiagnosticsEverySteps is null or >= 1, nameof(DiagnosticsEverySteps), DiagnosticsEverySteps, "at least 1, or null");
        Check(StepCallback is null || DiagnosticsEverySteps is not null, nameof(DiagnosticsEverySteps), DiagnosticsEverySteps,
            "a number of steps where StepCallback is set: without one it would never be called");
        EarlyStopping?.Validate();
        GradientClipping?.Validate();
        CheckScale(InitialWeightScale, nameof(InitialWeightScale));
        CheckScale(FeedbackScale, nameof(FeedbackScale));
        Check(Enum.IsDefined(FeedbackInitialization), nameof(FeedbackInitialization), FeedbackInitialization,
            $"one of {string.Join(", ", Enum.GetNames<WeightInitialization>())}");
        Check(NumberOfThreads is null or >= 1, nameof(NumberOfThreads), NumberOfThreads, "at least 1, or null");
    }

    /// <summary>What a training is asked for: null stands for what has not been chosen.</summary>
    /// <param name="defaultSeed">Draws a seed where none is chosen.</param>
    internal TrainingRequest ToRequest(Func<int> defaultSeed) => Fill(new TrainingRequest
    {
        Task = Task,
        Rule = Rule,
        Network = Network,
        ImageShape = ImageShape,
        Augmentation = Augmentation,
        Optimizer = ChosenOptimizer,
        DefaultOptimizer = DefaultOptimizer,
        Schedule = Schedule,
        InitialWeightScale = InitialWeightScale,
        FeedbackScale = FeedbackScale,
        FeedbackInitialization = FeedbackInitialization,
        NumberOfEpochs = NumberOfEpochs,
        BatchSize = BatchSize,
        Seed = Seed,
        DefaultSeed = Seed ?? defaultSeed(),
        Diagnostics = Diagnostics,
        DiagnosticsEverySteps = StepCallback == null ? null : DiagnosticsEverySteps,
        CenterFeatures = CenterFeatures,
        NumberOfThreads = NumberOfThreads,
        ValidationFraction = ValidationFraction,
        ValidationSeed = ValidationSeed,
        EarlyStopping = EarlyStopping,
        Clipping = GradientClipping,
        ConstrainWeightNorms = ConstrainWeightNorms,
        Caching = DataCaching,
        Storage = FeatureStorage != FeatureStorage.Auto || (Network is MlpDefinition && Rule.Route.TakesSparseRows) ? FeatureStorage
            : FeatureStorage.Dense,
        Checkpoints = CheckpointFolder == null ? null
            : new CheckpointSettings(CheckpointFolder, CheckpointEveryEpochs, CheckpointEveryMinutes, CheckpointsToKeep),
    });

    /// <summary>Adds the options that this trainer has alone.</summary>
    private protected virtual TrainingRequest Fill(TrainingRequest request) => request;

    /// <summary>What the trainer's network learns.</summary>
    internal abstract LearningTask Task { get; }

    private static void CheckName(string name, string option) => Check(!string.IsNullOrWhiteSpace(name), option, name, "the name of a column");

    private static void CheckScale(float? scale, string option) =>
        Check(scale is null || (scale > 0 && float.IsFinite(scale.Value)), option, scale, "above 0 and finite, or null for the rule's own");

    private protected static void Check(bool condition, string option, object? found, string expected)
    {
        if (!condition)
            throw OptionError.OutOfRange(option, $"must be {expected}; found {found ?? "null"}.");
    }
}
