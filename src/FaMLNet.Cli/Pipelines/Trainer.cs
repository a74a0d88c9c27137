using Microsoft.ML;

namespace FaMLNet.Cli.Pipelines;

/// <summary>The trainer of a task, by the kind of its options.</summary>
internal static class Trainer
{
    /// <summary>The trainer that has these options.</summary>
    public static IEstimator<ITransformer> Of(MLContext mlContext, FeedbackAlignmentOptions options) => options switch
    {
        FeedbackAlignmentVectorRegressionTrainer.Options numbers => mlContext.Regression.Trainers.FeedbackAlignmentVector(numbers),
        FeedbackAlignmentMultiLabelTrainer.Options labels => mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel(labels),
        FeedbackAlignmentBinaryTrainer.Options binary => mlContext.BinaryClassification.Trainers.FeedbackAlignment(binary),
        FeedbackAlignmentRegressionTrainer.Options regression => mlContext.Regression.Trainers.FeedbackAlignment(regression),
        _ => mlContext.MulticlassClassification.Trainers.FeedbackAlignment((FeedbackAlignmentMulticlassTrainer.Options)options),
    };
}
