using FaMLNet.Computing.Dense;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks;
using FaMLNet.Tests.Training;
using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Spectre.Console;

namespace FaMLNet.Benchmarks;

/// <summary>A whole Fit through ML.NET, an epoch beside its bare steps, a PredictionEngine's row, and the reading of features.</summary>
internal static class FitBenchmark
{
    private static readonly string Digits = Path.Combine(AppContext.BaseDirectory, "digits.csv");

    public static void Run(int rounds)
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Load(mlContext);
        ITransformer before = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Fit(data);
        IDataView cached = mlContext.Data.Cache(before.Transform(data));
        Table table = new Table().Title("digits, MLP 64-128-64-10, 40 epochs of batch 64")
            .AddColumns("rule", "Fit, ms", "of it one epoch, ms", "bare steps of an epoch, ms", "epoch / steps");
        foreach (FeedbackRule rule in FeedbackRule.All)
        {
            FeedbackAlignmentMulticlassTrainer trainer = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
                new FeedbackAlignmentMulticlassTrainer.Options
                {
                    Rule = rule,
                    Network = NetworkDefinition.Mlp(128, 64),
                    NumberOfEpochs = 40,
                    BatchSize = 64,
                    Seed = 1
                });
            (double fit, double epoch, double steps) = Measure(trainer, cached, rule, rounds);
            table.AddRow(rule.ShortName, $"{fit:F0}", $"{epoch:F2}", $"{steps:F2}", $"{epoch / steps:F2}");
        }
        AnsiConsole.Write(table);
        Predict(mlContext, before, data, rounds);
        Read(mlContext, rounds);
    }

    private static (double Fit, double Epoch, double Steps) Measure(FeedbackAlignmentMulticlassTrainer trainer, IDataView data, FeedbackRule rule,
        int rounds)
    {
        const int Epochs = 40;
        DenseLayout layout = new(NetworkDefinition.Mlp(128, 64), 64, 10);
        TrainingData rows = new(64, 10, 1797);
        RandomGenerator random = new(1, "benchmark");
        for (int row = 0; row < 1797; row++)
        {
            random.FillUniform(rows.Next(), -1, 1);
            rows.Commit(random.NextInt32(10), null);
        }
        int[] order = [.. Enumerable.Range(0, rows.Count)];
        RandomGenerator shuffle = new(1, "shuffle");
        using ThreadCount threads = new(1);
        using DenseChain chain = new DenseChain(layout, Plans.Of(rule, 1)).With(new OptimizerOptions.Adam());
        using InMemoryRows source = new(rows);
        TrainingRequest request = new()
        {
            Task = new MulticlassTask(),
            Rule = rule,
            Network = layout.Network,
            DefaultOptimizer = new OptimizerOptions.Adam(),
            InitialWeightScale = 1,
            FeedbackScale = 1,
            NumberOfEpochs = Epochs,
            BatchSize = 64,
            Seed = 1,
            Diagnostics = LayerDiagnostics.Alignment,
            CenterFeatures = false,
        };
        // The bare steps take their rows in random order as an epoch does: how rows lie in memory is not what is compared.
        double[] medians = Interleaved.Medians(rounds, 300,
            () => trainer.Fit(data),
            () => Trainings.Run(request, source),
            () =>
            {
                for (int epoch = 0; epoch < Epochs; epoch++)
                {
                    shuffle.Shuffle(order);
                    for (int from = 0; from < order.Length; from += 64)
                        chain.Step(rows, order.AsSpan(from, Math.Min(64, order.Length - from)), 0.001f);
                }
            });
        return (medians[0], medians[1] / Epochs, medians[2] / Epochs);
    }

    private static void Predict(MLContext mlContext, ITransformer before, IDataView data, int rounds)
    {
        var trainer = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(network: NetworkDefinition.Mlp(128), numberOfEpochs: 1);
        ITransformer model = trainer.Fit(before.Transform(data));
        using PredictionEngine<Row, Prediction> engine = mlContext.Model.CreatePredictionEngine<Row, Prediction>(model);
        Row row = new() { Features = [.. Enumerable.Range(0, 64).Select(i => i / 64f)] };
        Prediction prediction = new();
        double[] medians = Interleaved.Medians(rounds, 200, () =>
        {
            for (int i = 0; i < 1000; i++)
                engine.Predict(row, ref prediction);
        });
        AnsiConsole.WriteLine($"PredictionEngine, MLP 64-128-10: {medians[0]:F2} µs a row");
    }

    private static void Read(MLContext mlContext, int rounds)
    {
        foreach ((int rows, int features) in new[] { (20_000, 784), (200_000, 64) })
        {
            Row[] source = [.. Enumerable.Range(0, 1000)
                .Select(i => new Row { Features = [.. Enumerable.Range(0, features).Select(j => (float)(i + j))], Label = (uint)(i % 3) })];
            SchemaDefinition schema = SchemaDefinition.Create(typeof(Row));
            schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
            IDataView cached = mlContext.Data.Cache(
                mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(i => source[i % 1000]), schema));
            _ = cached.GetColumn<float[]>("Features").Count();
            _ = cached.GetColumn<uint>("Label").Count();
            using IChannel channel = ((IHostEnvironment)mlContext).Start("benchmark");
            double[] medians = Interleaved.Medians(rounds, 200, () =>
                TrainingDataReader.Read(cached, cached.Schema["Features"], cached.Schema["Label"], null, channel, () => { }));
            AnsiConsole.WriteLine(
                $"Reading {rows} rows of {features} features from a cached view: {4.0 * rows * features / 1e3 / medians[0]:F0} MB/s of float data");
        }
    }

    private static IDataView Load(MLContext mlContext) => mlContext.Data.CreateTextLoader(
        [new("Features", DataKind.Single, 0, 63), new("Label", DataKind.String, 64)], separatorChar: ',', hasHeader: true).Load(Digits);

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint Label { get; set; }
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];

        public uint PredictedLabel { get; set; }
    }
}
