using FaMLNet.Persistence;
using FaMLNet.Rows;
using FaMLNet.Training;
using FaMLNet.Training.Checkpoints;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>One training as ML.NET's hosts see it: rows, device, checkpoints, messages, progress.</summary>
/// <param name="host">The trainer's.</param>
/// <param name="options">What the user chose: who hears of the training and who may stop it.</param>
/// <param name="request">The same without names of columns and callbacks.</param>
/// <param name="makeModel">Makes the model that an exception carries.</param>
internal sealed class TrainingRun(IHost host, FeedbackAlignmentOptions options, TrainingRequest request,
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
        TrainingRequest asked = request with
        {
            ImageShape = ImageColumns.ShapeOf(training.Schema.Feature!.Value, request.ImageShape),
            Environment = host,
            Device = TrainingDevice.Choose(host, channel),
            CheckCancelled = CheckCancelled,
        };
        if (validation != null && asked.ValidationFraction > 0)
            channel.Warning($"Option {nameof(options.ValidationFraction)} is not used, since Fit has a validation set of its own: all training rows "
                + "are trained on.");
        using CheckpointFolder? folder = asked.Checkpoints is { } checkpoints ? new CheckpointFolder(checkpoints.Folder, checkpoints.Keep) : null;
        IReadOnlyList<(string Folder, Checkpoint Checkpoint)> known = folder?.Identify(message => channel.Warning(message)) ?? [];
        RowColumns columns = RowSources.ColumnsOf(training);
        TrainedNetwork? initial = model == null ? null : ContinuedModel.Open((INetworkModel)model, asked, columns, channel);
        string? startingModel = folder == null ? null : initial?.Digest();
        (RowSource opened, int seed, Checkpoint? checkpoint) = Open(training, validation, asked, startingModel, folder, known, channel);
        using RowSource source = opened;
        channel.Info($"Training {asked.Network} by {asked.Rule} for {asked.NumberOfEpochs} epochs of mini-batches of {asked.BatchSize}.");
        using NetworkFactory factory = NetworkFactory.Open(asked, source.Features, source.Outputs, source.Sparse);
        TrainingPlan plan = TrainingPlan.Make(asked, source, factory.Layout, seed, initial, startingModel);
        string data = source.Fingerprint;
        TrainedNetwork trained = new TrainingLoop(plan, factory, source, Listener(channel, progress), folder)
        {
            Siblings = checkpoint == null ? [.. known.Select(pair => pair.Checkpoint)] : [],
        }.Run((epoch, lastGood) => Diverged(plan.Optimizer, epoch, lastGood with { Names = columns.Names }), checkpoint, initial);
        IReadOnlyDictionary<string, string> record = TrainingRecord.Of(plan, data);
        TrainedNetwork Known(TrainedNetwork network) => network with { Names = columns.Names, Record = record };
        return Known(trained) with { Last = trained.Last == null ? null : Known(trained.Last) };
    }

    /// <summary>
    /// Opens the rows, and finds the checkpoint of a training on them. Where the user sets no seed, a checkpoint's own is taken over; if rows are
    /// kept aside by the seed, they are the same ones only then.
    /// </summary>
    private (RowSource Source, int Seed, Checkpoint? Checkpoint) Open(RoleMappedData training, RoleMappedData? validation,
        TrainingRequest asked, string? startingModel, CheckpointFolder? folder, IReadOnlyList<(string Folder, Checkpoint Checkpoint)> known,
            IChannel channel)
    {
        int[] seeds = asked.Seed is { } own ? [own] : [.. known.Select(pair => pair.Checkpoint.Seed).Append(asked.DefaultSeed).Distinct()];
        for (int i = 0; ; i++)
        {
            RowSource source = RowSources.Open(training, validation, asked.Rows(seeds[i]), channel, CheckCancelled);
            string data = TrainingPlan.DescribeData(asked.Task, source, startingModel);
            foreach ((string found, Checkpoint state) in known)
            {
                if (!state.IsOf(data) || (asked.ValidationFraction != 0 && asked.ValidationSeed == null && state.Seed != seeds[i])
                    || CheckpointFolder.ReadLatest(found, message => channel.Warning(message)) is not { } checkpoint)
                    continue;
                folder!.Use(found, null);
                return (source, asked.Seed ?? checkpoint.Seed, checkpoint);
            }
            if (i == seeds.Length - 1)
            {
                folder?.Use(null, known.Count == 0 ? null : data);
                if (known.Count > 0)
                    channel.Info($"'{asked.Checkpoints!.Folder}' has checkpoints of trainings on other data or from other models. Those of this "
                        + $"training are in '{folder!.Folder}'.");
                string fresh = TrainingPlan.DescribeData(asked.Task, source);
                if (startingModel != null && known.Any(pair => pair.Checkpoint.IsOf(fresh)))
                    channel.Warning($"A checkpoint in '{asked.Checkpoints!.Folder}' is of a training on the same data that does not say which model "
                        + "it started from: of one from random weights, or of an earlier version of FaMLNet. It is left alone, and this training "
                        + "begins with the model that it was given.");
                return (source, seeds[i], null);
            }
            source.Dispose();
        }
    }

    private TrainingListener Listener(IChannel channel, IProgressChannel progress)
    {
        EpochMetrics? latest = null;
        progress.SetHeader(new ProgressHeader(["loss", request.Task.Measure], ["epochs"]), entry =>
        {
            if (Volatile.Read(ref latest) is not { } metrics)
                return;
            entry.SetProgress(0, metrics.Epoch, request.NumberOfEpochs);
            entry.SetMetric(0, metrics.Loss);
            entry.SetMetric(1, request.Task.MeasureOf(metrics));
        });
        EpochLog log = new(request.NumberOfEpochs);
        FailedWrites epochs = new($"Option {nameof(options.MetricsCallback)}: what it writes", message => channel.Warning(message)),
            steps = new($"Option {nameof(options.StepCallback)}: what it writes", message => channel.Warning(message));
        return new TrainingListener(metrics =>
        {
            Volatile.Write(ref latest, metrics);
            progress.Checkpoint(metrics.Loss, request.Task.MeasureOf(metrics), metrics.Epoch);
            channel.Info(log.Line(metrics));
            Tell(nameof(options.MetricsCallback), () => _metricsCallback?.Invoke(metrics), epochs);
        }, CheckCancelled, message => channel.Info(message), message => channel.Warning(message))
        {
            StopWhen = metrics => _stopWhen?.Invoke(metrics) == true,
            StepDone = metrics => Tell(nameof(options.StepCallback), () => _stepCallback?.Invoke(metrics), steps),
            Over = () =>
            {
                epochs.End();
                steps.End();
            },
        };
    }

    /// <summary>Calls the user. A log that cannot be written, on a full disk for example, is no reason to lose the training.</summary>
    private static void Tell(string option, Action call, FailedWrites writes)
    {
        try
        {
            call();
            writes.Written();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            writes.Failed($"Option {option}: {failure.Message}");
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
                + $"{rate} ({optimizer.GetType().Name}, rule {request.Rule.ShortName}). ")
            + cure + $"The weights as they were before are in {nameof(TrainingDivergedException.LastGoodModel)}.",
            epoch, rate, makeModel(lastGood));
    }
}
