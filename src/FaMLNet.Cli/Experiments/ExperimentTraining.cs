using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using FaMLNet.Reporting;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Experiments;

/// <summary>The training of an experiment: the network of its task, its measures and its files.</summary>
internal static class ExperimentTraining
{
    /// <summary>A trained network: the best epoch's and the last one's, ready to predict.</summary>
    private sealed record Trained(ITransformer Best, ITransformer Last, IFeedbackAlignmentModel Model);

    /// <summary>Trains, or goes on from a checkpoint of its folder.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="settings">The experiment.</param>
    /// <param name="data">Its data.</param>
    /// <param name="start">A model to start from; null for random weights.</param>
    /// <param name="identity">What decides the result, for the records.</param>
    /// <param name="run">Where its files go.</param>
    public static ExperimentResult Run(MLContext mlContext, ExperimentSettings settings, DataSet data, SavedModel? start, JsonObject identity,
        ExperimentRun run)
    {
        FeedbackAlignmentOptions options = OptionsOf(settings, data, run);
        HistoryLog history = new(Path.Combine(run.Folder, Experiment.HistoryFile));
        (string Name, object? Value)[] records = Records(identity);
        using TensorBoardLog? board = settings.WritesTensorBoard ? new TensorBoardLog(Path.Combine(run.Folder, "logs"), options, records) : null;
        Activity? training = null;
        options.MetricsCallback = metrics =>
        {
            training?.Quiet(); // its epochs speak for themselves
            history.Write(metrics);
            board?.Write(metrics);
            run.EpochDone?.Invoke(metrics);
        };
        ITransformer? prepared = data.Table == null ? null : TablePipeline.Prepare(mlContext, data.Table, run.Say).Fit(data.Train);
        IDataView train = prepared?.Transform(data.Train) ?? data.Train, test = prepared?.Transform(data.Test) ?? data.Test;
        Trained trained = Activity.Run($"training {settings.Name}", activity =>
        {
            training = activity;
            return Fit(mlContext, options, train, settings.Validation.OnTest ? test : null, start, settings);
        });
        // Whole, also where the process was killed between an epoch's checkpoint and its line.
        Reporting.HistoryFile.Write(Path.Combine(run.Folder, Experiment.HistoryFile), trained.Model.History);
        IReadOnlyList<EpochMetrics> epochs = trained.Model.History;
        ExperimentResult result = Result(settings, data.Task.Kind, epochs, train);
        ConfusionMatrix? confusion = null;
        if (settings.TestsAtEnd)
        {
            (TestMeasures last, confusion) = Measuring.Of(mlContext, trained.Last, test, data, settings, epochs[^1].Epoch);
            result = result with { Last = last };
            if (!settings.Validation.IsNone)
            {
                result = result with
                {
                    Best = Measuring.Of(mlContext, trained.Best, test, data, settings, BestEpoch(data.Task.Kind, epochs).Epoch).Measures,
                };
            }
        }
        if (run.KeepsModels)
            Save(mlContext, data, prepared, trained.Best, train, Path.Combine(run.Folder, "model.zip"));
        board?.WriteFilters(trained.Model);
        if (settings.WritesReport)
        {
            TrainingReport report = new(settings.Name);
            report.Add($"{settings.Rule}", [epochs], confusion, classes: null, options, records);
            report.SaveHtml(Path.Combine(run.Folder, "report.html"));
        }
        return settings.Robustness == null ? result
            : result with { Robustness = Attack(mlContext, settings, trained.Best, test, data, run) };
    }

