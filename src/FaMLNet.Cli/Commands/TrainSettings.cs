using System.ComponentModel;
using System.Globalization;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Naming;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary>The options of <c>train</c>.</summary>
internal sealed class TrainSettings : TrainingTableSettings
{
    [Input]
    [CommandArgument(0, "<data>"), Description(
        "A table (.csv or .tsv with a header line), or a folder with the files of MNIST, of CIFAR-10's binary version, or with "
        + "image files: train and test, folders or zip archives with one folder per class, or such folders directly; or one zip archive of all.")]
    public string Data { get; set; } = "";

    [CommandOption("-l|--label <COLUMN>"), Description("The column of a table to predict. Several, separated by commas, are "
        + "learnt by one network at once: numbers, or columns of two values each."), DefaultValue("Label")]
    public string Label { get; set; } = "Label";

    [CommandOption("-t|--task <TASK>"), Description(
        "auto, multiclass, binary or regression. auto tells it from the label of a table, and says what it chose and why."), DefaultValue("auto")]
    public string Task { get; set; } = "auto";

    [CommandOption("--columns"), Description("Shows what the columns of the table are taken for, and does nothing else.")]
    public bool Columns { get; set; }

    [CommandOption("--image-size <PIXELS>"), Description("Height and width to which image files are brought: scaled until the shorter side "
        + "fits, and cut in the middle. Without it the shorter side of the first one, at most 224.")]
    public int? ImageSize { get; set; }

    [CommandOption("-r|--rule <RULE>")]
    [Description("How the error travels back: bp, fa, dfa, usf, brsf, frsf, nss, kp, wm, pfa, dkp, drtp, sdfa or pepita."), DefaultValue("fa")]
    public string Rule { get; set; } = "fa";

    [CommandOption("-n|--network <NETWORK>"), Description(NetworkNames.Known
        + ". Without it mlp:128,64 for tables (by drtp with +tanh), lenet for images.")]
    public string? Network { get; set; }

    [CommandOption("-e|--epochs <NUMBER>"), Description("Passes over the data. Without it 100, or 25 for a regression.")]
    public int? Epochs { get; set; }

    [CommandOption("-b|--batch-size <ROWS>"), Description("Rows per update."), DefaultValue(32)]
    public int BatchSize { get; set; } = 32;

    [CommandOption("--learning-rate <NUMBER>"), Description("The optimiser's step size. Without it the default of the rule, or of the optimiser "
        + "that --optimizer chooses.")]
    public string? LearningRate { get; set; }

    [CommandOption("--optimizer <NAME>"), Description("sgd, adam, adamw or rmsprop, with its default settings. Without it the rule's.")]
    public string? Optimizer { get; set; }

    [CommandOption("--schedule <SCHEDULE>"), Description(OptimizerNames.KnownSchedules + ". Without it the rule's.")]
    public string? Schedule { get; set; }

    [CommandOption("--constrain-weights"), Description("Scales each layer's weights back to their first norm after every update.")]
    public bool ConstrainWeights { get; set; }

    [CommandOption("--clip-errors <LIMIT>"), Description("Clips the error to this size where it leaves a layer with weights.")]
    public float? ErrorLimit { get; set; }

    [CommandOption("-v|--validation <SHARE>"),
        Description("Share of the rows that is kept aside to measure on after each epoch. Without it 0.1, or none if the table is too small.")]
    public double? Validation { get; set; }

    [CommandOption("--patience <EPOCHS>"), Description(
        "Ends the training after so many epochs without a better validation loss; the model has the weights of the best epoch. Without it 10 "
        + "where rows are kept aside. 0 trains to the end and keeps the last epoch.")]
    public int? Patience { get; set; }

    [CommandOption("-s|--seed <NUMBER>"), Description("Seed of everything random."), DefaultValue(1)]
    public int Seed { get; set; } = 1;

    [Output(IsFolder = true)]
    [CommandOption("-c|--checkpoints <FOLDER>"), Description("Keeps the state of the training there; the same command goes on from it.")]
    public string? Checkpoints { get; set; }

