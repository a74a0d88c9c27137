using FaMLNet.Training;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>One training as ML.NET's hosts see it: rows, device, checkpoints, messages, progress.</summary>
/// <param name="host">The trainer's.</param>
/// <param name="options">What the user chose: who hears of the training and who may stop it.</param>
/// <param name="settings">The same, every default resolved.</param>
/// <param name="makeModel">Makes the model that an exception carries.</param>
internal sealed class TrainingRun(IHost host, FeedbackAlignmentOptions options, TrainingSettings settings,
    Func<TrainedNetwork, IFeedbackAlignmentModel> makeModel)
{
    private readonly string _featureColumn = options.FeatureColumnName;
    private readonly Action<EpochMetrics>? _metricsCallback = options.MetricsCallback;
    private readonly Func<EpochMetrics, bool>? _stopWhen = options.StopWhen;
    private readonly Action<StepMetrics>? _stepCallback = options.StepCallback;
    private readonly CancellationToken _cancellation = options.CancellationToken;

    /// <summary>Trains to the end.</summary>
    /// <param name="training">The rows.</param>
    /// <param name="validation">Rows that are not trained on; null for none, or a share of the others.</param>
    /// <param name="model">A model to start from; null for random weights.</param>
    public TrainedNetwork Train(RoleMappedData training, RoleMappedData? validation, IFeedbackAlignmentModel? model)
    {
        using IChannel channel = host.Start("Training");
        using IProgressChannel progress = host.StartProgressChannel("Training a feedback-alignment network");
        TrainingSettings chosen = settings with
        {
            ImageShape = ImageColumns.ShapeOf(training.Schema.Feature!.Value, settings.ImageShape),
            Environment = host,
            Device = TrainingDevice.Choose(host, channel),
            CheckCancelled = CheckCancelled,
        };
        using CheckpointFolder? folder = chosen.Checkpoints is { } checkpoints ? new CheckpointFolder(checkpoints.Folder, checkpoints.Keep) : null;
        IReadOnlyList<(string Folder, Checkpoint Checkpoint)> known = folder?.ReadLatest(message => channel.Warning(message)) ?? [];
        RowColumns columns = RowSources.ColumnsOf(training);
        TrainedNetwork? initial = model == null ? null : ContinuedModel.Open((INetworkModel)model, chosen, columns, channel);
        (RowSource opened, TrainingSettings seeded, Checkpoint? checkpoint) = Open(training, validation, chosen, folder, known, channel);
        using RowSource source = opened;
        chosen = seeded.For(source);
        channel.Info($"Training {chosen.Network} by {chosen.Rule} for {chosen.NumberOfEpochs} epochs of mini-batches of {chosen.BatchSize}.");
        string data = source.Fingerprint;
        TrainedNetwork trained = new TrainingLoop(chosen, source, Listener(channel, progress), folder)
        {
            Siblings = checkpoint == null ? [.. known.Select(pair => pair.Checkpoint)] : [],
        }.Run((epoch, lastGood) => Diverged(chosen.Optimizer, epoch, lastGood with { Names = columns.Names }), checkpoint, initial);
        IReadOnlyDictionary<string, string> record = TrainingRecord.Of(chosen, source, trained.Layout, data);
        TrainedNetwork Known(TrainedNetwork network) => network with { Names = columns.Names, Record = record };
        return Known(trained) with { Last = trained.Last == null ? null : Known(trained.Last) };
    }

    /// <summary>
    /// Opens the rows, and finds the checkpoint of a training on them. Where the user sets no seed, a checkpoint's own is taken over; if rows are
    /// kept aside by the seed, they are the same ones only then.
    /// </summary>
    private (RowSource Source, TrainingSettings Settings, Checkpoint? Checkpoint) Open(RoleMappedData training, RoleMappedData? validation,
        TrainingSettings chosen, CheckpointFolder? folder, IReadOnlyList<(string Folder, Checkpoint Checkpoint)> known, IChannel channel)
    {
        int[] seeds = chosen.SeedIsChosen ? [chosen.Seed] : [.. known.Select(pair => pair.Checkpoint.Seed).Append(chosen.Seed).Distinct()];
        for (int i = 0; ; i++)
        {
            TrainingSettings seeded = chosen with { Seed = seeds[i] };
            RowSource source = RowSources.Open(training, validation, seeded, channel, CheckCancelled);
            string data = seeded.DescribeData(source);
            (string Folder, Checkpoint Checkpoint) found = known.FirstOrDefault(pair => pair.Checkpoint.IsOf(data)
                && (chosen.ValidationFraction == 0 || chosen.ValidationSeed != null || pair.Checkpoint.Seed == seeded.Seed));
            if (found.Checkpoint != null)
            {
                folder!.Use(found.Folder, null);
                return (source, chosen.SeedIsChosen ? seeded : seeded with { Seed = found.Checkpoint.Seed }, found.Checkpoint);
            }
            if (i == seeds.Length - 1)
            {
                folder?.Use(null, known.Count == 0 ? null : data);
                if (known.Count > 0)
                    channel.Info($"'{chosen.Checkpoints!.Folder}' has checkpoints of trainings on other data. Those of this training are in "
                        + $"'{folder!.Folder}'.");
                return (source, seeded, null);
            }
            source.Dispose();
        }
    }

    private TrainingListener Listener(IChannel channel, IProgressChannel progress)
    {
        EpochMetrics? latest = null;
        // A regression has no accuracy; how far it is off, on average, is what its users follow.
        static double Measure(EpochMetrics metrics) => metrics.RootMeanSquaredError ?? metrics.Accuracy ?? double.NaN;
        progress.SetHeader(new ProgressHeader(["loss", settings.IsRegression ? "RMSE" : "accuracy"], ["epochs"]), entry =>
        {
            if (Volatile.Read(ref latest) is not { } metrics)
                return;
            entry.SetProgress(0, metrics.Epoch, settings.NumberOfEpochs);
            entry.SetMetric(0, metrics.Loss);
            entry.SetMetric(1, Measure(metrics));
        });
        EpochLog log = new(settings.NumberOfEpochs);
        return new TrainingListener(metrics =>
        {
            Volatile.Write(ref latest, metrics);
            progress.Checkpoint(metrics.Loss, Measure(metrics), metrics.Epoch);
            channel.Info(log.Line(metrics));
            Tell(nameof(options.MetricsCallback), () => _metricsCallback?.Invoke(metrics), channel);
        }, CheckCancelled, message => channel.Info(message), message => channel.Warning(message))
        {
            StopWhen = metrics => _stopWhen?.Invoke(metrics) == true,
            StepDone = metrics => Tell(nameof(options.StepCallback), () => _stepCallback?.Invoke(metrics), channel),
        };
    }

    /// <summary>Calls the user. A log that cannot be written, on a full disk for example, is no reason to lose the training.</summary>
    private static void Tell(string option, Action call, IChannel channel)
    {
        try
        {
            call();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            channel.Warning($"Option {option}: {failure.Message} The training goes on.");
        }
    }

    private void CheckCancelled()
    {
        _cancellation.ThrowIfCancellationRequested();
        host.CheckAlive();
    }

    private TrainingDivergedException Diverged(OptimizerOptions optimizer, int epoch, TrainedNetwork lastGood)
    {
        float rate = lastGood.History.Count > 0 ? (float)lastGood.History[^1].LearningRate : optimizer.LearningRate;
        string cure = lastGood.Layout.IsNormalized
            ? "In a network with normalisation each layer magnifies the error by as much as its weights are small: take InitialWeightScale = 1, a "
                + "lower FeedbackScale (a half), a larger BatchSize, or a lower learning rate (a tenth). "
            : $"Try a lower learning rate (a tenth), scale the features with mlContext.Transforms.NormalizeMeanVariance("
                + $"\"{_featureColumn}\"), or lower FeedbackScale. ";
        return new TrainingDivergedException(
            InvariantText.Of($"Training diverged in epoch {epoch}: the loss or a weight became infinite or not a number, with a learning rate of "
                + $"{rate} ({optimizer.GetType().Name}, rule {settings.Rule.ShortName}). ")
            + cure + $"The weights as they were before are in {nameof(TrainingDivergedException.LastGoodModel)}.",
            epoch, rate, makeModel(lastGood));
    }
}
