using FaMLNet.Reporting;
using Microsoft.ML;

namespace FaMLNet.Tests.Documentation;

/// <summary>The snippet of docs/reporting.md, compiled and run.</summary>
internal static class ReportedTraining
{
    public static void Run(MLContext mlContext, IDataView train, IDataView test)
    {
        var options = new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = FeedbackRule.DirectFeedbackAlignment,
            Diagnostics = LayerDiagnostics.All,
        };
        using TensorBoardLog board = new("runs/dfa", options);
        HistoryLog table = new("runs/dfa.csv");
        options.MetricsCallback = metrics =>
        {
            board.Write(metrics);
            table.Write(metrics);
        };
        var model = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(train);
        var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(test));

        TrainingReport report = new("Digits");
        report.Add("DFA", model.Model.History, metrics.ConfusionMatrix, options: options);
        report.SaveHtml("report.html");
        report.SavePictures("pictures");
    }
}
