using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;

namespace FaMLNet.Cli.Peers;

/// <summary>What a trainer has shown by cross-validation: means over the folds.</summary>
/// <param name="Trainer">Its name.</param>
/// <param name="Accuracy">Share of rows right.</param>
/// <param name="AccuracyDeviation">Standard deviation of that over the folds.</param>
/// <param name="LogLoss">Mean of −ln(probability of the class).</param>
/// <param name="FitSeconds">Time to fit, the pipeline before it included.</param>
/// <param name="PredictMicroseconds">Time to score a row of a view.</param>
/// <param name="ModelBytes">Size of the saved pipeline.</param>
/// <param name="PeakBytes">Peak memory of the process that did nothing else.</param>
internal sealed record PeerMeasures(string Trainer, double Accuracy, double AccuracyDeviation, double LogLoss, double FitSeconds,
    double PredictMicroseconds, long ModelBytes, long PeakBytes);

/// <summary>A trainer that is compared with others.</summary>
internal sealed record Peer(string Name, Func<MLContext, string, int, bool, IEstimator<ITransformer>> Create)
{
    /// <summary>ML.NET's own and FaMLNet's rules, with the defaults of each.</summary>
    public static IReadOnlyList<Peer> All { get; } =
    [
        new("SdcaMaximumEntropy", (mlContext, label, _, _) => mlContext.MulticlassClassification.Trainers.SdcaMaximumEntropy(label)),
        new("LbfgsMaximumEntropy", (mlContext, label, _, _) => mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(label)),
        new("LightGbm", (mlContext, label, _, _) => mlContext.MulticlassClassification.Trainers.LightGbm(label)),
        new("FastTree one-versus-all", (mlContext, label, _, _) => mlContext.MulticlassClassification.Trainers.OneVersusAll(
            mlContext.BinaryClassification.Trainers.FastTree(new FastTreeBinaryTrainer.Options()), label)),
        .. FeedbackRule.All.Select(rule => new Peer($"FaMLNet {rule.ShortName}", (mlContext, label, epochs, isImages) =>
            mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                LabelColumnName = label,
                Rule = rule,
                Network = isImages ? NetworkDefinition.LeNet() : null,
                NumberOfEpochs = epochs,
                BatchSize = isImages ? 64 : 32,
                Seed = 1,
            }))),
    ];

    /// <summary>Cross-validates it; the folds are those of every other.</summary>
    public PeerMeasures Measure(MLContext mlContext, DataSource data, int folds, int epochs)
    {
        List<MulticlassClassificationMetrics> metrics = [];
        List<double> fits = [], predictions = [];
        long bytes = 0;
        foreach (DataOperationsCatalog.TrainTestData fold in mlContext.Data.CrossValidationSplit(data.View, folds, seed: 1))
        {
            IEstimator<ITransformer> trainer = Create(mlContext, data.Label, epochs, data.IsImages);
            IEstimator<ITransformer> pipeline = data.IsImages ? trainer : TablePipeline.Prepare(mlContext, data).Append(trainer);
            Stopwatch watch = Stopwatch.StartNew();
            ITransformer model = pipeline.Fit(fold.TrainSet);
            fits.Add(watch.Elapsed.TotalSeconds);
            metrics.Add(mlContext.MulticlassClassification.Evaluate(model.Transform(fold.TestSet), data.Label));
            // Once more, warm, and all rows, of which a fold may have few: what a running service sees.
            watch.Restart();
            int rows = mlContext.Data.CreateEnumerable<Scored>(model.Transform(data.View), reuseRowObject: true, ignoreMissingColumns: true).Count();
            predictions.Add(watch.Elapsed.TotalMicroseconds / rows);
            using MemoryStream stream = new();
            mlContext.Model.Save(model, data.View.Schema, stream);
            bytes = stream.Length;
            (model as IDisposable)?.Dispose();
        }
        (double accuracy, double deviation) = Statistics.Spread([.. metrics.Select(fold => fold.MicroAccuracy)]);
        using Process process = Process.GetCurrentProcess();
        return new PeerMeasures(Name, accuracy, deviation, metrics.Average(fold => fold.LogLoss), Statistics.Median(fits),
            Statistics.Median(predictions), bytes, process.PeakWorkingSet64);
    }

    /// <summary>What is read of a scored row.</summary>
    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}

/// <summary>All trainers on one data set, each in a process of its own, in one table.</summary>
internal static class PeerTable
{
    /// <summary>Measures every trainer.</summary>
    /// <param name="arguments">What a process is told beside the trainer.</param>
    /// <param name="say">Receives a line a trainer.</param>
    /// <param name="cancellation">Stops.</param>
    public static List<PeerMeasures> Run(IReadOnlyList<string> arguments, Action<string> say, CancellationToken cancellation)
    {
        List<PeerMeasures> measures = [];
        foreach (Peer peer in Peer.All)
        {
            (string file, IReadOnlyList<string> self) = ThisTool.Command();
            ProcessStartInfo start = new(file, [.. self, "benchmark", .. arguments, "--peer", peer.Name])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true
            };
            using Process process = Process.Start(start)!;
            using CancellationTokenRegistration stop = cancellation.Register(process.Kill);
            Task<string> error = process.StandardError.ReadToEndAsync(cancellation);
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            cancellation.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
            {
                say($"{peer.Name}: {error.Result.Trim()}");
                continue;
            }
            PeerMeasures one = JsonSerializer.Deserialize<PeerMeasures>(output.Trim().Split('\n')[^1])!;
            measures.Add(one);
            say(FormattableString.Invariant($"{one.Trainer}: accuracy {one.Accuracy:P2}, log-loss {one.LogLoss:F3}, fit {one.FitSeconds:F2} s"));
        }
        return measures;
    }

    /// <summary>The table, as Markdown.</summary>
    public static string Markdown(IEnumerable<PeerMeasures> measures)
    {
        StringBuilder text = new("| trainer | accuracy, % | log-loss | fit, s | a row, µs | model, kB | peak memory, MB |\n");
        text.Append("| --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (PeerMeasures one in measures)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {one.Trainer} | {100 * one.Accuracy:F2} ± {100 * one.AccuracyDeviation:F2} ");
            text.Append(CultureInfo.InvariantCulture, $"| {one.LogLoss:F3} | {one.FitSeconds:F2} | {one.PredictMicroseconds:F1} ");
            text.Append(CultureInfo.InvariantCulture, $"| {one.ModelBytes / 1024.0:F0} | {one.PeakBytes >> 20} |\n");
        }
        return text.ToString();
    }
}
