using FaMLNet.Cli.Tables;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace FaMLNet.Cli;

/// <summary>
/// What lies before and behind a trainer: numbers completed and scaled, texts one-hot, sentences as counts of what is in them, the label and the
/// prediction as the task has them.
/// </summary>
internal static class TablePipeline
{
    /// <summary>The pipeline of a table.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="data">What the columns are.</param>
    /// <param name="trainer">Reads Features and the label as its task has it.</param>
    public static IEstimator<ITransformer> Create(MLContext mlContext, DataSource data, IEstimator<ITransformer> trainer)
    {
        IEstimator<ITransformer> pipeline = Prepare(mlContext, data).Append(trainer);
        return data.Task.Kind switch
        {
            TaskKind.Multiclass => pipeline.Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")),
            TaskKind.Binary => pipeline.Append(mlContext.Transforms.Conversion.MapValue("PredictedLabel",
                new Dictionary<bool, string> { [false] = data.Task.False, [true] = data.Task.True })),
            _ => pipeline,
        };
    }

    /// <summary>What lies before the trainer.</summary>
    public static IEstimator<ITransformer> Prepare(MLContext mlContext, DataSource data)
    {
        EstimatorChain<ITransformer> pipeline = new();
        if (data.Task.Kind == TaskKind.Multiclass)
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Conversion.MapValueToKey(data.Label));
        else if (data.Task.Kind == TaskKind.Binary)
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Conversion.MapValue(data.Label,
                new Dictionary<string, bool> { [data.Task.False] = false, [data.Task.True] = true }));
        string[] texts = [.. data.Texts.Select((_, index) => $"Text{index}")];
        foreach ((string text, string encoded) in data.Texts.Zip(texts))
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Categorical.OneHotEncoding(encoded, text));
        // A row that lacks a number is trained on and predicted for with the mean of the others.
        if (data.Numbers.Count > 0)
        {
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.ReplaceMissingValues(
                [.. data.Numbers.Select(name => new InputOutputColumnPair(name))], MissingValueReplacingEstimator.ReplacementMode.Mean));
        }
        string[] plain = [.. data.Numbers, .. texts];
        if (data.Prose.Count == 0)
            return pipeline.Append<ITransformer>(mlContext.Transforms.Concatenate("Features", plain))
                .Append<ITransformer>(mlContext.Transforms.NormalizeMeanVariance("Features"));
        // A sentence's features have unit length already; scaled one by one, rare words would drown the others.
        if (plain.Length > 0)
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Concatenate("Plain", plain))
                .Append<ITransformer>(mlContext.Transforms.NormalizeMeanVariance("Plain"));
        string[] sentences = [.. data.Prose.Select((_, index) => $"Sentences{index}")];
        foreach ((string column, string counted) in data.Prose.Zip(sentences))
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Text.FeaturizeText(counted, column));
        string[] all = plain.Length > 0 ? ["Plain", .. sentences] : sentences;
        return pipeline.Append<ITransformer>(mlContext.Transforms.Concatenate("Features", all));
    }
}
