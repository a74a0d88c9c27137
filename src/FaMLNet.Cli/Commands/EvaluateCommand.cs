using System.Globalization;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet evaluate</c>: how good a saved model is on other data.</summary>
internal sealed class EvaluateCommand : Command<ModelSettings>
{
    /// <summary>Classes beyond which a confusion matrix no longer fits a terminal.</summary>
    private const int MostClassesShown = 20;

    /// <summary>ML.NET's log-loss of a row whose class has no probability at all: −ln 10⁻¹⁵, of binary models in bits.</summary>
    private static readonly double LargestLogLoss = -Math.Log(1e-15), LargestLogLossInBits = -Math.Log2(1e-15);

    public override int Execute(CommandContext context, ModelSettings settings, CancellationToken cancellationToken)
    {
        MLContext mlContext = new();
        SavedModel model = SavedModel.Load(mlContext, settings.Model, settings.Label);
        DataSource data = Activity.Run($"reading '{settings.Data}'", () => DataSource.ForModel(mlContext, settings.Data, model,
            labelIsNeeded: true, !settings.NoHeader, keep: [], settings.Format, Console.WriteLine));
        string consequence = model.Task.Kind == TaskKind.Regression || model.Task.HasSeveral ? "" : "They count as wrong.";
        foreach (string note in data.Unknown.Describe(model.Classes, consequence))
            Console.WriteLine(note);
        Activity.Run($"measuring on '{settings.Data}'", () =>
        {
            if (model.Task.HasSeveral)
                SeveralMeasures.Show(mlContext, model, data);
            else if (model.Task.Kind == TaskKind.Binary)
                Binary(mlContext, model, data);
            else if (model.Task.Kind == TaskKind.Regression)
                Regression(mlContext, model, data);
            else
                Multiclass(mlContext, model, data);
        });
        if (data.Unknown.Count == 0 || RowsOf(data.View) > 0)
            return 0;
        Console.Error.WriteLine($"No row of '{settings.Data}' has a label that the model knows: nothing of it was measured. Is "
            + $"'{ColumnNames.InTable(model.Label)}' the "
            + "column of the labels, and are they written as in the training? --label names another column.");
        return 1;
    }

    private static void Multiclass(MLContext mlContext, SavedModel model, DataSource data)
    {
        long unknown = data.Unknown.Count, known = RowsOf(data.View);
        if (known == 0)
        {
            Nothing(unknown, "accuracy", "mean over the classes", "log-loss");
            return;
        }
        MulticlassClassificationMetrics metrics =
            mlContext.MulticlassClassification.Evaluate(model.Transformer.Transform(data.View), labelColumnName: data.Label);
        // The mean over the classes is one over those that occur.
        int classes = metrics.ConfusionMatrix.Counts.Count(row => row.Sum() > 0);
        AnsiConsole.Write(new Table().AddColumns("accuracy", "mean over the classes", "log-loss")
            .AddRow(Text($"{Mean(metrics.MicroAccuracy, known, 0, unknown):P2}"),
                Text($"{Mean(metrics.MacroAccuracy, classes, 0, data.Unknown.Values):P2}"),
                Text($"{Mean(metrics.LogLoss, known, LargestLogLoss, unknown):F4}")));
        if (unknown > 0)
            Console.WriteLine("Accuracy, mean and log-loss count the rows of unknown labels; the confusion table is of the others.");
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
        long unknown = data.Unknown.Count, known = RowsOf(data.View);
        if (known == 0)
        {
            Nothing(unknown, "accuracy", "area under ROC", "area under precision-recall", "F1", "log-loss");
            return;
        }
        if (OneClass(scored, data.Label) is var (accuracy, logLoss, isTrue))
        {
            AnsiConsole.Write(new Table().AddColumns("accuracy", "log-loss").AddRow(Text($"{Mean(accuracy, known, 0, unknown):P2}"),
                Text($"{Mean(logLoss, known, LargestLogLossInBits, unknown):F4}")));
            Console.WriteLine($"Every known label is {(isTrue ? model.Task.True : model.Task.False)}: the areas under the curves and F1 are not "
                + $"defined.");
            return;
        }
        CalibratedBinaryClassificationMetrics metrics = mlContext.BinaryClassification.Evaluate(scored, labelColumnName: data.Label);
        AnsiConsole.Write(new Table().AddColumns("accuracy", "area under ROC", "area under precision-recall", "F1", "log-loss")
            .AddRow(Text($"{Mean(metrics.Accuracy, known, 0, unknown):P2}"), Text($"{metrics.AreaUnderRocCurve:F4}"),
                Text($"{metrics.AreaUnderPrecisionRecallCurve:F4}"),
                Text($"{metrics.F1Score:F4}"), Text($"{Mean(metrics.LogLoss, known, LargestLogLossInBits, unknown):F4}")));
        if (unknown > 0)
            Console.WriteLine("Accuracy and log-loss count the rows of unknown labels; the other measures are of the others.");
        Console.WriteLine($"Positive: {model.Task.True}; negative: {model.Task.False}.");
        Console.WriteLine(metrics.ConfusionMatrix.GetFormattedConfusionTable());
    }

    private static void Regression(MLContext mlContext, SavedModel model, DataSource data)
    {
        // A row without a label cannot be measured on; how many have none that is a number has been said.
        IDataView labelled = mlContext.Data.FilterRowsByMissingValues(data.View, data.Label);
        RegressionMetrics metrics = mlContext.Regression.Evaluate(model.Transformer.Transform(labelled), labelColumnName: data.Label);
        AnsiConsole.Write(new Table().AddColumns("root mean squared error", "mean absolute error", "R²")
            .AddRow(Text($"{metrics.RootMeanSquaredError:G5}"), Text($"{metrics.MeanAbsoluteError:G5}"), Text($"{metrics.RSquared:F4}")));
    }

    /// <summary>Accuracy and log-loss where all labels are true or all are false, of which ML.NET measures nothing; null where both occur.</summary>
    private static (double Accuracy, double LogLoss, bool IsTrue)? OneClass(IDataView scored, string label)
    {
        bool[] labels = [.. scored.GetColumn<bool>(label)];
        if (labels.Contains(true) && labels.Contains(false))
            return null;
        double right = scored.GetColumn<bool>("PredictedLabel").Count(predicted => predicted == labels[0]);
        double loss = scored.GetColumn<float>("Probability").Sum(probability => -Math.Log2(Math.Max(labels[0] ? probability : 1 - probability,
            1e-15)));
        return (right / labels.Length, loss / labels.Length, labels[0]);
    }

    /// <summary>The mean over two groups of rows.</summary>
    private static double Mean(double first, long rows, double second, long others) => (first * rows + second * others) / (rows + others);

    private static long RowsOf(IDataView view)
    {
        long rows = 0;
        using DataViewRowCursor cursor = view.GetRowCursor([]);
        while (cursor.MoveNext())
            rows++;
        return rows;
    }

    /// <summary>No row has a label that the model knows.</summary>
    private static void Nothing(long unknown, params string[] measures)
    {
        if (unknown == 0)
            throw new FormatException("No row has a label: there is nothing to measure.");
        AnsiConsole.Write(new Table().AddColumns(measures).AddRow([Text($"{0:P2}"), .. measures.Skip(1).Select(_ => "–")]));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
