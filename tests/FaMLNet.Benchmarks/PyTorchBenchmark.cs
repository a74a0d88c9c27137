using System.Diagnostics;
using System.Globalization;
using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tests.Training;
using Spectre.Console;

namespace FaMLNet.Benchmarks;

/// <summary>Training steps beside PyTorch's, in turn: while one process computes, the other waits.</summary>
internal static class PyTorchBenchmark
{
    public static void Run(int rounds)
    {
        using Process? python = Start();
        if (python == null)
            return;
        Table table = new Table().AddColumns("case", "PyTorch BP, ms", "BP, ms", "DFA, ms", "BP / PyTorch", "DFA / PyTorch");
        Compare(table, python, rounds, "MLP 30-64-32-3, 64", ["mlp-small 1", "mlp-small 2"], 64, 1, rule => Dense(rule, 30, 3, 64, 32));
        Compare(table, python, rounds, "MLP 784-500-500-10, 128", ["mlp-large 1", "mlp-large 2"], 128, ThreadCount.Present, rule =>
            Dense(rule, 784, 10, 500, 500));
        Compare(table, python, rounds, "LeNet, 64", ["lenet 1", "lenet 2"], 64, ThreadCount.Present, rule =>
            Graph(rule, NetworkDefinition.LeNet(), new ImageShape(1, 32, 32)));
        Compare(table, python, rounds, "ResNet-20, 128", ["resnet20 2", "resnet20-channels-last 2"], 128, ThreadCount.Present, rule =>
            Graph(rule, NetworkDefinition.ResNet(20), new ImageShape(3, 32, 32)));
        AnsiConsole.Write(table);
        python.StandardInput.Close();
        python.WaitForExit();
    }

    private static Process? Start()
    {
        string script = Path.Combine(AppContext.BaseDirectory, "pytorch_steps.py");
        foreach (string command in new[] { Environment.GetEnvironmentVariable("FAMLNET_PYTHON") ?? "/usr/bin/python3", "python3" })
        {
            try
            {
                ProcessStartInfo start = new(command, [script])
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true
                };
                start.Environment.Remove("OPENBLAS_CORETYPE"); // some machines set an older processor's, which slows PyTorch
                Process process = Process.Start(start)!;
                if (process.StandardOutput.ReadLine()?.Split('|') is ["ready", var version, var blas])
                {
                    AnsiConsole.WriteLine($"PyTorch {version} by {command}, matrix products by {blas}");
                    if (!blas.Contains("reference", StringComparison.Ordinal))
                        return process;
                    AnsiConsole.WriteLine("The reference BLAS is some twenty times as slow as OpenBLAS: comparing with it would say nothing. On "
                        + "Debian: apt-get install libopenblas0-pthread.");
                    process.StandardInput.Close();
                    process.Dispose();
                    return null;
                }
                process.Dispose();
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // No such command.
            }
        }
        AnsiConsole.WriteLine("PyTorch is not there, so nothing is compared. On Debian: apt-get install python3-torch libopenblas0-pthread; or "
            + "name a Python that has it in FAMLNET_PYTHON.");
        return null;
    }

    private static void Compare(Table table, Process python, int rounds, string name, string[] cases, int batch, int threads,
        Func<FeedbackRule, TrainingNetwork> create)
    {
        const double Seconds = 0.7;
        using TrainingNetwork bp = create(FeedbackRule.Backpropagation), dfa = create(FeedbackRule.DirectFeedbackAlignment);
        TrainingData data = new(bp.Layout.Inputs, bp.Layout.Outputs, batch);
        RandomGenerator random = new(1, "benchmark");
        for (int row = 0; row < batch; row++)
        {
            random.FillUniform(data.Next(), 0, 1);
            data.Commit(random.NextInt32(bp.Layout.Outputs), null);
        }
        int[] rows = [.. Enumerable.Range(0, batch)];
        using ThreadCount count = new(threads);
        double Own(TrainingNetwork network)
        {
            network.Step(data, rows, 1e-4f);
            int steps = 0;
            Stopwatch watch = Stopwatch.StartNew();
            for (; watch.Elapsed.TotalSeconds < Seconds; steps++)
                network.Step(data, rows, 1e-4f);
            return watch.Elapsed.TotalMilliseconds / steps;
        }
        double Theirs(string line)
        {
            python.StandardInput.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{line} {Seconds}"));
            python.StandardInput.Flush();
            return double.Parse(python.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        }
        List<double> own = [], direct = [];
        List<double>[] theirs = [.. cases.Select(_ => new List<double>())];
        for (int round = 0; round <= rounds; round++)
        {
            double[] times = [Own(bp), Own(dfa), .. cases.Select(Theirs)];
            if (round == 0)
                continue; // warm-up
            own.Add(times[0]);
            direct.Add(times[1]);
            for (int i = 0; i < cases.Length; i++)
                theirs[i].Add(times[i + 2]);
        }
        // PyTorch at its best: the faster of one or two threads, or of two formats of memory.
        double best = theirs.Min(Median), mine = Median(own), mineDirect = Median(direct);
        table.AddRow(name, $"{best:F4}", $"{mine:F4}", $"{mineDirect:F4}", $"{best / mine:F2} times as fast",
            $"{best / mineDirect:F2} times as fast");
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private static DenseChain Dense(FeedbackRule rule, int inputs, int outputs, params int[] hidden) =>
        new DenseChain(new DenseLayout(NetworkDefinition.Mlp(hidden), inputs, outputs), Plans.Of(rule, 1))
            .With(new OptimizerOptions.Sgd { WeightDecay = 1e-3f });

    private static GraphNetwork Graph(FeedbackRule rule, SequentialDefinition network, ImageShape shape) =>
        new GraphNetwork(new GraphLayout(network, shape, 10), Plans.Of(rule, 1)).With(new OptimizerOptions.Sgd { WeightDecay = 1e-3f });
}
