using System.Diagnostics;
using FaMLNet.Computing.Dense;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tests.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace FaMLNet.Benchmarks;

/// <summary>Sparse rows: where they are faster than dense ones, by width and share; and a training that would not fit densely.</summary>
internal static class SparseBenchmark
{
    private const int Classes = 20;

    /// <summary>A step on sparse rows beside the same step on dense ones, Adam, batches of 32.</summary>
    public static void Steps(int rounds)
    {
        Console.WriteLine("| features | values that are not 0 | dense step, ms | sparse step, ms | dense / sparse |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        foreach ((int width, double share) in new[] { (100, 0.14), (256, 0.02), (256, 0.05), (256, 0.1), (256, 0.2), (1000, 0.02), (1000, 0.05),
            (1000, 0.1), (1000, 0.2), (10_000, 0.01), (10_000, 0.05) })
            Step(width, share, rounds);
    }

    /// <summary>Rows of 60 values, as a Zipf law gives them: what a fit takes.</summary>
    public static void Fit(int rows, int features, string rule)
    {
        MLContext mlContext = new(seed: 1);
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Row));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
        IDataView data = mlContext.Data.LoadFromEnumerable(Rows(rows, features), schema);
        Stopwatch watch = Stopwatch.StartNew();
        var model = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = FeedbackRule.Parse(rule),
                NumberOfEpochs = 5,
                Seed = 1,
            }).Fit(data);
        Console.WriteLine(FormattableString.Invariant($"{rows} rows of 60 values in {features} features, 5 epochs by {rule}: ")
            + FormattableString.Invariant($"{watch.Elapsed.TotalSeconds:0.0} s, peak memory {TextBenchmark.PeakMegabytes()} MB, ")
            + FormattableString.Invariant($"training accuracy {model.Model.History[^1].Accuracy:0.000}"));
        PredictionEngine<Row, Scores> engine = mlContext.Model.CreatePredictionEngine<Row, Scores>(model, inputSchemaDefinition: schema);
        Row[] asked = [.. Rows(2000, features)];
        Scores scores = new();
        double[] rounds = Interleaved.Medians(7, 1, () => Array.ForEach(asked, row => engine.Predict(row, ref scores)));
        Console.WriteLine(FormattableString.Invariant($"a row by a PredictionEngine {rounds[0] / asked.Length * 1000:0.0} µs"));
    }

    private static void Step(int width, double share, int rounds)
    {
        const int Batch = 32;
        RandomGenerator random = new(1, "sparse benchmark");
        TrainingData sparse = new(width, Classes, sparse: true), dense = new(width, Classes, Batch * 8);
        for (int row = 0; row < Batch * 8; row++)
        {
            int[] indices = [.. Enumerable.Range(0, width).Where(_ => random.NextSingle() < share)];
            float[] values = new float[indices.Length];
            random.FillUniform(values, 0.1f, 1);
            int label = random.NextInt32(Classes);
            sparse.Add(new SparseRow(indices, values), [label], null);
            sparse.CopyRow(row, dense.Next());
            dense.Commit(label, null);
        }
        int[] rows = [.. Enumerable.Range(0, sparse.Count)];
        SparseFeatures features = SparseFeatures.Of(sparse, rows);
        OptimizerOptions optimizer = new OptimizerOptions.Adam();
        using DenseChain onDense = new DenseChain(new DenseLayout(NetworkDefinition.Mlp(128, 64), width, Classes),
            Plans.Of(FeedbackRule.Backpropagation, 1)).With(optimizer), onSparse = new DenseChain(new DenseLayout(NetworkDefinition.Mlp(128, 64),
                width, Classes, features.ValuesPerRow), Plans.Of(FeedbackRule.Backpropagation, 1), features).With(optimizer);
        int threads = torch.get_num_threads(), step = 0;
        double[] medians = Interleaved.Medians(rounds, 40, Action(onDense, dense), Action(onSparse, sparse));
        torch.set_num_threads(threads);
        Console.WriteLine(FormattableString.Invariant(
            $"| {width} | {share:P0} | {medians[0]:0.000} | {medians[1]:0.000} | {medians[0] / medians[1]:0.0} |"));

        Action Action(DenseChain chain, TrainingData data) => () =>
        {
            torch.set_num_threads(ThreadCount.For(chain.Layout.WorkPerRow * Batch));
            chain.Step(data, rows.AsSpan(step++ % 8 * Batch, Batch), 1e-3f);
        };
    }

    /// <summary>A class draws a quarter of its words from words of its own, the others from all; frequent ones are few.</summary>
    private static IEnumerable<Row> Rows(int rows, int features)
    {
        RandomGenerator random = new(1, "sparse benchmark");
        for (int row = 0; row < rows; row++)
        {
            uint label = (uint)random.NextInt32(Classes);
            SortedSet<int> words = [];
            while (words.Count < 60)
            {
                int rank = (int)Math.Pow(features, random.NextSingle()) - 1;
                words.Add(words.Count < 15 ? (int)((rank * (long)Classes + label) % features) : (int)(rank * 7919L % features));
            }
            float value = 1 / MathF.Sqrt(60);
            yield return new Row { Features = new VBuffer<float>(features, 60, [.. words.Select(_ => value)], [.. words]), Label = label };
        }
    }

    private sealed class Scores
    {
        public float[] Score { get; set; } = [];
    }

    private sealed class Row
    {
        public VBuffer<float> Features { get; set; }

        [KeyType(Classes)]
        public uint Label { get; set; }
    }
}
