using FaMLNet.Computing;
using FaMLNet.Computing.Graph;
using FaMLNet.Rows;
using FaMLNet.Tests.Training;
using Spectre.Console;

namespace FaMLNet.Benchmarks;

/// <summary>Training steps a second of every rule beside the stock loop, for LeNet and ResNet-20, with page faults a step.</summary>
internal static class ConvolutionBenchmark
{
    public static void Run(int rounds)
    {
        Run("LeNet", NetworkDefinition.LeNet(), StockConvolution.LeNet, new ImageShape(1, 32, 32), 64, rounds, 100);
        Run("ResNet-20", NetworkDefinition.ResNet(20), StockConvolution.ResNet20, new ImageShape(3, 32, 32), 128, Math.Max(3, rounds / 3), 300);
    }

    private static void Run(string name, SequentialDefinition network, Func<TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor,
        TorchSharp.torch.Tensor>> module, ImageShape shape, int batch, int rounds, double turn)
    {
        GraphLayout layout = new(network, shape, 10);
        TrainingData data = new(shape.Length, 10, batch * 4);
        RandomGenerator random = new(1, "benchmark");
        for (int row = 0; row < batch * 4; row++)
        {
            random.FillUniform(data.Next(), 0, 1);
            data.Commit(random.NextInt32(10), null);
        }
        int[] order = [.. Enumerable.Range(0, data.Count)];
        using StockConvolution stock = new(module(), batch, shape);
        List<Action> actions = [stock.Step];
        List<TrainingNetwork> networks = [];
        foreach (FeedbackRule rule in FeedbackRule.All)
        {
            TrainingNetwork training = new GraphNetwork(layout, Plans.Of(rule, 1)).With(new OptimizerOptions.Sgd
            {
                Momentum = 0.9f,
                WeightDecay = 1e-3f
            });
            networks.Add(training);
            int next = 0;
            actions.Add(() => training.Step(data, order.AsSpan(next++ % 4 * batch, batch), 0.001f));
        }
        double[] medians = Interleaved.Medians(rounds, turn, [.. actions]);
        Table table = new Table().Title($"{name}, batch {batch}").AddColumns("step", "ms", "times stock", "page faults a step");
        for (int i = 0; i < actions.Count; i++)
            table.AddRow(i == 0 ? "stock TorchSharp BP" : FeedbackRule.All[i - 1].ShortName, $"{medians[i]:F3}", $"{medians[0] / medians[i]:F2}",
                $"{PageFaults(actions[i]):F0}");
        AnsiConsole.Write(table);
        networks.ForEach(training => training.Dispose());
    }

    /// <summary>Minor page faults a call, where the system tells (Linux).</summary>
    private static double PageFaults(Action action)
    {
        for (int i = 0; i < 30; i++)
            action();
        long before = MinorFaults();
        for (int i = 0; i < 20; i++)
            action();
        return (MinorFaults() - before) / 20.0;
    }

    private static long MinorFaults() => File.Exists("/proc/self/stat")
        ? long.Parse(File.ReadAllText("/proc/self/stat").Split(' ')[9], System.Globalization.CultureInfo.InvariantCulture) : 0;
}
