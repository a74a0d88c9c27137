using System.Text.RegularExpressions;

namespace FaMLNet.Cli.Naming;

/// <summary>The library's options by the names that users of the tool type.</summary>
internal static class OptionNames
{
    /// <summary>Of <c>train</c>.</summary>
    public static IReadOnlyDictionary<string, string> OfTrain { get; } = new Dictionary<string, string>
    {
        [nameof(FeedbackAlignmentOptions.LabelColumnName)] = "--label",
        [nameof(FeedbackAlignmentOptions.Rule)] = "--rule",
        [nameof(FeedbackAlignmentOptions.Network)] = "--network",
        [nameof(FeedbackAlignmentOptions.NumberOfEpochs)] = "--epochs",
        [nameof(FeedbackAlignmentOptions.BatchSize)] = "--batch-size",
        [nameof(FeedbackAlignmentOptions.ValidationFraction)] = "--validation",
        [nameof(FeedbackAlignmentOptions.EarlyStopping)] = "--patience",
        [nameof(FeedbackAlignmentOptions.Seed)] = "--seed",
        [nameof(FeedbackAlignmentOptions.ConstrainWeightNorms)] = "--constrain-weights",
        [nameof(FeedbackAlignmentOptions.GradientClipping)] = "--clip-errors",
        [nameof(FeedbackAlignmentOptions.CheckpointFolder)] = "--checkpoints",
        [nameof(FeedbackAlignmentOptions.Optimizer)] = "--optimizer",
        [nameof(FeedbackAlignmentOptions.LearningRate)] = "--learning-rate",
        [nameof(FeedbackAlignmentOptions.Schedule)] = "--schedule",
    };

    private static readonly Dictionary<string, string> OfAttack = new()
    {
        [nameof(RobustnessOptions.LabelColumnName)] = "--label",
        [nameof(RobustnessOptions.MaximumRows)] = "--rows",
        [nameof(RobustnessOptions.Seed)] = "--seed",
        [nameof(RobustnessOptions.InputRange)] = "--range",
        [nameof(RobustnessOptions.ThreatModel)] = "--feedback",
    };

    /// <summary>A message of the library as the user of a command understands it; others set the library's options by a file.</summary>
    public static string Translate(string? command, string message)
    {
        foreach ((string name, string option) in command switch
        {
            "train" => OfTrain,
            "attack" => OfAttack,
            _ => (IReadOnlyDictionary<string, string>)
            new Dictionary<string, string>()
        })
        {
            message = Regex.Replace(message, $@"\bOption {name}\b", option);
            // A name of several words is nothing but the option, wherever it stands.
            if (name.Skip(1).Any(char.IsUpper))
                message = Regex.Replace(message, $@"(?<![\w.]){name}\b(?!\.)", option);
        }
        return message;
    }
}
