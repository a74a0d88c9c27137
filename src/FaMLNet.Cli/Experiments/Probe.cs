using System.Globalization;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Terminal;
using Microsoft.ML;

namespace FaMLNet.Cli.Experiments;

/// <summary>What a short training of a few rows tells of the whole.</summary>
/// <param name="Task">The task.</param>
/// <param name="TrainingRows">Rows that an epoch trains on.</param>
/// <param name="TestRows">Rows to test on.</param>
/// <param name="ProbedRows">Rows of the probe.</param>
/// <param name="SecondsPerEpoch">Time of an epoch of all training rows.</param>
/// <param name="ModelBytes">Size of the saved network.</param>
/// <param name="CheckpointBytes">Size of a checkpoint.</param>
internal sealed record Probe(Tables.TaskKind Task, long TrainingRows, long TestRows, int ProbedRows, double SecondsPerEpoch, long ModelBytes,
    long CheckpointBytes)
{
    /// <summary>Mini-batches of the first try, and how long an epoch must take to be measured.</summary>
    private const int FewestBatches = 4, Growth = 8;
    private const double ShortestSeconds = 0.3;

    /// <summary>Trains two epochs of a few rows, in a temporary folder. Nothing else is written.</summary>
    public static Probe Run(ExperimentSettings settings, string? folder, CancellationToken cancellation) =>
        Activity.Run($"probing {settings.Name}", () => Measure(settings, folder, cancellation));

    private static Probe Measure(ExperimentSettings settings, string? folder, CancellationToken cancellation)
    {
        MLContext mlContext = new(settings.Seed) { GpuDeviceId = settings.Gpu, FallbackToCpu = true };
        DataSet data = DataSets.Open(mlContext, settings, folder);
        settings.CheckTask(data.Task.Kind);
        long rows = Rows.CountOf(data.Train);
        if (settings.Validation.Rows is { } aside && aside >= rows)
            throw new InvalidOperationException($"data.validation: {aside} rows are to be kept aside, but there are {rows} training rows.");
        double share = settings.Validation switch
        {
            { OnTest: true } => 1,
            { Rows: { } wanted } => 1 - (double)wanted / rows,
            { Share: var part } => 1 - part,
        };
        IDataView train = data.Table == null ? data.Train : TablePipeline.Prepare(mlContext, data.Table).Fit(data.Train).Transform(data.Train);
        for (long wanted = (long)FewestBatches * settings.BatchSize; ; wanted *= Growth)
        {
            int probed = (int)Math.Min(rows, wanted);
            int[] chosen = [.. Enumerable.Range(0, probed).Select(i => (int)(i * rows / probed))];
            string checkpoints = Directory.CreateTempSubdirectory("famlnet-check").FullName;
            try
            {
                FeedbackAlignmentOptions options = settings.ToOptions(data.Task.Kind);
                options.LabelColumnName = data.Label;
                options.NumberOfEpochs = 2;
                options.EarlyStopping = null;
                options.ValidationFraction = 0;
                options.CheckpointFolder = checkpoints;
                options.CheckpointsToKeep = 1;
                options.CancellationToken = cancellation;
                ITransformer model = Trainer.Of(mlContext, options).Fit(new SelectedRows(train, chosen));
                double speed = SavedModel.NetworkOf(model)!.History[^1].SamplesPerSecond;
                if (probed < rows && probed / speed < ShortestSeconds)
                    continue;
                using MemoryStream stream = new();
                mlContext.Model.Save(model, train.Schema, stream);
                long state = Directory.EnumerateFiles(checkpoints, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
                return new Probe(data.Task.Kind, (long)(rows * share), Rows.CountOf(data.Test) + data.Unseen.Rows, probed, rows * share / speed,
                    stream.Length, state);
            }
            finally
            {
                Directory.Delete(checkpoints, recursive: true);
            }
        }
    }

    /// <summary>Bytes as people write them.</summary>
    public static string Size(double bytes)
    {
        string[] units = ["bytes", "kB", "MB", "GB", "TB"];
        int unit = 0;
        for (; bytes >= 1000 && unit < units.Length - 1; unit++)
            bytes /= 1000;
        return bytes.ToString(unit == 0 || bytes >= 100 ? "F0" : "G2", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    /// <summary>A duration as people write it.</summary>
    public static string Duration(double seconds) => seconds < 1 ? "less than a second" : seconds < 100 ? seconds.ToString(seconds < 10 ? "F1"
        : "F0", CultureInfo.InvariantCulture) + " s"
        : seconds < 6000 ? (seconds / 60).ToString("F0", CultureInfo.InvariantCulture) + " min"
        : seconds < 200 * 3600 ? (seconds / 3600).ToString("F1", CultureInfo.InvariantCulture) + " h"
        : (seconds / 86400).ToString("F0", CultureInfo.InvariantCulture) + " days";

    /// <summary>Room that is left where a folder is or would be.</summary>
    public static string FreeSpace(string folder)
    {
        string? place = Path.GetFullPath(folder);
        while (place != null && !Directory.Exists(place))
            place = Path.GetDirectoryName(place);
        return Size(new DriveInfo(place ?? "/").AvailableFreeSpace);
    }
}
