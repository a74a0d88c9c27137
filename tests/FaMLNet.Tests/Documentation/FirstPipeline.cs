using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Tests.Documentation;

/// <summary>The README's first pipeline, compiled and run.</summary>
internal static class FirstPipeline
{
    public static MulticlassClassificationMetrics Run()
    {
        var mlContext = new MLContext(seed: 1);
        var data = mlContext.Data.LoadFromTextFile<Digit>("digits.csv", separatorChar: ',', hasHeader: true);
        var split = mlContext.Data.TrainTestSplit(data, testFraction: 0.2);

        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: FeedbackRule.DirectFeedbackAlignment))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));

        var model = pipeline.Fit(split.TrainSet);
        var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(split.TestSet));
        mlContext.Model.Save(model, data.Schema, "digits.zip");
        return metrics;
    }

    private sealed class Digit
    {
        [LoadColumn(0, 63), VectorType(64)]
        public float[] Features { get; set; } = [];

        [LoadColumn(64)]
        public string Label { get; set; } = "";
    }
}
