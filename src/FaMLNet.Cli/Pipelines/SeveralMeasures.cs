using System.Globalization;
using FaMLNet.Cli.Tables;
using Microsoft.ML;
using Spectre.Console;

namespace FaMLNet.Cli.Pipelines;

/// <summary>How good a model of several numbers, or of several labels, is: one line per label, and what they have together.</summary>
internal static class SeveralMeasures
{
    /// <summary>Measures and shows.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">Rows with labels.</param>
    public static void Show(MLContext mlContext, SavedModel model, DataSource data)
    {
        IDataView scored = model.Transformer.Transform(data.View);
        if (model.Task.Kind == TaskKind.Regression)
            Numbers(model, mlContext.Regression.EvaluateVector(scored, data.Label));
        else
            Labels(model, mlContext.MulticlassClassification.EvaluateMultiLabel(scored, data.Label));
    }

    private static void Numbers(SavedModel model, VectorRegressionMetrics metrics)
    {
        Table table = new Table().AddColumns("label", "root mean squared error", "mean absolute error", "R²", "rows");
        foreach ((LabelPart part, VectorRegressionMetrics.OutputMetrics of) in model.Task.Parts.Zip(metrics.Outputs))
            table.AddRow(Markup.Escape(part.Column), Text($"{of.RootMeanSquaredError:G5}"), Text($"{of.MeanAbsoluteError:G5}"), Share(of.RSquared),
                Text($"{of.NumberOfTargets}"));
        AnsiConsole.Write(table);
        Console.WriteLine($"Mean R²: {Share(metrics.RSquared)}.");
        long missing = metrics.Outputs.Sum(of => of.NumberOfMissingScores);
        if (missing > 0)
            Console.WriteLine($"{missing} known numbers have no prediction and are left out.");
    }

    private static void Labels(SavedModel model, MultiLabelMetrics metrics)
    {
        Table table = new Table().AddColumns("label", "precision", "recall", "F1", "average precision", "rows with it");
        foreach ((LabelPart part, MultiLabelMetrics.LabelMetrics of) in model.Task.Parts.Zip(metrics.Labels))
            table.AddRow(Markup.Escape($"{part.Column} ({part.Task.True})"), Share(of.Precision), Share(of.Recall), Share(of.F1),
                Share(of.AveragePrecision), Text($"{of.NumberOfPositives}"));
        AnsiConsole.Write(table);
        AnsiConsole.Write(new Table().AddColumns("micro F1", "macro F1", "all labels right", "labels wrong", "mean average precision")
            .AddRow(Share(metrics.MicroF1), Share(metrics.MacroF1), Text($"{metrics.SubsetAccuracy:P2}"), Text($"{metrics.HammingLoss:P2}"),
                Share(metrics.MeanAveragePrecision)));
        if (metrics.NumberOfLabelsLeftOut > 0)
            Console.WriteLine($"{metrics.NumberOfLabelsLeftOut} of {metrics.Labels.Count} labels are true in no row: macro F1 and mean average "
                + "precision are of the others.");
        if (metrics.NumberOfMissingScores > 0)
            Console.WriteLine($"{metrics.NumberOfMissingScores} rows have no prediction and are left out.");
    }

    private static string Share(double value) => double.IsNaN(value) ? "–" : Text($"{value:F4}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
