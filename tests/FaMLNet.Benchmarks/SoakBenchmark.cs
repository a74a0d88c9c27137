using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace FaMLNet.Benchmarks;

/// <summary>Short trainings one after the other for a long time: does memory stay flat? And predictions by many threads: are they right?</summary>
internal static class SoakBenchmark
{
    private static readonly NetworkDefinition[] Networks =
    [
        NetworkDefinition.Mlp(64, 32) with { Dropout = 0.1f, Normalization = Normalization.Batch },
        NetworkDefinition.Sequential(new Layer.Conv2d(6, 3), new Layer.Activate(Activation.ReLU), new Layer.MaxPool2d(2), new Layer.Flatten(),
            new Layer.Dense()),
        NetworkDefinition.Sequential(new Layer.Conv2d(16, 3) { Padding = 1 }, new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU),
            new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense()),
    ];

    public static void Run(double minutes)
    {
        MLContext mlContext = new(seed: 1);
        IDataView raw = mlContext.Data.CreateTextLoader([new("Features", DataKind.Single, 0, 63), new("Label", DataKind.String, 64)],
            separatorChar: ',', hasHeader: true)
            .Load(Path.Combine(AppContext.BaseDirectory, "digits.csv"));
        IDataView data = mlContext.Data.Cache(mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.Transforms.NormalizeMinMax("Features")).Fit(raw).Transform(raw));
        Stopwatch watch = Stopwatch.StartNew();
        Console.WriteLine("minutes  trainings  resident MB  managed MB  live tensors");
        int trainings = 0, reports = 0;
        ITransformer? last = null;
        while (watch.Elapsed.TotalMinutes < minutes)
        {
            FeedbackRule rule = FeedbackRule.All[trainings % 6];
            // A context of its own, as a service has one a request: ML.NET's contexts remember every child host that they ever made.
            last = new MLContext(seed: 1).MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = rule,
                Network = Networks[trainings / 6 % Networks.Length],
                NumberOfEpochs = 2,
                BatchSize = 64,
                ValidationFraction = 0.1,
                DataCaching = trainings % 5 == 0 ? DataCaching.Streaming : DataCaching.InMemory,
            }).Fit(data);
            trainings++;
            if (watch.Elapsed.TotalMinutes >= minutes * reports / 12)
            {
                Report(watch, trainings);
                reports++;
            }
        }
        Report(watch, trainings);
        Predict(mlContext, last!, data, Math.Min(1, minutes / 5));
    }

    private static void Report(Stopwatch watch, int trainings)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using Process process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{watch.Elapsed.TotalMinutes,7:F1}  {trainings,9}  {process.WorkingSet64 / 1e6,11:F0}  "
            + $"{GC.GetTotalMemory(true) / 1e6,10:F1}  {torch.Tensor.TotalCount,12}"));
    }

    private static void Predict(MLContext mlContext, ITransformer trained, IDataView data, double minutes)
    {
        using MemoryStream zip = new();
        mlContext.Model.Save(trained, data.Schema, zip);
        ITransformer model = new MLContext().Model.Load(zip, out _);
        Row[] rows = [.. mlContext.Data.CreateEnumerable<Row>(mlContext.Data.TakeRows(data, 200), reuseRowObject: false)];
        float[][] expected = [.. model.Transform(mlContext.Data.TakeRows(data, 200)).GetColumn<float[]>("Score")];
        long predictions = 0, wrong = 0;
        Stopwatch watch = Stopwatch.StartNew();
        Thread[] threads = [.. Enumerable.Range(0, 32).Select(index => new Thread(() =>
        {
            using PredictionEngine<Row, Prediction> engine = new MLContext().Model.CreatePredictionEngine<Row, Prediction>(model);
            for (int i = index; watch.Elapsed.TotalMinutes < minutes; i++)
            {
                float[] scores = engine.Predict(rows[i % rows.Length]).Score;
                if (scores.Zip(expected[i % rows.Length]).Any(pair => Math.Abs(pair.First - pair.Second) > 1e-5))
                    Interlocked.Increment(ref wrong);
                Interlocked.Increment(ref predictions);
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Console.WriteLine($"{predictions} predictions by 32 threads from one loaded model in {watch.Elapsed.TotalSeconds:F0} s, {wrong} wrong");
    }

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
