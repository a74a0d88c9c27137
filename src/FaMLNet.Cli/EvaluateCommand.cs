using System.ComponentModel;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli;

/// <summary><c>famlnet evaluate</c>: how good a saved model is on other data.</summary>
internal sealed class EvaluateCommand : Command<EvaluateCommand.Settings>
{
    /// <summary>Classes beyond which a confusion matrix no longer fits a terminal.</summary>
    private const int MostClassesShown = 20;

    internal sealed class Settings : CommandSettings
    {
        [CommandArgument(0, "<model>"), Description("A zip that 'famlnet train' or an ML.NET pipeline saved.")]
        public string Model { get; set; } = "";

        [CommandArgument(1, "<data>"), Description("A table with the columns of the training data, or a folder whose test files are taken.")]
        public string Data { get; set; } = "";

        [CommandOption("-l|--label <COLUMN>"), Description("The column of a table with the true classes."), DefaultValue("Label")]
        public string Label { get; set; } = "Label";
    }

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        MLContext mlContext = new();
        ITransformer model = SavedModel.Load(mlContext, settings.Model);
        DataSource data = DataSource.Open(mlContext, settings.Data, settings.Label, labelIsNeeded: true, "test");
        MulticlassClassificationMetrics metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(data.View), labelColumnName: data.IsImages ? "Label" : settings.Label);
        AnsiConsole.Write(new Table().AddColumns("accuracy", "mean over the classes", "log-loss").AddRow($"{metrics.MicroAccuracy:P2}", $"{metrics.MacroAccuracy:P2}", $"{metrics.LogLoss:F4}"));
        if (metrics.ConfusionMatrix.NumberOfClasses <= MostClassesShown)
            Console.WriteLine(metrics.ConfusionMatrix.GetFormattedConfusionTable());
        return 0;
    }
}
