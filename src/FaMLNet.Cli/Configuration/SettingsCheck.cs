using System.Text.Json.Nodes;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Configuration;

/// <summary>What the schema cannot say: keys that need others, or that have no meaning together.</summary>
internal static class SettingsCheck
{
    /// <summary>Refuses a configuration that makes no sense.</summary>
    /// <exception cref="FormatException">The message names the key and the cure.</exception>
    public static void Check(ConfigurationKeys keys, ExperimentSettings settings)
    {
        if (settings.Dataset != "csv" && settings.AskedTask is not (null or TaskKind.Multiclass))
            throw keys.Error("data.task", $"'{settings.Dataset}' has images in classes: the task must be auto or multiclass. Tables (csv) have "
                + "every task.");
        if (keys.Node("infrastructure.gpus") is JsonArray)
            throw keys.Error("infrastructure.gpus", "a list of devices is not supported: a training runs on one. Give one number (-1 is the CPU), "
                + "and run trials side by side with 'famlnet sweep'.");
        if (keys.Node("model.pretrained") is JsonValue value && value.TryGetValue(out bool pretrained) && pretrained && settings.Checkpoint == null)
            throw keys.Error("model.pretrained",
                "FaMLNet ships no pretrained weights and downloads none. Give the path of a saved model instead of true.");
        if (keys.Node("model.architecture") is null && settings.Checkpoint == null)
            throw keys.Error("model", "expected an architecture, or a checkpoint to start from.");
        if (!settings.Trains && settings.Checkpoint == null)
            throw keys.Error("model", "there is no 'training', so a 'checkpoint' to evaluate is needed. Add one of the two.");
        if (settings.Checkpoint is { } path && !File.Exists(path))
            throw keys.Error("model.checkpoint",
                $"the saved model '{path}' is not there. Give the path of a zip that 'famlnet train' or 'benchmark' saved.");
        if (settings.Trains && keys.Node("model.mode") is null)
            throw keys.Error("model", "expected 'mode' with the 'type' of the rule, for example fa.");
        if (keys.Flag("model.mode.options.scaling_factor") == true)
            throw keys.Error("model.mode.options.scaling_factor", "it has no meaning, here and in BioTorch's code: uSF's weights always have the "
                + "standard deviation of the initialisation. Leave it out, or set feedback_scale.");
        if (keys.Text("training.optimizer.type") is "default" or null && keys.Node("training.optimizer") is JsonObject optimizer
            && optimizer.Select(pair => pair.Key).FirstOrDefault(key => key is not ("type" or "lr" or "weight_decay")) is { } odd)
            throw keys.Error($"training.optimizer.{odd}", "the default optimizer takes lr and weight_decay only. Name a type.");
        if (keys.Text("training.lr_scheduler.type") == "multistep_lr" && keys.Node("training.lr_scheduler.milestones") is null)
            throw keys.Error("training.lr_scheduler", "multistep_lr needs 'milestones', a list of epochs, and 'gamma'.");
        if (keys.Text("training.lr_scheduler.type") == "step_lr" && keys.Int("training.lr_scheduler.step_size") is null)
            throw keys.Error("training.lr_scheduler", "step_lr needs 'step_size', a number of epochs, and 'gamma'.");
    }
}
