using Microsoft.ML;

namespace FaMLNet.Tests.Documentation;

/// <summary>The snippet of several numbers and labels at once in docs/training.md, compiled and run.</summary>
internal static class VectorTraining
{
    public static (VectorRegressionMetrics Numbers, MultiLabelMetrics Labels) Run(MLContext mlContext, IDataView train, IDataView test)
    {
        var numbers = mlContext.Transforms.Concatenate("Label", "Height", "Weight")
            .Append(mlContext.Regression.Trainers.FeedbackAlignmentVector());
        VectorRegressionMetrics metrics = mlContext.Regression.EvaluateVector(numbers.Fit(train).Transform(test));

        var labels = mlContext.Transforms.Concatenate("Label", "IsUrgent", "IsBilling")
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel());
        MultiLabelMetrics found = mlContext.MulticlassClassification.EvaluateMultiLabel(labels.Fit(train).Transform(test));
        return (metrics, found);
    }
}