    [Output]
    [CommandOption("-o|--output <FILE>"), Description("The model."), DefaultValue("model.zip")]
    public string Output { get; set; } = "model.zip";

    [Output]
    [CommandOption("--csv <FILE>"), Description("Writes the history there while it trains, as a table (.csv) or as JSON lines (.jsonl).")]
    public string? Csv { get; set; }

    [Output(IsFolder = true)]
    [CommandOption("--tensorboard <FOLDER>"), Description("Writes an event file of TensorBoard there while it trains: the folder of this run.")]
    public string? TensorBoard { get; set; }

    [Output]
    [CommandOption("--report <FILE>"), Description("Writes an HTML report of the training there when it is over.")]
    public string? Report { get; set; }

    [CommandOption("--log"), Description("Prints ML.NET's messages instead of the view.")]
    public bool Log { get; set; }

    private const double DefaultValidation = 0.1;
    private const int DefaultPatience = 10;

    /// <summary>What the options choose of the training.</summary>
    /// <exception cref="FormatException">An option has a value that it cannot have.</exception>
    public TrainerChoices Choices()
    {
        if (Patience is < 0)
            throw new FormatException($"--patience must be 0 or more; found {Patience}.");
        if (Epochs is < 1)
            throw new FormatException(FormattableString.Invariant($"--epochs must be 1 or more; found {Epochs}."));
        if (BatchSize < 1)
            throw new FormatException(FormattableString.Invariant($"--batch-size must be 1 or more; found {BatchSize}."));
        if (Validation is { } share && !(share >= 0 && share < 1))
            throw new FormatException(FormattableString.Invariant(
                $"--validation is the share of the rows to keep aside, from 0 to less than 1, such as 0.2; found {share}."));
        OptimizerOptions? optimizer = OptimizerNames.Parse(Optimizer);
        float? rate = OptimizerNames.ParseRate(LearningRate);
        double validation = Validation ?? DefaultValidation;
        // Where nothing is kept aside there is nothing to stop by, unless the user asks for it.
        int patience = Patience ?? (validation > 0 ? DefaultPatience : 0);
        return new TrainerChoices
        {
            Rule = ParseRule(Rule),
            Network = Network is { } network ? NetworkNames.Parse(network) : null,
            Epochs = Epochs,
            BatchSize = BatchSize,
            Seed = Seed,
            // A rate belongs to the optimiser that is named, else to the rule's own.
            Optimizer = rate is { } step && optimizer != null ? optimizer with { LearningRate = step } : optimizer,
            LearningRate = optimizer == null ? rate : null,
            Schedule = OptimizerNames.ParseSchedule(Schedule),
            ConstrainWeights = ConstrainWeights,
            ErrorLimit = ErrorLimit,
            ValidationFraction = validation,
            EarlyStopping = patience > 0 ? new EarlyStopping { Patience = patience } : null,
        };
    }

    private static FeedbackRule ParseRule(string name)
    {
        string[] known = [.. FeedbackRule.All.Select(rule => rule.ShortName)];
        return known.Contains(name.Trim(), StringComparer.OrdinalIgnoreCase) ? FeedbackRule.Parse(name) : throw new FormatException(
            $"--rule '{name}' is not known.{Arguments.Nearest(name, known)} Give one of {string.Join(", ", known)}.");
    }

    /// <summary>The same for a table with too few rows to keep some of them aside: all are trained on, which is said.</summary>
    public TrainerChoices WithoutValidation(TrainerChoices choices)
    {
        Console.WriteLine($"The table is too small to keep a share of {DefaultValidation.ToString(CultureInfo.InvariantCulture)} of its "
            + $"rows aside: all are trained on.");
        return choices with
        {
            ValidationFraction = 0,
            EarlyStopping = Patience == null || choices.EarlyStopping is not { } stopping ? null
                : stopping with { Metric = StoppingMetric.TrainingLoss },
        };
    }
}
