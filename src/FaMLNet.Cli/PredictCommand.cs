using System.ComponentModel;
using Microsoft.ML;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli;

/// <summary><c>famlnet predict</c>: a saved model's answers as a table.</summary>
internal sealed class PredictCommand : Command<PredictCommand.Settings>
{
    internal sealed class Settings : SavedModel.Settings
    {
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
        if (input.Schema.GetColumnOrNull(data.Label) == null)
            input = mlContext.Transforms.CustomMapping<Nothing, NoLabel>((_, row) => row.Label = "", null).Append(mlContext.Transforms.CopyColumns(data.Label, nameof(NoLabel.Label))).Fit(input).Transform(input);
        IDataView scored = model.Transform(input), answers = mlContext.Transforms.SelectColumns("PredictedLabel", "Score").Fit(scored).Transform(scored);
        WholeFile.Write(settings.Output, path =>
        {
            using FileStream stream = File.Create(path);
            mlContext.Data.SaveAsText(answers, stream, separatorChar: ',', headerRow: true, schema: false);
        });
        AnsiConsole.WriteLine($"Written to {settings.Output}.");
        return 0;
    }

    private sealed class Nothing;

    private sealed class NoLabel
    {
        public string Label { get; set; } = "";
    }
}
