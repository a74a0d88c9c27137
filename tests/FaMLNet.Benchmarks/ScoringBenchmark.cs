using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Benchmarks;

/// <summary>
/// LeNet's scores of 10,000 images: a whole view by a fitted and by a loaded model, row by row, and by a bare TorchSharp loop over the same
/// memory.
/// </summary>
internal static class ScoringBenchmark
{
    /// <param name="folder">IDX files of MNIST or Fashion-MNIST.</param>
    /// <param name="rounds">Turns of each.</param>
    public static void Run(string folder, int rounds)
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = mlContext.Data.Cache(IdxSet.Test(mlContext, folder));
        float[][] images = [.. data.GetColumn<float[]>("Features")];
        ITransformer fitted = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = FeedbackRule.Backpropagation,
            Network = NetworkDefinition.LeNet(),
            NumberOfEpochs = 1,
            BatchSize = 64,
        }).Fit(data);
        using MemoryStream zip = new();
        mlContext.Model.Save(fitted, data.Schema, zip);
        ITransformer loaded = mlContext.Model.Load(zip, out _);
        using nn.Module<Tensor, Tensor> bare = StockConvolution.LeNet();
        bare.eval();
        using PredictionEngine<Image, Prediction> engine = mlContext.Model.CreatePredictionEngine<Image,
            Prediction>(fitted, new PredictionEngineOptions { OwnsTransformer = false });
        Image image = new();
        Prediction prediction = new();
        double[] medians = Interleaved.Medians(rounds, 1500, () => Read(fitted.Transform(data)), () => Read(loaded.Transform(data)), () =>
        {
            foreach (float[] pixels in images)
            {
                image.Features = pixels;
                engine.Predict(image, ref prediction);
            }
        }, () => Bare(bare, images));
        Table table = new Table().Title($"{images.Length} images through LeNet").AddColumns("way", "ms", "times the bare loop's time");
        foreach ((string name, double time) in new[] { "view, fitted model", "view, loaded model", "PredictionEngine, row by row",
            "bare TorchSharp, batches of 256" }.Zip(medians))
            table.AddRow(name, $"{time:F0}", $"{time / medians[3]:F2}");
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"A loaded model takes {medians[1] / medians[0]:F2} times the fitted one's time; a view is "
            + $"{medians[2] / medians[0]:F1} times as fast as a PredictionEngine.");
    }

    private static void Read(IDataView scored)
    {
        using DataViewRowCursor cursor = scored.GetRowCursor([scored.Schema["Score"]]);
        ValueGetter<VBuffer<float>> getter = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
        VBuffer<float> scores = default;
        while (cursor.MoveNext())
            getter(ref scores);
    }

    private static void Bare(nn.Module<Tensor, Tensor> network, float[][] images)
    {
        const int Batch = 256;
        using IDisposable grad = no_grad();
        float[] buffer = new float[Batch * 784], scores = new float[Batch * 10];
        for (int from = 0; from < images.Length; from += Batch)
        {
            using DisposeScope scope = NewDisposeScope();
            int count = Math.Min(Batch, images.Length - from);
            for (int i = 0; i < count; i++)
                images[from + i].CopyTo(buffer, i * 784);
            Tensor x = nn.functional.pad(tensor(buffer, [Batch, 1, 28, 28]).sub(0.13f).div(0.31f), [2, 2, 2, 2]);
            Tensor y = nn.functional.softmax(network.call(x), 1);
            MemoryMarshal.Cast<byte, float>(y.bytes).CopyTo(scores);
        }
    }

    private sealed class Image
    {
        [VectorType(1, 28, 28)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