    /// <summary>Attacks a model as the experiment says.</summary>
    public static List<AttackMeasures> Attack(MLContext mlContext, ExperimentSettings settings, ITransformer model, IDataView test, DataSet data,
        ExperimentRun run)
    {
        string far = "";
        using Activity attacking = Activity.Start($"attacking {settings.Name}", progress: () => Volatile.Read(ref far));
        List<AttackMeasures> measures = [];
        foreach (ThreatModel threat in settings.Robustness!.ThreatModels)
        {
            RobustnessOptions options = new()
            {
                LabelColumnName = data.Label,
                MaximumRows = settings.Robustness.Rows,
                Seed = settings.Seed,
                ThreatModel = threat,
                Progress = new Telling(progress => Volatile.Write(ref far,
                    $"{progress.Attack}, {progress.Rows} of {progress.NumberOfRows} rows")),
                CancellationToken = run.Cancellation,
            };
            RobustnessReport report = data.Task.Kind == TaskKind.Binary
                ? mlContext.BinaryClassification.EvaluateRobustness(model, test, settings.Robustness.Attacks, options)
                : mlContext.MulticlassClassification.EvaluateRobustness(model, test, settings.Robustness.Attacks, options);
            measures.AddRange(report.Results.Select(attack => new AttackMeasures($"{attack.Attack}", threat == ThreatModel.TrueGradient ? "true"
                : "feedback", attack.RobustAccuracy, report.Rows,
                [.. report.Warnings.Where(warning => warning.Contains($"{attack.Attack}", StringComparison.Ordinal))])));
        }
        return measures;
    }

    private static FeedbackAlignmentOptions OptionsOf(ExperimentSettings settings, DataSet data, ExperimentRun run)
    {
        FeedbackAlignmentOptions options = settings.ToOptions(data.Task.Kind);
        options.LabelColumnName = data.Label;
        options.CheckpointFolder = Path.Combine(run.Folder, Experiment.Checkpoints);
        options.CheckpointsToKeep = 1;
        options.CancellationToken = run.Cancellation;
        if (settings.Validation.Rows is { } wanted)
        {
            long rows = Rows.CountOf(data.Train);
            if (wanted >= rows)
                throw new InvalidOperationException($"data.validation: {wanted} rows are to be kept aside, but there are {rows} training rows.");
            options.ValidationFraction = (double)wanted / rows;
        }
        return options;
    }

