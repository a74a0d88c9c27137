using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Tables;
using FaMLNet.Reporting;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Experiments;

/// <summary>Where an experiment's files go and who hears of it.</summary>
internal sealed record ExperimentRun
{
    /// <summary>The folder of its files.</summary>
    public required string Folder { get; init; }

    /// <summary>Where the data is, if the command line says so.</summary>
    public string? Data { get; init; }

    /// <summary>Whether a device that is not there is an error.</summary>
    public bool Strict { get; init; }

    /// <summary>Whether models are saved.</summary>
    public bool KeepsModels { get; init; } = true;

    /// <summary>Called after each epoch.</summary>
    public Action<EpochMetrics>? EpochDone { get; init; }

    /// <summary>Receives what is good to know.</summary>
    public Action<string> Say { get; init; } = _ => { };

    /// <summary>Receives what the user should know.</summary>
    public Action<LoggingEventArgs> Log { get; init; } = _ => { };

    public CancellationToken Cancellation { get; init; }
}

/// <summary>An experiment: data, a training that goes on where it stopped, its measures and its files.</summary>
internal static class Experiment
{
    public const string ResultFile = "result.json", HistoryFile = "history.csv", Checkpoints = "checkpoints";

    /// <summary>Runs it, or goes on with it; one that is over is read.</summary>
    /// <exception cref="InvalidOperationException">The folder has another experiment's result; the message names what differs.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; the same call goes on.</exception>
    public static ExperimentResult Run(ExperimentSettings settings, ExperimentRun run)
    {
        string resultPath = Path.Combine(run.Folder, ResultFile);
        if (File.Exists(resultPath))
            return Show(KnownResult.Read(resultPath, settings, run.Data), run);
        MLContext mlContext = new(settings.Seed) { GpuDeviceId = settings.Gpu, FallbackToCpu = !run.Strict };
        mlContext.Log += (_, message) => run.Log(message);
        List<string> notes = [];
        SavedModel? start = settings.Checkpoint is { } path ? SavedModel.Load(mlContext, path, null) : null;
        DataSet data = DataSets.Open(mlContext, settings, run.Data, text =>
        {
            notes.Add(text);
            run.Say(text);
        }, settings.Trains ? null : start);
        TaskKind task = data.Task.Kind;
        if (start != null && start.Task.Kind != task)
        {
            throw new InvalidOperationException($"model.checkpoint: '{settings.Checkpoint}' is a model of the task "
                + $"{Word(start.Task.Kind)}, and the data has the task {Word(task)}. Set data.task to {Word(start.Task.Kind)}, or take another "
                    + "model.");
        }
        JsonObject identity = ExperimentIdentity.Of(settings, task, DataIdentity.Of(settings, run.Data));
        Directory.CreateDirectory(run.Folder);
        ExperimentResult result = (settings.Trains ? ExperimentTraining.Run(mlContext, settings, data, start, identity, run)
            : Evaluate(mlContext, settings, data, start!, run)) with
        {
            Identity = identity,
            Task = Word(task),
            Seed = settings.Seed,
            Date = DateTime.UtcNow,
            Versions = Versions(),
            Notes = notes.Count == 0 ? null : notes,
            RowsOfUnseenClasses = data.Unseen.Rows == 0 ? null : data.Unseen.Rows,
            UnseenClasses = data.Unseen.Rows == 0 ? null : data.Unseen.Classes,
        };
        ExperimentResult.Write(resultPath, result);
        // What only served to go on.
        string checkpoints = Path.Combine(run.Folder, Checkpoints);
        if (Directory.Exists(checkpoints))
            Directory.Delete(checkpoints, recursive: true);
        return result;
    }

    /// <summary>Processor, threads and versions, as records name them.</summary>
    public static string Machine(int? threads) => string.Create(CultureInfo.InvariantCulture,
        $"{Processor()}, {threads ?? Environment.ProcessorCount} "
        + $"of {Environment.ProcessorCount} threads, {RuntimeInformation.OSDescription}, .NET {Environment.Version}, FaMLNet "
        + $"{PackageVersion.Of(typeof(FeedbackRule))}, ML.NET {PackageVersion.Of(typeof(MLContext))}");

    /// <summary>Versions of what computes results.</summary>
    public static IReadOnlyDictionary<string, string> Versions() => new Dictionary<string, string>
    {
        ["famlnet"] = PackageVersion.Of(typeof(FeedbackRule)),
        ["ml_net"] = PackageVersion.Of(typeof(MLContext)),
        ["torchsharp"] = PackageVersion.Of(typeof(TorchSharp.torch)),
        ["libtorch"] = LibtorchVersion(),
        ["dotnet"] = $"{Environment.Version}",
    };

    /// <summary>What TorchSharp says of the libtorch that it has loaded.</summary>
    private static string LibtorchVersion()
    {
        try
        {
            return TorchSharp.torch.__version__;
        }
        catch (Exception failure) when (failure is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException
            or NotSupportedException)
        {
            return "not loaded";
        }
    }

    private static ExperimentResult Show(KnownResult known, ExperimentRun run)
    {
        switch (known.Standing)
        {
            case Standing.Other:
                throw new InvalidOperationException($"'{run.Folder}' has the result of another experiment: "
                    + $"{ExperimentIdentity.Summary(known.Differences)}. Change experiment.name or output_dir, or remove that folder.");
            case Standing.NotRecorded:
                run.Say($"'{run.Folder}' has a result that was written before identities were recorded ({ExperimentResult.NotRecorded}): its "
                    + "settings are the same as written, but its data, defaults and versions are not known. It is shown as it is. To run the "
                    + "experiment again, change experiment.name or remove that folder.");
                break;
            case Standing.SameWithoutData:
                run.Say($"'{run.Folder}' is complete: its result is shown again. The data is not here, so that it was not compared.");
                break;
            default:
                run.Say($"'{run.Folder}' is complete: its result is shown again.");
                break;
        }
        return known.Result;
    }

    /// <summary>A saved model, as it is.</summary>
    private static ExperimentResult Evaluate(MLContext mlContext, ExperimentSettings settings, DataSet data, SavedModel model, ExperimentRun run)
    {
        // Up to the network: what lies behind it turns predictions back into the table's own texts.
        List<ITransformer> parts = [];
        foreach (ITransformer part in model.Parts)
        {
            parts.Add(part);
            if (part is ISingleFeaturePredictionTransformer<IFeedbackAlignmentModel>)
                break;
        }
        TransformerChain<ITransformer> network = new([.. parts]);
        (TestMeasures measures, _) = Measuring.Of(mlContext, network, data.Test, data, settings, epoch: 0);
        return new ExperimentResult
        {
            Name = settings.Name,
            Settings = settings.Decisive,
            K = settings.TopK,
            Last = measures,
            Epochs = 0,
            TrainingSeconds = 0,
            Machine = Machine(settings.Threads),
            Robustness = settings.Robustness == null ? null
                : ExperimentTraining.Attack(mlContext, settings, network, data.Test, data, run),
        };
    }

    private static string Word(TaskKind task) => task.ToString().ToLowerInvariant();

    private static string Processor()
    {
        const string file = "/proc/cpuinfo";
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
