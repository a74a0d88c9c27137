using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace FaMLNet.Cli;

/// <summary>What lies before and behind a trainer: numbers completed and scaled, texts one-hot, label to key, key to label.</summary>
internal static class TablePipeline
{
    /// <summary>The pipeline of a table.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="data">What the columns are.</param>
    /// <param name="trainer">Reads Features and the label's key.</param>
    public static IEstimator<ITransformer> Create(MLContext mlContext, DataSource data, IEstimator<ITransformer> trainer) =>
        Prepare(mlContext, data).Append(trainer).Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));

    /// <summary>What lies before the trainer.</summary>
    public static IEstimator<ITransformer> Prepare(MLContext mlContext, DataSource data)
    {
        IEstimator<ITransformer> pipeline = mlContext.Transforms.Conversion.MapValueToKey(data.Label);
        string[] texts = [.. data.Texts.Select((_, index) => $"Text{index}")];
        foreach ((string text, string encoded) in data.Texts.Zip(texts))
            pipeline = pipeline.Append(mlContext.Transforms.Categorical.OneHotEncoding(encoded, text));
        // A row that lacks a number is trained on and predicted for with the mean of the others.
        if (data.Numbers.Count > 0)
            pipeline = pipeline.Append(mlContext.Transforms.ReplaceMissingValues([.. data.Numbers.Select(name => new InputOutputColumnPair(name))],
                MissingValueReplacingEstimator.ReplacementMode.Mean));
        return pipeline.Append(mlContext.Transforms.Concatenate("Features", [.. data.Numbers, .. texts]))
            .Append(mlContext.Transforms.NormalizeMeanVariance("Features"));
    }
}
