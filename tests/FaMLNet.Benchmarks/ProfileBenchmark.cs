using System.Diagnostics;
using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tests.Training;
using Spectre.Console;

namespace FaMLNet.Benchmarks;

/// <summary>Where the time of a step goes, for the four reference cases; and what an epoch's metrics cost beside a step.</summary>
internal static class ProfileBenchmark
{
    public static void Run(int seconds)
    {
        Table table = new Table().AddColumns("case", "rule", "data", "forward", "backward", "update", "metrics of an epoch, in steps");
        foreach (FeedbackRule rule in new[] { FeedbackRule.Backpropagation, FeedbackRule.BatchwiseRandomSignConcordant,
            FeedbackRule.DirectFeedbackAlignment })
        {
            OptimizerOptions sgd = new OptimizerOptions.Sgd { WeightDecay = 1e-3f };
            Dense(table, "MLP 30-64-32-3, 64", new DenseLayout(NetworkDefinition.Mlp(64, 32), 30, 3), 64, 1);
            Dense(table, "MLP 784-500-500-10, 128", new DenseLayout(NetworkDefinition.Mlp(500, 500), 784, 10), 128, ThreadCount.Present);
            Graph(table, "LeNet, 64", new GraphLayout(NetworkDefinition.LeNet(), new ImageShape(1, 32, 32), 10), 64);
            Graph(table, "ResNet-20, 128", new GraphLayout(NetworkDefinition.ResNet(20), new ImageShape(3, 32, 32), 10), 128);

            void Dense(Table target, string name, DenseLayout layout, int batch, int threads)
            {
                using ThreadCount count = new(threads);
                using DenseChain network = new DenseChain(layout, Plans.Of(rule, 1)).With(sgd);
                Measure(target, name, rule, network, batch, seconds);
            }

            void Graph(Table target, string name, GraphLayout layout, int batch)
            {
                using GraphNetwork network = new GraphNetwork(layout, Plans.Of(rule, 1)).With(sgd);
                Measure(target, name, rule, network, batch, seconds);
            }
        }
        AnsiConsole.Write(table);
    }

    private static void Measure(Table table, string name, FeedbackRule rule, TrainingNetwork network, int batch, int seconds)
    {
        TrainingData data = new(network.Layout.Inputs, network.Layout.Outputs, batch);
        RandomGenerator random = new(1, "benchmark");
        for (int row = 0; row < batch; row++)
        {
            random.FillUniform(data.Next(), 0, 1);
            data.Commit(random.NextInt32(network.Layout.Outputs), null);
        }
        int[] rows = [.. Enumerable.Range(0, batch)];
        for (Stopwatch warm = Stopwatch.StartNew(); warm.Elapsed.TotalSeconds < 1;)
            network.Step(data, rows, 1e-4f);
        network.Clock = new StepClock();
        int steps = 0;
        Stopwatch watch = Stopwatch.StartNew();
        for (; watch.Elapsed.TotalSeconds < seconds; steps++)
            network.Step(data, rows, 1e-4f);
        double step = watch.Elapsed.TotalMilliseconds / steps;
        double metrics = Interleaved.Medians(5, 100, () =>
        {
            network.ComputeGradient(data, rows);
            Alignment.Measure(network);
        })[0] - Interleaved.Medians(5, 100, () => network.ComputeGradient(data, rows))[0];
        table.AddRow([name, rule.ShortName, .. Enum.GetValues<StepPhase>().Select(phase => $"{network.Clock.Share(phase):P0}"),
            $"{Math.Max(0, metrics) / step:F1}"]);
    }
}
