using FaMLNet.Cli.Tables;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Pipelines;

/// <summary>The pipeline of a table: what lies before and behind its trainer.</summary>
internal static class TablePipeline
{
    /// <summary>The whole pipeline.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="data">The table's columns.</param>
    /// <param name="trainer">Reads Features and the label as its task has it.</param>
    /// <param name="say">Receives what the preparation of the features decides; null for nobody.</param>
    public static IEstimator<ITransformer> Create(MLContext mlContext, DataSource data, IEstimator<ITransformer> trainer,
        Action<string>? say = null)
    {
        IEstimator<ITransformer> pipeline = Prepare(mlContext, data, say).Append(trainer);
        if (data.Task.HasSeveral)
            return pipeline;
        return data.Task.Kind switch
        {
            TaskKind.Multiclass => pipeline.Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")),
            TaskKind.Binary => pipeline.Append(mlContext.Transforms.Conversion.MapValue("PredictedLabel",
                new Dictionary<bool, string> { [false] = data.Task.False, [true] = data.Task.True })),
            _ => pipeline,
        };
    }

    /// <summary>The part before the trainer: the label as the task has it, and the features.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="data">The table's columns.</param>
    /// <param name="say">Receives what the preparation of the features decides; null for nobody.</param>
    public static IEstimator<ITransformer> Prepare(MLContext mlContext, DataSource data, Action<string>? say = null)
    {
        EstimatorChain<ITransformer> pipeline = new();
        if (data.Task.HasSeveral)
        {
            foreach (LabelPart part in data.Task.Parts.Where(part => part.Task.Kind == TaskKind.Binary))
                pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Conversion.MapValue(part.Name,
                    new Dictionary<string, bool> { [part.Task.False] = false, [part.Task.True] = true }));
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Concatenate(data.Label, [.. data.Task.Parts.Select(part => part.Name)]));
        }
        else if (data.Task.Kind == TaskKind.Multiclass)
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Conversion.MapValueToKey(data.Label));
        else if (data.Task.Kind == TaskKind.Binary)
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Conversion.MapValue(data.Label,
                new Dictionary<string, bool> { [data.Task.False] = false, [data.Task.True] = true }));
        List<string> groups = [];
        if (data.Numbers.Count > 0)
        {
            pipeline = pipeline.Append<ITransformer>(new NumberScaling(mlContext, data.Numbers, say ?? (_ => { })));
            groups.Add(ColumnNames.Numbers);
        }
        if (data.Texts.Count > 0)
        {
            // Each in its own place, so that the features are called after the table's columns.
            foreach (string text in data.Texts)
                pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Categorical.OneHotEncoding(text));
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Concatenate(ColumnNames.Categories, [.. data.Texts]))
                .Append<ITransformer>(mlContext.Transforms.NormalizeMeanVariance(ColumnNames.Categories));
            groups.Add(ColumnNames.Categories);
        }
        // A sentence's features have unit length already; scaled one by one, rare words would drown the others.
        foreach (string sentences in data.Prose)
            pipeline = pipeline.Append<ITransformer>(mlContext.Transforms.Text.FeaturizeText(sentences, sentences));
        groups.AddRange(data.Prose);
        return pipeline.Append<ITransformer>(mlContext.Transforms.Concatenate(ColumnNames.Features, [.. groups]));
    }
}
