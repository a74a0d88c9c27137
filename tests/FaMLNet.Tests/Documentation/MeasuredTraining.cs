using Microsoft.ML;

namespace FaMLNet.Tests.Documentation;

/// <summary>The snippet of docs/diagnostics.md, compiled and run.</summary>
internal static class MeasuredTraining
{
    public static FeedbackAlignmentMulticlassTrainer Create(MLContext mlContext)
    {
        var options = new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = FeedbackRule.DirectFeedbackAlignment,
            Diagnostics = LayerDiagnostics.All,
            DiagnosticsEverySteps = 100,
            StepCallback = point => Console.WriteLine($"{point.Step}: {point.TotalUpdateAngle:F1}°"),
        };
        return mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
    }
}
