using System.Globalization;
using FaMLNet.Cli.Tables;
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
        DataSource data = DataSource.ForModel(mlContext, settings.Data, model, labelIsNeeded: true, !settings.NoHeader, keep: [], settings.Format,
            Console.WriteLine);
        if (model.Task.Kind == TaskKind.Binary)
            Binary(mlContext, model, data);
        else if (model.Task.Kind == TaskKind.Regression)
            Regression(mlContext, model, data);
        else
            Multiclass(mlContext, model, data);
        return 0;
    }

    private static void Multiclass(MLContext mlContext, SavedModel model, DataSource data)
    {
        MulticlassClassificationMetrics metrics =
            mlContext.MulticlassClassification.Evaluate(model.Transformer.Transform(data.View), labelColumnName: data.Label);
        AnsiConsole.Write(new Table().AddColumns("accuracy", "mean over the classes", "log-loss")
            .AddRow(Text($"{metrics.MicroAccuracy:P2}"), Text($"{metrics.MacroAccuracy:P2}"), Text($"{metrics.LogLoss:F4}")));
        if (metrics.ConfusionMatrix.NumberOfClasses <= MostClassesShown)
            Console.WriteLine(metrics.ConfusionMatrix.GetFormattedConfusionTable());
    }

    private static void Binary(MLContext mlContext, SavedModel model, DataSource data)
    {
        // Up to the classifier: what lies behind it turns true and false back into the table's own texts.
        IDataView scored = data.View;
        foreach (ITransformer part in model.Parts)
        {
            scored = part.Transform(scored);
            if (part is FeedbackAlignmentBinaryTransformer)
                break;
        }
        CalibratedBinaryClassificationMetrics metrics = mlContext.BinaryClassification.Evaluate(scored, labelColumnName: data.Label);
        AnsiConsole.Write(new Table().AddColumns("accuracy", "area under ROC", "area under precision-recall", "F1", "log-loss")
            .AddRow(Text($"{metrics.Accuracy:P2}"), Text($"{metrics.AreaUnderRocCurve:F4}"), Text($"{metrics.AreaUnderPrecisionRecallCurve:F4}"),
                Text($"{metrics.F1Score:F4}"), Text($"{metrics.LogLoss:F4}")));
        Console.WriteLine($"Positive: {model.Task.True}; negative: {model.Task.False}.");
        Console.WriteLine(metrics.ConfusionMatrix.GetFormattedConfusionTable());
    }

    private static void Regression(MLContext mlContext, SavedModel model, DataSource data)
    {
        // A row without a label cannot be measured on.
        IDataView labelled = mlContext.Data.FilterRowsByMissingValues(data.View, data.Label);
        RegressionMetrics metrics = mlContext.Regression.Evaluate(model.Transformer.Transform(labelled), labelColumnName: data.Label);
        AnsiConsole.Write(new Table().AddColumns("root mean squared error", "mean absolute error", "R²")
            .AddRow(Text($"{metrics.RootMeanSquaredError:G5}"), Text($"{metrics.MeanAbsoluteError:G5}"), Text($"{metrics.RSquared:F4}")));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
