using System.ComponentModel;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary>The options of <c>benchmark</c>.</summary>
internal sealed class BenchmarkSettings : TrainingTableSettings
{
    [Input]
    [CommandArgument(0, "[file]"), Description("A YAML file with experiment, data, model, training, infrastructure and evaluation; "
        + "BioTorch's files are such.")]
    public string? File { get; set; }

    [Input]
    [CommandOption("-d|--data <FOLDER>"),
        Description("Where the data set is. Without it data.dataset_path, or the folder of the set's name below "
        + "FAMLNET_DATA or datasets.")]
    public string? Data { get; set; }

    [CommandOption("--strict"), Description("A CUDA device that is not there is an error instead of a warning.")]
    public bool Strict { get; set; }

    [CommandOption("--log"), Description("Prints ML.NET's messages instead of the view.")]
    public bool Log { get; set; }

    [CommandOption("--schema"), Description("Prints the JSON schema of the file, for editors, and does nothing else.")]
    public bool Schema { get; set; }

    [Input]
    [CommandOption("--peers <DATA>"), Description("Instead of a file: compares ML.NET's trainers and FaMLNet's rules on a table or a folder of "
        + "images, by the same folds, each in a process of its own.")]
    public string? Peers { get; set; }

    [CommandOption("-l|--label <COLUMN>"), Description("With --peers: the column of a table to predict."), DefaultValue("Label")]
    public string Label { get; set; } = "Label";

    [CommandOption("--folds <NUMBER>"), Description("With --peers: folds of the cross-validation."), DefaultValue(5)]
    public int Folds { get; set; } = 5;

    [CommandOption("--rows <NUMBER>"), Description("With --peers: the first so many rows. Without it all.")]
    public int? Rows { get; set; }

    [CommandOption("-e|--epochs <NUMBER>"), Description("With --peers: epochs of FaMLNet's rules. Without it 100 for tables, 10 for images.")]
    public int? Epochs { get; set; }

    [Output]
    [CommandOption("-o|--output <FILE>"), Description("With --peers: writes the table there, as Markdown.")]
    public string? Output { get; set; }

    [CommandOption("--peer <TRAINER>", IsHidden = true)]
    public string? Peer { get; set; }

    [CommandOption("--check"), Description("Checks the file and the data, says what would run, how long it would take and how much it would "
        + "write, by a short probe; trains nothing and writes nothing.")]
    public bool Check { get; set; }

    [CommandOption("--set <KEY=VALUE>"), Description("Overrides a key of the file, for example --set training.hyperparameters.epochs=5; may be "
        + "repeated.")]
    public string[] Set { get; set; } = [];

    [CommandOption("--trial", IsHidden = true), Description("The file is a sweep's trial, in its folder.")]
    public bool Trial { get; set; }

    [CommandOption("--no-model", IsHidden = true), Description("With --trial: no model is kept.")]
    public bool NoModel { get; set; }

    [CommandOption("--task <TASK>"), Description("With --peers: auto (told from the label), multiclass, binary or regression. A file has "
        + "data.task."), DefaultValue("auto")]
    public string Task { get; set; } = "auto";
}