    private static Trained Fit(MLContext mlContext, FeedbackAlignmentOptions options, IDataView train, IDataView? validation, SavedModel? start,
        ExperimentSettings settings)
    {
        IFeedbackAlignmentModel? from = start == null ? null : start.Network
            ?? throw new InvalidOperationException($"model.checkpoint: '{settings.Checkpoint}' holds no network of FaMLNet to start from.");
        switch (options)
        {
            case FeedbackAlignmentBinaryTrainer.Options binary:
                FeedbackAlignmentBinaryTransformer classifier = Fit(mlContext.BinaryClassification.Trainers.FeedbackAlignment(binary), train,
                    validation, (FeedbackAlignmentBinaryModelParameters?)from);
                return new Trained(classifier, classifier.Model.LastEpochModel is not { } lastBinary ? classifier
                    : new FeedbackAlignmentBinaryTransformer(mlContext, lastBinary, train.Schema, classifier.FeatureColumnName,
                        classifier.LabelColumnName), classifier.Model);
            case FeedbackAlignmentRegressionTrainer.Options regression:
                FeedbackAlignmentRegressionTransformer predictor = Fit(mlContext.Regression.Trainers.FeedbackAlignment(regression), train,
                    validation, (FeedbackAlignmentRegressionModelParameters?)from);
                return new Trained(predictor, predictor.Model.LastEpochModel is not { } lastRegression ? predictor
                    : new FeedbackAlignmentRegressionTransformer(mlContext, lastRegression, train.Schema, predictor.FeatureColumnName,
                        predictor.LabelColumnName), predictor.Model);
            default:
                FeedbackAlignmentMulticlassTransformer model = Fit(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
                    (FeedbackAlignmentMulticlassTrainer.Options)options), train, validation, (FeedbackAlignmentMulticlassModelParameters?)from);
                return new Trained(model, model.Model.LastEpochModel is not { } last ? model
                    : new FeedbackAlignmentMulticlassTransformer(mlContext, last, train.Schema, model.FeatureColumnName, model.LabelColumnName),
                    model.Model);
        }
    }

    private static TTransformer Fit<TTransformer, TModel>(FeedbackAlignmentTrainerBase<TTransformer, TModel> trainer, IDataView train,
        IDataView? validation, TModel? start)
        where TTransformer : ISingleFeaturePredictionTransformer<TModel>
        where TModel : class, IFeedbackAlignmentModel => (validation, start) switch
        {
            (null, null) => trainer.Fit(train),
            ({ } rows, null) => trainer.Fit(train, rows),
            (null, { } model) => trainer.Fit(train, model),
            ({ } rows, { } model) => trainer.Fit(train, rows, model),
        };

    private static ExperimentResult Result(ExperimentSettings settings, TaskKind task, IReadOnlyList<EpochMetrics> epochs, IDataView train)
    {
        EpochMetrics end = epochs[^1];
        bool isRegression = task == TaskKind.Regression, isValidated = !settings.Validation.IsNone;
        return new ExperimentResult
        {
            Name = settings.Name,
            Settings = settings.Decisive,
            K = settings.TopK,
            Epochs = epochs.Count,
            // The median: an epoch during which the process stood still, or the machine had other work, does not count.
            TrainingSeconds = epochs.Count * RowsPerEpoch(settings, train) / Statistics.Median(epochs.Select(epoch => epoch.SamplesPerSecond)),
            TrainingAccuracy = isRegression ? null : end.Accuracy,
            TrainingRootMeanSquaredError = isRegression ? end.RootMeanSquaredError : null,
            TrainingLoss = end.Loss,
            ValidationAccuracy = isRegression ? null : end.ValidationAccuracy,
            BestValidationAccuracy = isRegression || !isValidated ? null : epochs.Max(epoch => epoch.ValidationAccuracy),
            ValidationRootMeanSquaredError = isRegression ? end.ValidationRootMeanSquaredError : null,
            BestValidationRootMeanSquaredError = isRegression && isValidated ? epochs.Min(epoch => epoch.ValidationRootMeanSquaredError) : null,
            ChosenOn = !isValidated ? null : settings.Validation.OnTest ? "test" : "validation",
            AlignmentAngle = end.AlignmentAngle.Count == 0 ? null : end.AlignmentAngle,
            NormRatio = end.NormRatio.Count == 0 ? null : end.NormRatio,
            Machine = Experiment.Machine(settings.Threads),
        };
    }

    /// <summary>The epoch whose network is kept.</summary>
    private static EpochMetrics BestEpoch(TaskKind task, IReadOnlyList<EpochMetrics> epochs) => task == TaskKind.Regression
        ? epochs.MinBy(epoch => epoch.ValidationLoss)! : epochs.MaxBy(epoch => epoch.ValidationAccuracy)!;

    private static void Save(MLContext mlContext, DataSet data, ITransformer? prepared, ITransformer model, IDataView train, string path)
    {
        IEstimator<ITransformer>? behind = data.Task.Kind switch
        {
            TaskKind.Multiclass => mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"),
            TaskKind.Binary => mlContext.Transforms.Conversion.MapValue("PredictedLabel",
                new Dictionary<bool, string> { [false] = data.Task.False, [true] = data.Task.True }),
            _ => null,
        };
        ITransformer[] parts = [.. new[] { prepared, model, behind?.Fit(model.Transform(train)) }.OfType<ITransformer>()];
        WholeFile.Write(path, file => mlContext.Model.Save(new TransformerChain<ITransformer>(parts), data.Train.Schema, file));
    }

    /// <summary>What stands beside the trainer's options in reports: data, date, machine and versions.</summary>
    private static (string Name, object? Value)[] Records(JsonObject identity) =>
    [
        ("data", $"{identity["data"]?["name"]}, {identity["data"]?["format"]}"),
        .. (identity["data"]?["files"] as JsonObject ?? []).Select(file => ($"data, SHA-256 of {file.Key}", (object?)$"{file.Value?["sha256"]}")),
        ("task", $"{identity["task"]}"),
        ("test rows", $"{identity["split"]?["test"]}{(identity["split"]?["seed"] is { } seed ? $", split seed {seed}" : "")}"),
        ("validation rows", $"{identity["split"]?["validation"]}"),
        ("date", DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture)),
        ("machine", Experiment.Machine(null)),
        .. Experiment.Versions().Select(version => ($"version of {version.Key}", (object?)version.Value)),
    ];

    /// <summary>Rows that an epoch trains on.</summary>
    private static double RowsPerEpoch(ExperimentSettings settings, IDataView train)
    {
        long rows = Rows.CountOf(train);
        return settings.Validation switch
        {
            { OnTest: true } => rows,
            { Rows: { } aside } => rows - aside,
            { Share: var share } => rows * (1 - share),
        };
    }
}
