using System.Globalization;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Experiments;

/// <summary>What a network shows on the test rows; each task has measures of its own, and the others are null.</summary>
internal sealed record TestMeasures
{
    /// <summary>The epoch whose network it is.</summary>
    public required int Epoch { get; init; }

    /// <summary>Multiclass: share of rows right.</summary>
    public double? Top1 { get; init; }

    /// <summary>Multiclass: share of rows whose class is among the k likeliest.</summary>
    public double? TopK { get; init; }

    /// <summary>Binary: share of rows right.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Binary: area under the ROC curve; null where the test rows have one class only.</summary>
    public double? AreaUnderRoc { get; init; }

    /// <summary>Binary: area under the curve of precision and recall.</summary>
    public double? AreaUnderPrecisionRecall { get; init; }

    /// <summary>Binary: harmonic mean of precision and recall of the positive class.</summary>
    public double? F1 { get; init; }

    /// <summary>Classes: mean of −ln(probability of the class), over the rows of known classes.</summary>
    public double? LogLoss { get; init; }

    /// <summary>Regression, in units of the label.</summary>
    public double? RootMeanSquaredError { get; init; }

    /// <summary>Regression, in units of the label.</summary>
    public double? MeanAbsoluteError { get; init; }

    /// <summary>Regression: share of the label's variance that is explained.</summary>
    public double? RSquared { get; init; }

    /// <summary>In a sentence's words, for the console.</summary>
    /// <param name="k">The k of top-k.</param>
    public string Describe(int k)
    {
        if (Top1 is { } top1)
            return Invariant($"top-1 {top1:P2}, top-{k} {TopK:P2}, error {1 - top1:P2}, log-loss {Of(LogLoss, "F3")}");
        return Accuracy is { } accuracy
            ? Invariant($"accuracy {accuracy:P2}, area under ROC {Of(AreaUnderRoc, "F4")}, F1 {Of(F1, "F4")}, log-loss {Of(LogLoss, "F3")}")
            : $"root mean squared error {Of(RootMeanSquaredError, "G5")}, mean absolute error {Of(MeanAbsoluteError, "G5")}, R² {Of(RSquared, "F4")}";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Of(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";
}

/// <summary>A measure of a task, for tables of many results.</summary>
/// <param name="Column">Its name in files.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Value">Reads it.</param>
/// <param name="IsShare">Whether people see it in per cent.</param>
internal sealed record TestMeasure(string Column, string Title, Func<TestMeasures, double?> Value, bool IsShare)
{
    /// <summary>The measures of a task; the first is the one that counts.</summary>
    public static IReadOnlyList<TestMeasure> Of(TaskKind task) => task switch
    {
        TaskKind.Binary =>
        [
            new("accuracy", "accuracy, %", measures => measures.Accuracy, true),
            new("area_under_roc", "area under ROC", measures => measures.AreaUnderRoc, false),
            new("area_under_precision_recall", "area under precision-recall", measures => measures.AreaUnderPrecisionRecall, false),
            new("f1", "F1", measures => measures.F1, false),
            new("log_loss", "log-loss", measures => measures.LogLoss, false),
        ],
        TaskKind.Regression =>
        [
            new("rmse", "root mean squared error", measures => measures.RootMeanSquaredError, false),
            new("mae", "mean absolute error", measures => measures.MeanAbsoluteError, false),
            new("r_squared", "R²", measures => measures.RSquared, false),
        ],
        _ =>
        [
            new("top1", "accuracy, %", measures => measures.Top1, true),
            new("topk", "top-k, %", measures => measures.TopK, true),
            new("log_loss", "log-loss", measures => measures.LogLoss, false),
        ],
    };
}
