using Microsoft.ML;

namespace FaMLNet.Tests.Documentation;

/// <summary>The first snippet of docs/training.md, compiled and run.</summary>
internal static class TaskTraining
{
    public static (FeedbackAlignmentBinaryTransformer Careful, FeedbackAlignmentRegressionTrainer Regression) Create(MLContext mlContext,
        IDataView train)
    {
        var binary = mlContext.BinaryClassification.Trainers.FeedbackAlignment(rule: FeedbackRule.DirectFeedbackAlignment);
        var careful = mlContext.BinaryClassification.ChangeModelThreshold(binary.Fit(train), 1.5f);

        var regression = mlContext.Regression.Trainers.FeedbackAlignment(new FeedbackAlignmentRegressionTrainer.Options
        {
            Rule = FeedbackRule.FeedbackAlignment,
            Loss = RegressionLoss.Huber(),
        });
        return (careful, regression);
    }
}
