using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Benchmarks;

/// <summary>Training from a file larger than the memory that it takes: peak memory, and samples a second beside rows in memory.</summary>
internal static class StreamingBenchmark
{
    private const int Width = 100, Classes = 5;

    public static void Run(int rows, string hidden)
    {
        int[] units = [.. hidden.Split(',').Select(text => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];
        string path = Path.Combine(Path.GetTempPath(), $"famlnet-streaming-{rows}.idv");
        MLContext mlContext = new(seed: 1);
        if (!File.Exists(path))
        {
            using (FileStream file = File.Create(path + ".tmp"))
                mlContext.Data.SaveAsBinary(mlContext.Data.LoadFromEnumerable(Rows(rows)), file);
            File.Move(path + ".tmp", path);
        }
        Console.WriteLine($"{rows} rows of {Width} features, {4L * rows * Width / 1e6:F0} MB of floats, in a file of "
            + $"{new FileInfo(path).Length / 1e6:F0} MB; Mlp({hidden}), batches of 64");
        IDataView data = mlContext.Data.LoadFromBinary(path);
        List<double> streamed = [], memory = [];
        streamed.Add(Train(mlContext, data, units, DataCaching.Streaming, out double seconds));
        using Process process = Process.GetCurrentProcess();
        process.Refresh();
        Console.WriteLine($"peak memory of the process after streaming: {process.PeakWorkingSet64 / 1e6:F0} MB; Fit took {seconds:F1} s, the first "
            + $"reading included");
        for (int round = 0; round < 3; round++)
        {
            memory.Add(Train(mlContext, data, units, DataCaching.InMemory, out _));
            streamed.Add(Train(mlContext, data, units, DataCaching.Streaming, out _));
        }
        memory.Sort();
        streamed.Sort();
        double ratio = streamed[streamed.Count / 2] / memory[memory.Count / 2];
        Console.WriteLine($"samples/s, medians: in memory {memory[memory.Count / 2]:F0}, streamed {streamed[streamed.Count / 2]:F0}: {ratio:P0}");
    }

    private static double Train(MLContext mlContext, IDataView data, int[] units, DataCaching caching, out double seconds)
    {
        Stopwatch watch = Stopwatch.StartNew();
        var model = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = FeedbackRule.Backpropagation,
            Network = NetworkDefinition.Mlp(units),
            NumberOfEpochs = 2,
            BatchSize = 64,
            DataCaching = caching,
            Diagnostics = LayerDiagnostics.None,
        }).Fit(data);
        seconds = watch.Elapsed.TotalSeconds;
        return model.Model.History[^1].SamplesPerSecond;
    }

    private static IEnumerable<Row> Rows(int count)
    {
        RandomGenerator random = new(1, "rows");
        Row row = new() { Features = new float[Width] };
        for (int i = 0; i < count; i++)
        {
            random.FillUniform(row.Features, -1, 1);
            row.Label = (uint)random.NextInt32(Classes);
            yield return row;
        }
    }

    private sealed class Row
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        [KeyType(Classes)]
        public uint Label { get; set; }
    }
}
