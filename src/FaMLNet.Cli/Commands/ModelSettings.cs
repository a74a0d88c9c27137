using System.ComponentModel;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary>The options of all commands that use a saved model.</summary>
internal class ModelSettings : TableSettings
{
    [Input]
    [CommandArgument(0, "<model>"), Description("A zip that 'famlnet train' or an ML.NET pipeline saved.")]
    public string Model { get; set; } = "";

    [Input]
    [CommandArgument(1, "<data>"), Description("A table with the columns of the training data, in any order, or a folder or zip archive of "
        + "images, whose test files are taken. 'predict' does without the label's column.")]
    public string Data { get; set; } = "";

    [CommandOption("-l|--label <COLUMN>"), Description("The label's column. Without it the one that the model was trained with.")]
    public string? Label { get; set; }
}
