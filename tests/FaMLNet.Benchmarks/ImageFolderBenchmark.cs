using FaMLNet.Cli.Images;
using Microsoft.ML;

namespace FaMLNet.Benchmarks;

/// <summary>ResNet-20 on image files that are decoded while it trains, beside the same images in memory: samples a second.</summary>
internal static class ImageFolderBenchmark
{
    private const int Images = 12_800;

    public static void Run(string folder, int rounds)
    {
        MLContext mlContext = new(seed: 1);
        ImageArchive archive = ImageArchive.Open(folder, ImagePart.Train);
        IDataView data = mlContext.Data.TakeRows(archive.View(archive.Classes, archive.UsualSize(), seed: 1), Images);
        List<double> memory = [], streamed = [];
        for (int round = 0; round <= rounds; round++)
        {
            double one = Train(mlContext, data, DataCaching.InMemory), other = Train(mlContext, data, DataCaching.Streaming);
            if (round == 0)
                continue; // the first tries the kernels
            memory.Add(one);
            streamed.Add(other);
            Console.WriteLine($"samples/s: in memory {one:F0}, decoded while training {other:F0}: {other / one:P1}");
        }
        double[] ratios = [.. streamed.Zip(memory, (a, b) => a / b).Order()];
        Console.WriteLine($"median of the ratios over {rounds} rounds: {ratios[ratios.Length / 2]:P1}");
    }

    private static double Train(MLContext mlContext, IDataView data, DataCaching caching) =>
        mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = FeedbackRule.DirectFeedbackAlignment, // the fastest, which waits least
            Network = NetworkDefinition.ResNet(20),
            NumberOfEpochs = 2,
            BatchSize = 128,
            DataCaching = caching,
            Augmentation = Augmentation.RandomCrop(4).Then(Augmentation.HorizontalFlip()),
            Diagnostics = LayerDiagnostics.None,
            Seed = 1,
        }).Fit(data).Model.History[^1].SamplesPerSecond;
}
