using FaMLNet.Computing.Dense;
using FaMLNet.Rows;
using FaMLNet.Tests.Training;
using Spectre.Console;
using TorchSharp;

namespace FaMLNet.Benchmarks;

/// <summary>Training steps a second of every rule beside the stock loop, for dense networks.</summary>
internal static class StepBenchmark
{
    public static void Run(int rounds)
    {
        Run([30, 64, 32, 3], 64, 1, rounds);
        Run([64, 128, 64, 10], 64, 1, rounds);
        Run([784, 500, 500, 10], 128, 2, rounds);
    }

    private static void Run(int[] sizes, int batch, int threads, int rounds)
    {
        int stockThreads = torch.get_num_threads();
        DenseLayout layout = new(NetworkDefinition.Mlp(sizes[1..^1]), sizes[0], sizes[^1]);
        TrainingData data = RandomData(sizes[0], sizes[^1], batch * 8);
        int[] order = [.. Enumerable.Range(0, data.Count)];
        OptimizerOptions optimizer = new OptimizerOptions.Sgd { Momentum = 0.9f, WeightDecay = 1e-3f };
        using StockLoop stock = new(sizes, batch);
        DenseChain[] chains = [.. FeedbackRule.All.Select(rule => new DenseChain(layout, Plans.Of(rule, 1)).With(optimizer))];
        List<Action> actions = [() => { torch.set_num_threads(stockThreads); stock.Step(); }];
        foreach (DenseChain chain in chains)
        {
            int batchIndex = 0;
            actions.Add(() =>
            {
                torch.set_num_threads(threads);
                chain.Step(data, order.AsSpan(batchIndex++ % 8 * batch, batch), 0.01f);
            });
        }
        double[] medians = Interleaved.Medians(rounds, 40, [.. actions]);
        torch.set_num_threads(stockThreads);
        Table table = new Table().Title($"MLP {string.Join('-', sizes)}, batch {batch}").AddColumns("step", "ms", "times stock");
        table.AddRow("stock TorchSharp BP", $"{medians[0]:F4}", "1.00");
        for (int i = 0; i < chains.Length; i++)
            table.AddRow(FeedbackRule.All[i].ShortName, $"{medians[i + 1]:F4}", $"{medians[0] / medians[i + 1]:F2}");
        AnsiConsole.Write(table);
        foreach (DenseChain chain in chains)
            chain.Dispose();
    }

    private static TrainingData RandomData(int features, int classes, int rows)
    {
        TrainingData data = new(features, classes, rows);
        RandomGenerator random = new(1, "benchmark");
        for (int row = 0; row < rows; row++)
        {
            random.FillNormal(data.Next(), 0, 1);
            data.Commit(random.NextInt32(classes), null);
        }
        return data;
    }
}
