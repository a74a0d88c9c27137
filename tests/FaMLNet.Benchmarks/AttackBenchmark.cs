using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
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
        IDataView train = mlContext.Data.LoadFromIdx(Find(folder, "train-images-idx3"), Find(folder, "train-labels-idx1"), null);
        IDataView test = mlContext.Data.LoadFromIdx(Find(folder, "t10k-images-idx3"), Find(folder, "t10k-labels-idx1"), null);
        FeedbackAlignmentMulticlassTransformer model = Fit(mlContext, train, epochs: 2);
        IDataView part = mlContext.Data.Cache(mlContext.Data.TakeRows(train, Images));
        string exchange = Directory.CreateTempSubdirectory("famlnet-attacks").FullName;
        try
        {
            Export(mlContext, model, test, exchange, Images);
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
                JsonElement? theirs = PyTorch(exchange, out python);
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
            if (theirFgsm.Count > 0)
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

    private static void Export(MLContext mlContext, ITransformer model, IDataView data, string folder, int images)
    {
        string zip = Path.Combine(folder, "model.zip");
        mlContext.Model.Save(model, data.Schema, zip);
        using (ZipArchive archive = ZipFile.OpenRead(zip))
            archive.Entries.Single(entry => entry.Name == "weights.safetensors").ExtractToFile(Path.Combine(folder, "weights.safetensors"));
        IDataView some = mlContext.Data.TakeRows(data, images);
        float[] pixels = [.. some.GetColumn<float[]>("Features").SelectMany(row => row)];
        int[] labels = [.. some.GetColumn<uint>("Label").Select(key => (int)key - 1)];
        File.WriteAllBytes(Path.Combine(folder, "images.f32"), MemoryMarshal.AsBytes(pixels.AsSpan()).ToArray());
        File.WriteAllBytes(Path.Combine(folder, "labels.i32"), MemoryMarshal.AsBytes(labels.AsSpan()).ToArray());
        File.WriteAllText(Path.Combine(folder, "settings.json"), string.Create(CultureInfo.InvariantCulture,
            $$"""{"epsilon": {{Epsilon}}, "steps": 10, "step": {{2.5f * Epsilon / 10}}, "batch": 64}"""));
    }

    /// <summary>The plain loop in a process of its own, which times itself; null where there is no PyTorch.</summary>
    private static JsonElement? PyTorch(string folder, out string? command)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "pytorch_attacks.py");
        foreach (string python in new[] { Environment.GetEnvironmentVariable("FAMLNET_PYTHON") ?? "/usr/bin/python3", "python3" })
        {
            command = python;
            try
            {
                ProcessStartInfo start = new(python, [script, folder, $"{Environment.ProcessorCount}", "single"]) { RedirectStandardOutput = true };
                start.Environment.Remove("OPENBLAS_CORETYPE"); // some machines set an older processor's, which slows PyTorch
                using Process process = Process.Start(start)!;
                string output = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                if (process.ExitCode == 0)
                    return JsonDocument.Parse(output.TrimEnd().Split('\n')[^1]).RootElement;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // No such command.
            }
        }
        command = null;
        AnsiConsole.WriteLine("PyTorch is not there, so nothing is compared with it. On Debian: apt-get install python3-torch libopenblas0-pthread.");
        return null;
    }

    private static string Find(string folder, string kind)
    {
        string plain = Path.Combine(folder, $"{kind}-ubyte");
        return File.Exists(plain) ? plain : plain + ".gz";
    }
}
