using System.Globalization;
using System.Runtime.InteropServices;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Sets;
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
    private const string Label = "Label";

    /// <summary>Runs it, or goes on with it; one that is over is read.</summary>
    /// <exception cref="OperationCanceledException">It was stopped; the same call goes on.</exception>
    public static ExperimentResult Run(ExperimentSettings settings, ExperimentRun run)
    {
        string resultPath = Path.Combine(run.Folder, ResultFile);
        if (File.Exists(resultPath))
        {
            ExperimentResult known = ExperimentResult.Read(resultPath);
            if (!System.Text.Json.Nodes.JsonNode.DeepEquals(known.Settings, settings.Decisive))
            {
                throw new InvalidOperationException($"'{run.Folder}' has the result of another experiment, whose settings differ. Change "
                    + "experiment.name or output_dir, or remove that folder.");
            }
            run.Say($"'{run.Folder}' is complete: its result is shown again.");
            return known;
        }
        MLContext mlContext = new(settings.Seed) { GpuDeviceId = settings.Gpu, FallbackToCpu = !run.Strict };
        mlContext.Log += (_, message) => run.Log(message);
        DataSet data = DataSets.Open(mlContext, settings, run.Data, run.Say);
        Directory.CreateDirectory(run.Folder);
        ExperimentResult result = settings.Trains ? Train(mlContext, settings, data, run) : Evaluate(mlContext, settings, data, run);
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

    private static ExperimentResult Train(MLContext mlContext, ExperimentSettings settings, DataSet data, ExperimentRun run)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = settings.ToOptions();
        options.LabelColumnName = data.Table?.Label ?? Label;
        options.CheckpointFolder = Path.Combine(run.Folder, Checkpoints);
        options.CheckpointsToKeep = 1;
        options.CancellationToken = run.Cancellation;
        if (settings.Validation.Rows is { } wanted)
        {
            long rows = RowsOf(data.Train);
            if (wanted >= rows)
                throw new InvalidOperationException($"data.validation: {wanted} rows are to be kept aside, but there are {rows} training rows.");
            options.ValidationFraction = (double)wanted / rows;
        }
        HistoryLog history = new(Path.Combine(run.Folder, HistoryFile));
        using TensorBoardLog? board = settings.WritesTensorBoard ? new TensorBoardLog(Path.Combine(run.Folder, "logs"), options) : null;
        options.MetricsCallback = metrics =>
        {
            history.Write(metrics);
            board?.Write(metrics);
            run.EpochDone?.Invoke(metrics);
        };
        IEstimator<ITransformer>? before = data.Table == null ? null : TablePipeline.Prepare(mlContext, data.Table);
        ITransformer? prepared = before?.Fit(data.Train);
        IDataView train = prepared?.Transform(data.Train) ?? data.Train, test = prepared?.Transform(data.Test) ?? data.Test;
        FeedbackAlignmentMulticlassTrainer trainer = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
        FeedbackAlignmentMulticlassTransformer model = Fit(mlContext, settings, trainer, train, settings.Validation.OnTest ? test : null);
        FeedbackAlignmentMulticlassModelParameters best = model.Model, last = best.LastEpochModel ?? best;
        // Whole, also where the process was killed between an epoch's checkpoint and its line.
        Reporting.HistoryFile.Write(Path.Combine(run.Folder, HistoryFile), best.History);
        IReadOnlyList<EpochMetrics> epochs = best.History;
        EpochMetrics end = epochs[^1];
        ExperimentResult result = new()
        {
            Name = settings.Name,
            Settings = settings.Decisive,
            K = settings.TopK,
            Epochs = epochs.Count,
            // The median: an epoch during which the process stood still, or the machine had other work, does not count.
            TrainingSeconds = epochs.Count * RowsPerEpoch(settings, train) / Statistics.Median(epochs.Select(epoch => epoch.SamplesPerSecond)),
            TrainingAccuracy = end.Accuracy,
            TrainingLoss = end.Loss,
            ValidationAccuracy = end.ValidationAccuracy,
            BestValidationAccuracy = settings.Validation.IsNone ? null : epochs.Max(epoch => epoch.ValidationAccuracy),
            ChosenOn = settings.Validation.IsNone ? null : settings.Validation.OnTest ? "test" : "validation",
            AlignmentAngle = end.AlignmentAngle.Count == 0 ? null : end.AlignmentAngle,
            NormRatio = end.NormRatio.Count == 0 ? null : end.NormRatio,
            Machine = Machine(settings.Threads),
        };
        ConfusionMatrix? confusion = null;
        if (settings.TestsAtEnd)
        {
            (TestMeasures lastMeasures, confusion) = Measure(mlContext, With(mlContext, model, last, train.Schema), test, options.LabelColumnName,
                settings, end.Epoch);
            result = result with { Last = lastMeasures };
            if (!settings.Validation.IsNone)
            {
                int bestEpoch = epochs.MaxBy(epoch => epoch.ValidationAccuracy)!.Epoch;
                result = result with { Best = Measure(mlContext, model, test, options.LabelColumnName, settings, bestEpoch).Measures };
            }
        }
        if (run.KeepsModels)
        {
            ITransformer tail = mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(model.Transform(train));
            ITransformer chain = prepared == null ? new TransformerChain<ITransformer>(model, tail) : new TransformerChain<ITransformer>(prepared,
                model, tail);
            WholeFile.Write(Path.Combine(run.Folder, "model.zip"), path => mlContext.Model.Save(chain, data.Train.Schema, path));
        }
        board?.WriteFilters(best);
        if (settings.WritesReport)
        {
            TrainingReport report = new(settings.Name);
            report.Add($"{settings.Rule}", epochs, confusion, options: options);
            report.SaveHtml(Path.Combine(run.Folder, "report.html"));
        }
        return settings.Robustness == null ? result : result with
        {
            Robustness = Attack(mlContext, settings, model, test, options.LabelColumnName,
            run)
        };
    }

    /// <summary>A saved model, as it is.</summary>
    private static ExperimentResult Evaluate(MLContext mlContext, ExperimentSettings settings, DataSet data, ExperimentRun run)
    {
        SavedModel model = SavedModel.Load(mlContext, settings.Checkpoint!, data.Table?.Label);
        (TestMeasures measures, _) = Measure(mlContext, model.Transformer, data.Test, data.Table?.Label ?? Label, settings, epoch: 0);
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
                : Attack(mlContext, settings, model.Transformer, data.Test, data.Table?.Label ?? Label, run),
        };
    }

    private static FeedbackAlignmentMulticlassTransformer Fit(MLContext mlContext, ExperimentSettings settings,
        FeedbackAlignmentMulticlassTrainer trainer,
        IDataView train, IDataView? validation)
    {
        if (settings.Checkpoint is not { } path)
            return validation == null ? trainer.Fit(train) : trainer.Fit(train, validation);
        FeedbackAlignmentMulticlassModelParameters start = (SavedModel.Load(mlContext, path, null).Transformer as IEnumerable<ITransformer> ?? [])
            .OfType<FeedbackAlignmentMulticlassTransformer>().LastOrDefault()?.Model
            ?? throw new InvalidOperationException($"model.checkpoint: '{path}' holds no network of FaMLNet to start from.");
        return validation == null ? trainer.Fit(train, start) : trainer.Fit(train, validation, start);
    }

    /// <summary>The same transformer around another epoch's network.</summary>
    private static FeedbackAlignmentMulticlassTransformer With(MLContext mlContext, FeedbackAlignmentMulticlassTransformer model,
        FeedbackAlignmentMulticlassModelParameters parameters, DataViewSchema schema) => ReferenceEquals(parameters, model.Model) ? model
        : new FeedbackAlignmentMulticlassTransformer(mlContext, parameters, schema, model.FeatureColumnName, model.LabelColumnName);

    private static (TestMeasures Measures, ConfusionMatrix Confusion) Measure(MLContext mlContext, ITransformer model, IDataView test, string label,
        ExperimentSettings settings, int epoch)
    {
        IDataView scored = model.Transform(test);
        // ML.NET's evaluator knows no more likely classes than there are classes.
        int classes = ((VectorDataViewType)scored.Schema["Score"].Type).Size, k = Math.Min(settings.TopK, classes);
        MulticlassClassificationMetrics metrics = mlContext.MulticlassClassification.Evaluate(scored, label, topKPredictionCount: k);
        return (new TestMeasures(epoch, metrics.MicroAccuracy, metrics.TopKAccuracy, metrics.LogLoss), metrics.ConfusionMatrix);
    }

    private static List<AttackMeasures> Attack(MLContext mlContext, ExperimentSettings settings, ITransformer model, IDataView test, string label,
        ExperimentRun run)
    {
        List<AttackMeasures> measures = [];
        foreach (ThreatModel threat in settings.Robustness!.ThreatModels)
        {
            RobustnessReport report = mlContext.MulticlassClassification.EvaluateRobustness(model, test, settings.Robustness.Attacks,
                new RobustnessOptions
                {
                    LabelColumnName = label,
                    MaximumRows = settings.Robustness.Rows,
                    Seed = settings.Seed,
                    ThreatModel = threat,
                    CancellationToken = run.Cancellation,
                });
            measures.AddRange(report.Results.Select(attack => new AttackMeasures($"{attack.Attack}", threat == ThreatModel.TrueGradient ? "true"
                : "feedback",
                attack.RobustAccuracy, report.Rows, [.. report.Warnings.Where(warning => warning.Contains($"{attack.Attack}",
                    StringComparison.Ordinal))])));
        }
        return measures;
    }

    /// <summary>Rows that an epoch trains on.</summary>
    private static double RowsPerEpoch(ExperimentSettings settings, IDataView train)
    {
        long rows = RowsOf(train);
        return settings.Validation switch
        {
            { OnTest: true } => rows,
            { Rows: { } aside } => rows - aside,
            { Share: var share } => rows * (1 - share),
        };
    }

    /// <summary>Rows of a view: of a table they have to be counted.</summary>
    private static long RowsOf(IDataView view)
    {
        if (view.GetRowCount() is { } known)
            return known;
        long rows = 0;
        using DataViewRowCursor cursor = view.GetRowCursor([]);
        while (cursor.MoveNext())
            rows++;
        return rows;
    }

    private static string Processor()
    {
        const string file = "/proc/cpuinfo";
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
