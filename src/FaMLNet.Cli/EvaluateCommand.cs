using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli;

/// <summary><c>famlnet evaluate</c>: how good a saved model is on other data.</summary>
internal sealed class EvaluateCommand : Command<SavedModel.Settings>
{
    /// <summary>Classes beyond which a confusion matrix no longer fits a terminal.</summary>
    private const int MostClassesShown = 20;

    public override int Execute(CommandContext context, SavedModel.Settings settings, CancellationToken cancellationToken)
    {
        MLContext mlContext = new();
        SavedModel model = SavedModel.Load(mlContext, settings.Model, settings.Label);
        DataSource data = DataSource.ForModel(mlContext, settings.Data, model, labelIsNeeded: true, !settings.NoHeader, keep: []);
        MulticlassClassificationMetrics metrics =
            mlContext.MulticlassClassification.Evaluate(model.Transformer.Transform(data.View), labelColumnName: data.Label);
        AnsiConsole.Write(new Table().AddColumns("accuracy", "mean over the classes", "log-loss")
            .AddRow(Text($"{metrics.MicroAccuracy:P2}"), Text($"{metrics.MacroAccuracy:P2}"), Text($"{metrics.LogLoss:F4}")));
        if (metrics.ConfusionMatrix.NumberOfClasses <= MostClassesShown)
            Console.WriteLine(metrics.ConfusionMatrix.GetFormattedConfusionTable());
        return 0;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
