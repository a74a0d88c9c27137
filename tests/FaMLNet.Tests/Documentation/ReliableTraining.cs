using Microsoft.ML;

namespace FaMLNet.Tests.Documentation;

/// <summary>The snippet of docs/training.md, compiled and run.</summary>
internal static class ReliableTraining
{
    public static FeedbackAlignmentMulticlassTrainer Create(MLContext mlContext)
    {
        var trainer = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            ValidationFraction = 0.1,
            EarlyStopping = new EarlyStopping { Patience = 10 },
            TopK = 5,
        });
        return trainer;
    }
}
