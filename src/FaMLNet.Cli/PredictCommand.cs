using System.ComponentModel;
using Microsoft.ML;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli;

/// <summary><c>famlnet predict</c>: a saved model's answers as a table.</summary>
internal sealed class PredictCommand : Command<PredictCommand.Settings>
{
    internal sealed class Settings : CommandSettings
    {
        [CommandArgument(0, "<model>"), Description("A zip that 'famlnet train' or an ML.NET pipeline saved.")]
        public string Model { get; set; } = "";

        [CommandArgument(1, "<data>"), Description("A table with the columns of the training data, the label's or not, or a folder whose test files are taken.")]
        public string Data { get; set; } = "";

        [CommandOption("-l|--label <COLUMN>"), Description("The name of the label's column in the training data."), DefaultValue("Label")]
        public string Label { get; set; } = "Label";

        [CommandOption("-o|--output <FILE>"), Description("A line a row: the predicted class and the probabilities of all."), DefaultValue("predictions.csv")]
        public string Output { get; set; } = "predictions.csv";
    }

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        MLContext mlContext = new();
        ITransformer model = SavedModel.Load(mlContext, settings.Model);
        DataSource data = DataSource.Open(mlContext, settings.Data, settings.Label, labelIsNeeded: false, "test");
        IDataView input = data.View;
        // The pipeline wants the label's column, though it does not use it.
        if (input.Schema.GetColumnOrNull(settings.Label) == null)
            input = mlContext.Transforms.CustomMapping<Nothing, NoLabel>((_, row) => row.Label = "", null).Append(mlContext.Transforms.CopyColumns(settings.Label, nameof(NoLabel.Label))).Fit(input).Transform(input);
        IDataView scored = mlContext.Transforms.SelectColumns("PredictedLabel", "Score").Fit(model.Transform(input)).Transform(model.Transform(input));
        string path = Path.GetFullPath(settings.Output), temporary = path + ".tmp";
        using (FileStream stream = File.Create(temporary))
            mlContext.Data.SaveAsText(scored, stream, separatorChar: ',', headerRow: true, schema: false);
        File.Move(temporary, path, overwrite: true);
        AnsiConsole.WriteLine($"Written to {settings.Output}.");
        return 0;
    }

    private sealed class Nothing;

    private sealed class NoLabel
    {
        public string Label { get; set; } = "";
    }
}
