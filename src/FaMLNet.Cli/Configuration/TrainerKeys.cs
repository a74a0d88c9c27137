using System.Text.Json.Nodes;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Configuration;

/// <summary>The keys of a configuration that become options of a trainer.</summary>
internal static class TrainerKeys
{
    /// <summary>The options of the trainer for a task.</summary>
    /// <param name="keys">The configuration.</param>
    /// <param name="settings">What is read of it already.</param>
    /// <param name="task">The task.</param>
    public static FeedbackAlignmentOptions Options(ConfigurationKeys keys, ExperimentSettings settings, TaskKind task)
    {
        ValidationChoice validation = settings.Validation;
        FeedbackAlignmentOptions options = new TrainerChoices
        {
            Rule = settings.Rule,
            Network = settings.Network ?? settings.Rule.Defaults.Network,
            Epochs = settings.Epochs,
            BatchSize = settings.BatchSize,
            Seed = settings.Seed,
            ConstrainWeights = keys.Flag("model.mode.options.constrain_weights") ?? false,
            ErrorLimit = ErrorLimit(keys),
            ValidationFraction = validation.Rows == null && !validation.OnTest ? validation.Share : 0,
            EarlyStopping = validation.IsNone ? null : new EarlyStopping
            {
                Metric = task == TaskKind.Regression ? StoppingMetric.ValidationLoss : StoppingMetric.ValidationAccuracy,
                Patience = keys.Int("training.hyperparameters.patience") ?? settings.Epochs,
            },
            Loss = Loss(keys),
            LabelSmoothing = (float?)keys.Number("model.loss_function.label_smoothing") ?? 0,
            TopK = settings.TopK,
        }.ToOptions(task);
        (options.Optimizer, options.Schedule) = OptimizerKeys.Read(keys, options.DefaultOptimizer);
        // An explicit initializer disables scaling.
        string? init = keys.Text("model.mode.options.init");
        options.InitialWeightScale = (float?)keys.Number("model.mode.options.weight_scale") ?? (init == null ? null : 1);
        options.FeedbackScale = (float?)keys.Number("model.mode.options.feedback_scale") ?? (init == null ? null : 1);
        options.FeedbackInitialization = NetworkKeys.Initialization(init) ?? WeightInitialization.XavierUniform;
        options.Augmentation = Augments(keys, settings.Dataset) ? Augmentation.RandomCrop(4).Then(Augmentation.HorizontalFlip()) : null;
        options.DataCaching = settings.Caching;
        options.NumberOfThreads = settings.Threads;
        options.Diagnostics = Diagnostics(keys);
        options.ValidationSeed = validation.IsNone || validation.OnTest ? null : settings.SplitSeed;
        return options;
    }

    private static LayerDiagnostics Diagnostics(ConfigurationKeys keys)
    {
        bool alignment = keys.Flag("training.metrics.layer_alignment") ?? keys.Flag("training.metrics.weight_alignment") ?? true,
            ratio = keys.Flag("training.metrics.weight_ratio") ?? true;
        return keys.Flag("training.metrics.all") ?? false ? LayerDiagnostics.All
            : alignment || ratio ? LayerDiagnostics.Alignment : LayerDiagnostics.None;
    }

    private static RegressionLoss Loss(ConfigurationKeys keys) => keys.Text("model.loss_function.name") switch
    {
        "absolute" => RegressionLoss.Absolute,
        "huber" => RegressionLoss.Huber(),
        "poisson" => RegressionLoss.Poisson,
        _ => RegressionLoss.Squared,
    };

    private static bool Augments(ConfigurationKeys keys, string dataset) => keys.Text("data.augmentation") switch
    {
        "crop-flip" => true,
        "none" => false,
        _ => dataset == "cifar10_benchmark",
    };

    private static float? ErrorLimit(ConfigurationKeys keys) => keys.Node("model.mode.options.gradient_clip") switch
    {
        JsonValue value when value.TryGetValue(out bool clips) => clips ? 1 : null,
        JsonValue value => (float)value.GetValue<double>(),
        _ => null,
    };
}
