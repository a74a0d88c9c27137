using System.Globalization;

namespace FaMLNet.Cli.Naming;

/// <summary>Optimisers, learning rates and schedules as users write them.</summary>
internal static class OptimizerNames
{
    /// <summary>For the help.</summary>
    public const string KnownSchedules = "How the learning rate changes: constant; cosine; exponential:0.95 (factor per epoch); step:0.5,10 "
        + "(factor, every so many epochs); multistep:0.1,50,75 (factor, at these epochs); plateau:0.1,10 (factor, epochs without a lower loss; "
        + "plateau alone means these)";

    private static readonly string[] Optimizers = ["sgd", "adam", "adamw", "rmsprop"];
    private static readonly string[] Schedules = ["constant", "cosine", "exponential", "step", "multistep", "plateau"];

    /// <summary>The optimiser of a name, with the settings that an experiment's file gives it by default; null for null.</summary>
    /// <exception cref="FormatException">There is none of that name.</exception>
    public static OptimizerOptions? Parse(string? name) => name?.ToLowerInvariant() switch
    {
        null => null,
        "sgd" => new OptimizerOptions.Sgd { Momentum = 0.9f },
        "adam" => new OptimizerOptions.Adam(),
        "adamw" => new OptimizerOptions.AdamW(),
        "rmsprop" => new OptimizerOptions.RmsProp(),
        _ => throw new FormatException($"--optimizer must be sgd, adam, adamw or rmsprop; found '{name}'.{Arguments.Nearest(name, Optimizers)}"),
    };

    /// <summary>A learning rate; null for null.</summary>
    /// <exception cref="FormatException">It is no number above 0.</exception>
    public static float? ParseRate(string? text) => text == null ? null
        : float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float rate) && rate > 0 && float.IsFinite(rate) ? rate
        : throw new FormatException($"--learning-rate must be a number above 0, for example 0.01; found '{text}'.");

    /// <summary>A schedule: its name, and its numbers after a colon; null for null.</summary>
    /// <exception cref="FormatException">It is none of the known ones, or its numbers are not as it needs them.</exception>
    public static LearningRateSchedule? ParseSchedule(string? text)
    {
        if (text == null)
            return null;
        string[] parts = text.Split(':', 2);
        string name = parts[0].Trim().ToLowerInvariant();
        if (!Schedules.Contains(name))
            throw new FormatException($"--schedule must be one of {string.Join(", ", Schedules)}; found "
                + $"'{text}'.{Arguments.Nearest(name, Schedules)}");
        double[] numbers = parts.Length == 1 ? [] : [.. parts[1].Split(',').Select(part => double.TryParse(part, NumberStyles.Float,
            CultureInfo.InvariantCulture, out double number) ? number : double.NaN)];
        int[] epochs = [.. numbers.Skip(1).Select(number => number is >= 1 and <= int.MaxValue && number == Math.Floor(number) ? (int)number : 0)];
        bool isAscending = epochs.Zip(epochs.Skip(1)).All(pair => pair.First < pair.Second);
        bool hasFactor = numbers.Length > 0 && numbers[0] > 0 && double.IsFinite(numbers[0]) && !epochs.Contains(0);
        return (name, numbers.Length) switch
        {
            ("constant", 0) when parts.Length == 1 => LearningRateSchedule.Constant,
            ("cosine", 0) when parts.Length == 1 => LearningRateSchedule.Cosine(),
            ("exponential", 1) when hasFactor => LearningRateSchedule.Exponential(numbers[0]),
            ("step", 2) when hasFactor => LearningRateSchedule.Step(numbers[0], epochs[0]),
            ("multistep", >= 2) when hasFactor && isAscending => LearningRateSchedule.MultiStep(numbers[0], epochs),
            ("plateau", 0) when parts.Length == 1 => LearningRateSchedule.ReduceOnPlateau(),
            ("plateau", 2) when hasFactor && numbers[0] < 1 => LearningRateSchedule.ReduceOnPlateau(numbers[0], epochs[0]),
            _ => throw new FormatException($"--schedule '{text}' is not as '{name}' is written. {Form(name)}"),
        };
    }

    private static string Form(string name) => name switch
    {
        "exponential" => "Write exponential:0.95, a factor above 0 per epoch.",
        "step" => "Write step:0.5,10, a factor above 0 and the number of epochs between two changes.",
        "multistep" => "Write multistep:0.1,50,75, a factor above 0 and ascending epochs.",
        "plateau" => "Write plateau, or plateau:0.1,10, a factor between 0 and 1 and the epochs to wait for a lower loss.",
        _ => $"Write {name} alone.",
    };
}
