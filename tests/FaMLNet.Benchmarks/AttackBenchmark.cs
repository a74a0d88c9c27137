using System.Diagnostics;
using System.Text.Json;
using FaMLNet.Tests.Robustness;
using Microsoft.ML;
using Spectre.Console;

namespace FaMLNet.Benchmarks;

/// <summary>What attacks cost, beside a training epoch over as many images and beside a plain PyTorch loop, in turn.</summary>
internal static class AttackBenchmark
{
    private const int Images = 10_000;
    private const float Epsilon = 8 / 255f;

    public static void Run(string folder, int rounds)
    {
        MLContext mlContext = new(seed: 1);
        IDataView train = mlContext.Data.LoadFromIdx(PyTorchAttacks.FileOf(folder, "train-images-idx3"), PyTorchAttacks.FileOf(folder,
            "train-labels-idx1"), null);
        IDataView test = mlContext.Data.LoadFromIdx(PyTorchAttacks.FileOf(folder, "t10k-images-idx3"), PyTorchAttacks.FileOf(folder,
            "t10k-labels-idx1"), null);
        FeedbackAlignmentMulticlassTransformer model = Fit(mlContext, train, epochs: 2);
        IDataView part = mlContext.Data.Cache(mlContext.Data.TakeRows(train, Images));
        string exchange = Directory.CreateTempSubdirectory("famlnet-attacks").FullName;
        try
        {
            PyTorchAttacks.Export(mlContext, model, mlContext.Data.TakeRows(test, Images), exchange, Epsilon, steps: 10, batch: 64);
            List<double> epochs = [], fgsm = [], pgd = [], theirFgsm = [], theirPgd = [];
            string? python = null;
            for (int round = 0; round <= rounds; round++)
            {
                Stopwatch watch = Stopwatch.StartNew();
                Fit(mlContext, part, epochs: 1);
                double one = watch.Elapsed.TotalSeconds;
                watch.Restart();
                Fit(mlContext, part, epochs: 3);
                double three = watch.Elapsed.TotalSeconds;
                RobustnessReport report = mlContext.MulticlassClassification.EvaluateRobustness(model, test,
                    [Attack.Fgsm(Epsilon), Attack.Pgd(Epsilon, steps: 10)]);
                JsonElement? theirs = PyTorchAttacks.Run(exchange, Environment.ProcessorCount, "single", out python);
                if (round == 0)
                    continue; // warm-up
                epochs.Add((three - one) / 2);
                fgsm.Add(report.Results[0].Seconds);
                pgd.Add(report.Results[1].Seconds);
                if (theirs is { } found)
                {
                    theirFgsm.Add(found.GetProperty("fgsmSeconds").GetDouble());
                    theirPgd.Add(found.GetProperty("pgdSeconds").GetDouble());
                }
            }
            RobustnessReport square = mlContext.MulticlassClassification.EvaluateRobustness(model, test, [Attack.Square(Epsilon)],
                new RobustnessOptions { MaximumRows = 1000 });
            Table table = new Table().AddColumns("LeNet on 10,000 images", "seconds", "ratio");
            double epoch = Interleaved.Median([.. epochs]), own = Interleaved.Median([.. fgsm]), steps = Interleaved.Median([.. pgd]);
            table.AddRow("training epoch, backpropagation", $"{epoch:F2}", "");
            table.AddRow("FGSM", $"{own:F2}", $"{own / epoch:F2} of an epoch");
            table.AddRow("PGD, 10 steps", $"{steps:F2}", $"{steps / own:F2} of FGSM");
            if (theirFgsm.Count == 0)
                AnsiConsole.WriteLine("PyTorch is not there, so nothing is compared with it. On Debian: apt-get install python3-torch "
                    + "libopenblas0-pthread.");
            else
            {
                table.AddRow($"FGSM in plain PyTorch ({python})", $"{Interleaved.Median([.. theirFgsm]):F2}",
                    $"{Interleaved.Median([.. theirFgsm]) / own:F2} of ours");
                table.AddRow("PGD, 10 steps, in plain PyTorch", $"{Interleaved.Median([.. theirPgd]):F2}",
                    $"{Interleaved.Median([.. theirPgd]) / steps:F2} of ours");
            }
            table.AddRow("Square, up to 1,000 queries, 1,000 images", $"{square.Results[0].Seconds:F1}",
                $"{square.Results[0].ForwardQueries:#,0} queries");
            AnsiConsole.Write(table);
        }
        finally
        {
            Directory.Delete(exchange, recursive: true);
        }
    }

    private static FeedbackAlignmentMulticlassTransformer Fit(MLContext mlContext, IDataView data, int epochs) =>
        mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = FeedbackRule.Backpropagation,
            Network = NetworkDefinition.LeNet(),
            NumberOfEpochs = epochs,
            BatchSize = 64,
            Diagnostics = LayerDiagnostics.None,
        }).Fit(data);
}
