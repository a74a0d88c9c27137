using System.Text.Json.Nodes;

namespace FaMLNet.Cli.Configuration;

/// <summary>The keys of a configuration for the optimiser and its learning rate.</summary>
internal static class OptimizerKeys
{
    /// <summary>Optimiser and schedule; null where the configuration leaves them to the rule.</summary>
    /// <param name="keys">The configuration.</param>
    /// <param name="usual">The optimiser that the rule takes by itself.</param>
    public static (OptimizerOptions? Optimizer, LearningRateSchedule? Schedule) Read(ConfigurationKeys keys, OptimizerOptions usual)
    {
        float? rate = (float?)keys.Number("training.optimizer.lr"), decay = (float?)keys.Number("training.optimizer.weight_decay"),
            momentum = (float?)keys.Number("training.optimizer.momentum"), epsilon = (float?)keys.Number("training.optimizer.epsilon");
        float[]? betas = keys.Node("training.optimizer.betas") is JsonArray list ? [.. list.Select(beta => (float)beta!.GetValue<double>())] : null;
        OptimizerOptions? optimizer = (keys.Text("training.optimizer.type") ?? "default").ToLowerInvariant() switch
        {
            "sgd" => new OptimizerOptions.Sgd { Momentum = momentum ?? 0.9f, Nesterov = keys.Flag("training.optimizer.nesterov") ?? false },
            "adam" => new OptimizerOptions.Adam { Beta1 = betas?[0] ?? 0.9f, Beta2 = betas?[1] ?? 0.999f, Epsilon = Positive(epsilon) },
            "adamw" => new OptimizerOptions.AdamW { Beta1 = betas?[0] ?? 0.9f, Beta2 = betas?[1] ?? 0.999f, Epsilon = Positive(epsilon) },
            "rmsprop" => new OptimizerOptions.RmsProp { Momentum = momentum ?? 0, Epsilon = Positive(epsilon) },
            _ => rate == null && decay == null ? null : usual,
        };
        if (optimizer != null)
            optimizer = optimizer with { LearningRate = rate ?? optimizer.LearningRate, WeightDecay = decay ?? optimizer.WeightDecay };
        int[] milestones = keys.Node("training.lr_scheduler.milestones") is JsonArray steps ? [.. steps.Select(step => step!.GetValue<int>()).Order()]
            : [];
        double gamma = keys.Number("training.lr_scheduler.gamma") ?? 0.1;
        LearningRateSchedule? schedule = keys.Text("training.lr_scheduler.type") switch
        {
            "multistep_lr" => LearningRateSchedule.MultiStep(gamma, [.. milestones.Where(step => step > 0).Distinct()]),
            "step_lr" => LearningRateSchedule.Step(gamma, keys.Int("training.lr_scheduler.step_size")!.Value),
            "exponential" => LearningRateSchedule.Exponential(gamma),
            "cosine" => LearningRateSchedule.Cosine(),
            "plateau" => LearningRateSchedule.ReduceOnPlateau(gamma, keys.Int("training.lr_scheduler.patience") ?? 10),
            "constant" => LearningRateSchedule.Constant,
            // A file that names its optimiser and no schedule means a constant rate, as PyTorch does.
            null when keys.Text("training.optimizer.type") is { } type and not "default" => LearningRateSchedule.Constant,
            _ => null,
        };
        // PyTorch multiplies at a milestone of 0 before the first epoch.
        if (optimizer != null && milestones.Contains(0))
            optimizer = optimizer with { LearningRate = (float)(optimizer.LearningRate * gamma) };
        if (schedule != null && keys.Number("training.lr_scheduler.warmup_epochs") is { } warmup)
            schedule = schedule with { WarmupEpochs = warmup };
        return (optimizer, schedule);

        static float Positive(float? value) => value is > 0 ? value.Value : 1e-8f;
    }
}
