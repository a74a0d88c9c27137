using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Configuration;

/// <summary>
/// What is chosen of a training, whether by the options of a command or by the keys of a configuration: the one place where choices become the
/// options of a trainer, of whatever task. What is null is left to the trainer or to the rule.
/// </summary>
internal sealed record TrainerChoices
{
    public required FeedbackRule Rule { get; init; }

    public NetworkDefinition? Network { get; init; }

    public int? Epochs { get; init; }

    public required int BatchSize { get; init; }

    public int? Seed { get; init; }

    public OptimizerOptions? Optimizer { get; init; }

    /// <summary>The rate of the rule's own optimiser; null where <see cref="Optimizer"/> is named, which has its own.</summary>
    public float? LearningRate { get; init; }

    public LearningRateSchedule? Schedule { get; init; }

    public bool ConstrainWeights { get; init; }

    /// <summary>The size to which errors are clipped; null for none.</summary>
    public float? ErrorLimit { get; init; }

    public double ValidationFraction { get; init; }

    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Of a regression; another task has none.</summary>
    public RegressionLoss? Loss { get; init; }

    /// <summary>Of tasks with classes; a regression has none.</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>Of several classes; null for the trainer's own.</summary>
    public int? TopK { get; init; }

    /// <summary>The options of the trainer for a task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="hasSeveral">Whether there are several labels per row, each of that task.</param>
    public FeedbackAlignmentOptions ToOptions(TaskKind task, bool hasSeveral = false)
    {
        FeedbackAlignmentOptions options = (task, hasSeveral) switch
        {
            (TaskKind.Binary, true) => new FeedbackAlignmentMultiLabelTrainer.Options(),
            (TaskKind.Regression, true) => new FeedbackAlignmentVectorRegressionTrainer.Options(),
            (TaskKind.Binary, _) => new FeedbackAlignmentBinaryTrainer.Options(),
            (TaskKind.Regression, _) => new FeedbackAlignmentRegressionTrainer.Options(),
            _ => new FeedbackAlignmentMulticlassTrainer.Options(),
        };
        if (options is FeedbackAlignmentRegressionTrainer.Options regression && Loss != null)
            regression.Loss = Loss;
        if (options is FeedbackAlignmentMulticlassTrainer.Options multiclass && TopK is { } k)
            multiclass.TopK = k;
        if (options is FeedbackAlignmentClassifierOptions classes)
            classes.LabelSmoothing = LabelSmoothing;
        options.Rule = Rule;
        options.Network = Network;
        options.NumberOfEpochs = Epochs ?? options.NumberOfEpochs;
        options.BatchSize = BatchSize;
        options.Seed = Seed;
        options.Optimizer = Optimizer;
        options.LearningRate = LearningRate;
        options.Schedule = Schedule;
        options.ConstrainWeightNorms = ConstrainWeights;
        options.GradientClipping = ErrorLimit is { } limit ? GradientClipping.OfErrors(limit) : null;
        options.ValidationFraction = ValidationFraction;
        options.EarlyStopping = EarlyStopping;
        return options;
    }
}
