using FaMLNet.Persistence;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Tests.Robustness;

/// <summary>Models with random weights and statistics, for tests of what is done to models.</summary>
internal static class RandomModel
{
    public static FeedbackAlignmentMulticlassModelParameters Of(MLContext mlContext, NetworkLayout layout, FeedbackRule rule, int seed,
        float scale = 1) => new((Microsoft.ML.Runtime.IHostEnvironment)mlContext, Trained(layout, rule, seed, scale));

    public static TrainedNetwork Trained(NetworkLayout layout, FeedbackRule rule, int seed, float scale = 1)
    {
        RandomGenerator random = new(seed, "random model");
        float[] parameters = new float[layout.ParameterLength], statistics = new float[layout.StatisticsLength];
        foreach (ParameterSlice slice in layout.Parameters)
            random.FillNormal(slice.In(parameters.AsSpan()), 0, scale / MathF.Sqrt(slice.Shape.Length > 1 ? slice.Length / slice.Shape[0] : 4));
        foreach (ParameterSlice slice in layout.Scales)
            random.FillUniform(slice.In(parameters.AsSpan()), 0.5f, 1.5f);
        foreach (ParameterSlice slice in layout.Statistics)
            random.FillNormal(slice.In(statistics.AsSpan()), 0, 0.3f);
        foreach (ParameterSlice slice in layout.Variances)
            random.FillUniform(slice.In(statistics.AsSpan()), 0.5f, 2);
        int length = new FeedbackLayout(rule, layout).Length;
        float[] feedback = new float[length];
        random.FillNormal(feedback, 0, 0.3f);
        return new TrainedNetwork(layout, rule, parameters, statistics, feedback, []);
    }

    public static FeedbackAlignmentMulticlassTransformer Transformer(MLContext mlContext, FeedbackAlignmentMulticlassModelParameters model) =>
        new((Microsoft.ML.Runtime.IHostEnvironment)mlContext, model, View(mlContext, new float[1][] { new float[model.NumberOfFeatures] }, [0],
            model.NumberOfClasses).Schema, "Features", "Label");

    /// <summary>Rows with their labels as keys.</summary>
    public static IDataView View(MLContext mlContext, IReadOnlyList<float[]> rows, IReadOnlyList<int> labels, int classes)
    {
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Row));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Length);
        schema["Label"].ColumnType = new KeyDataViewType(typeof(uint), classes);
        return mlContext.Data.LoadFromEnumerable(rows.Zip(labels, (row, label) => new Row { Features = row, Label = (uint)label }).ToArray(), schema);
    }

    public static float[][] Rows(int count, int features, int seed, float low = 0, float high = 1)
    {
        RandomGenerator random = new(seed, "random rows");
        float[][] rows = new float[count][];
        for (int i = 0; i < count; i++)
            random.FillUniform(rows[i] = new float[features], low, high);
        return rows;
    }

    /// <summary>What the model sees in each row: labels for which all are right.</summary>
    public static int[] Predicted(MLContext mlContext, ITransformer model, IReadOnlyList<float[]> rows, int classes) =>
        [.. model.Transform(View(mlContext, rows, new int[rows.Count], classes)).GetColumn<uint>("PredictedLabel").Select(key => (int)key - 1)];

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public uint Label { get; set; }
    }
}
