using System.Diagnostics;
using System.Numerics.Tensors;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Training.Graph;
using FaMLNet.Training.Losses;

namespace FaMLNet.Training;

/// <summary>Who hears of a training.</summary>
/// <param name="EpochDone">Called after each epoch.</param>
/// <param name="CheckCancelled">Called before each step; throws to stop the training.</param>
/// <param name="Info">Receives what is good to know.</param>
/// <param name="Warn">Receives what the user should know.</param>
internal sealed record TrainingListener(Action<EpochMetrics> EpochDone, Action CheckCancelled, Action<string> Info, Action<string> Warn)
{
    /// <summary>Nobody.</summary>
    public static TrainingListener None { get; } = new(_ => { }, () => { }, _ => { }, _ => { });

    /// <summary>Whether to end the training after an epoch.</summary>
    public Func<EpochMetrics, bool> StopWhen { get; init; } = _ => false;

    /// <summary>Called after steps that are measured within an epoch.</summary>
    public Action<StepMetrics> StepDone { get; init; } = _ => { };

    /// <summary>Called when the training is over, however it ends.</summary>
    public Action Over { get; init; } = () => { };
}

/// <summary>Epochs over shuffled mini-batches, from the start, from a trained model or from a checkpoint.</summary>
internal sealed class TrainingLoop
{
    private readonly TrainingSettings _settings;
    private readonly RowSource _source;
    private readonly TrainingListener _listener;
    private readonly CheckpointFolder? _folder;
    private readonly FailedWrites _checkpoints;
    private readonly Stopwatch _sinceCheckpoint = Stopwatch.StartNew();
    private TrainingNetwork _network = null!;
    private TrainingState _state = null!;
    private MeasuredSteps _measured = null!;
    private string? _id;

    /// <param name="settings">What to train and how.</param>
    /// <param name="source">The rows; owned by the caller.</param>
    /// <param name="listener">Hears of it.</param>
    /// <param name="folder">Where checkpoints go; null for none.</param>
    public TrainingLoop(TrainingSettings settings, RowSource source, TrainingListener listener, CheckpointFolder? folder = null)
    {
        _settings = settings;
        _source = source;
        _listener = listener;
        _folder = folder;
        _checkpoints = new FailedWrites($"Option CheckpointFolder: checkpoints in '{folder?.Folder}'", listener.Warn);
    }

    /// <summary>Checkpoints of trainings on other rows in the same folder: they must have the same options.</summary>
    public IReadOnlyList<Checkpoint> Siblings { get; init; } = [];

    /// <summary>Trains to the end.</summary>
    /// <param name="diverged">Makes the exception for a network that diverged in an epoch, from the network as it was before.</param>
    /// <param name="checkpoint">Where to go on; null to start.</param>
    /// <param name="initial">A trained network to start from; null for random weights.</param>
    public TrainedNetwork Run(Func<int, TrainedNetwork, Exception> diverged, Checkpoint? checkpoint = null, TrainedNetwork? initial = null)
    {
        LibTorch.EnsureLoaded();
        try
        {
            using TrainingNetwork network = NetworkFactory.Create(_settings, _source.Features, _source.Outputs, _source.Sparse);
            Train(network, diverged, checkpoint, initial);
        }
        finally
        {
            _checkpoints.End();
            _listener.Over();
        }
        // The network's memory is free by now: a model of many features need not find room beside it.
        return _state.Result();
    }

    private void Train(TrainingNetwork network, Func<int, TrainedNetwork, Exception> diverged, Checkpoint? checkpoint, TrainedNetwork? initial)
    {
        _network = network;
        NetworkLayout layout = network.Layout;
        using ThreadCount threads = new(_settings.NumberOfThreads
            ?? (layout is DenseLayout ? ThreadCount.For(layout.WorkPerRow * _settings.BatchSize) : ThreadCount.Present));
        WarnOfWrongKernels();
        TargetScale scale = initial == null ? ScaleOf(_source.Targets) : ScaleOf(initial);
        network.Loss = TrainingLoss.For(_source.Kind, _settings.RegressionLoss, scale);
        _measured = new MeasuredSteps(_settings, network);
        _state = Begin(layout, initial, scale);
        if (_settings.ConstrainWeightNorms)
            network.Norms = new WeightNorms(layout, network.Weights.Span);
        foreach (Checkpoint sibling in Siblings)
            _state.CheckSibling(sibling);
        bool complete = checkpoint != null && Restore(checkpoint);
        network.Upload();
        _state.KeepLastGood();
        for (int epoch = _state.History.Count + 1; epoch <= _settings.NumberOfEpochs && !complete; epoch++)
        {
            EpochMetrics? metrics = RunEpoch(epoch);
            if (metrics != null)
                network.EndEpoch();
            network.Download();
            if (metrics == null || !float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(network.Weights.Span)))
                throw diverged(epoch, _state.LastGood);
            _state.EndEpoch(metrics with { Histograms = null });
            metrics = metrics with { TrainingId = _id };
            (int bestEpoch, bool stop) = Judge();
            bool ended = _listener.StopWhen(metrics);
            complete = ended || epoch == _settings.NumberOfEpochs || (stop && _settings.EarlyStopping != null);
            if (bestEpoch == epoch && _settings.EarlyStopping is { RestoreBest: true })
                _state.KeepBest();
            if (_folder != null && (complete || epoch % _settings.Checkpoints!.EveryEpochs == 0 || IsTime()))
                SaveCheckpoint(complete, isBest: bestEpoch == epoch);
            _listener.EpochDone(metrics);
            if (ended)
                _listener.Info($"Stopped after epoch {epoch} of {_settings.NumberOfEpochs}: option StopWhen was true.");
            else if (stop && _settings.EarlyStopping is { } stopping)
            {
                _listener.Info($"Stopped after epoch {epoch}: {stopping.Metric} was best in epoch {bestEpoch}, {stopping.Patience} epochs ago."
                    + (stopping.RestoreBest ? $" The model has the weights of epoch {bestEpoch}." : ""));
            }
        }
    }

    /// <summary>What makes a regression's target a number of about unit size.</summary>
    private TargetScale ScaleOf(TargetMoments targets) =>
        _settings.IsRegression ? targets.Scale(_settings.PredictsRates) : TargetScale.None;

    /// <summary>That of a model to continue, whose outputs must mean what the loss takes them for.</summary>
    private TargetScale ScaleOf(TrainedNetwork initial) =>
        !_settings.IsRegression || initial.Target.IsLogarithmic == _settings.PredictsRates ? initial.Target
            : initial.Target.IsLogarithmic ? throw OptionError.Invalid("Loss",
                $"the model to continue predicts logarithms of rates; {_settings.RegressionLoss} takes them for numbers. Set RegressionLoss.Poisson.")
            : throw OptionError.Invalid("Loss",
                $"the model to continue predicts numbers; Poisson takes them for logarithms of rates. Set the loss that it was trained by.");

    private void WarnOfWrongKernels()
    {
        if (ConvolutionGuard.Machine.TakeUnreported() is { Count: > 0 } rerouted)
            _listener.Warn($"On this processor libtorch's own kernels compute some convolutions wrongly; these are computed another way: "
                + $"{string.Join(", ", rerouted)}.");
        if (_network.IsRerouted)
        {
            _listener.Warn($"On this processor libtorch's oneDNN computes convolutions of {_settings.Network} wrongly: the network is trained "
                + $"without oneDNN, which is slower. "
                + "Numbers of channels that are multiples of 16 avoid it.");
        }
    }

    private void TellOfSparseRows()
    {
        if (_source.Sparse is not { } sparse)
            return;
        _listener.Info(InvariantText.Of($"Rows are kept sparse: {sparse.ValuesPerRow:0.#} of {_source.Features} values a row are not 0 "
            + $"(FeatureStorage). Features are not centred, which would make them dense.")
            + (_network.Layout is DenseLayout { IsFeatureMajor: true }
                ? InvariantText.Of($" The learning rate is {_settings.Optimizer.LearningRate}; a feature's weights change where it occurs.")
                : " The network computes on all of them."));
    }

    private TrainingState Begin(NetworkLayout layout, TrainedNetwork? initial, TargetScale scale)
    {
        Dictionary<string, string> description = _folder == null ? [] : _settings.Describe(_source, layout);
        _id = _folder == null ? null : Checkpoint.IdOf(description);
        TellOfSparseRows();
        float[]? means = layout is DenseLayout && _settings.CenterFeatures && _source.Sparse == null ? _source.Center() : null;
        TrainingState state = new(_settings, _network, means, scale, description);
        if (initial != null)
            state.ContinueFrom(initial);
        else if (layout is GraphLayout graph)
            _source.MeasureChannels(graph.Image.Channels, graph.InputMean.In(_network.Statistics.Span),
                graph.InputDeviation.In(_network.Statistics.Span));
        return state;
    }

    /// <returns>Whether that training is over.</returns>
    private bool Restore(Checkpoint checkpoint)
    {
        _state.Restore(checkpoint);
        // One that had all its epochs, and is to have more by now, goes on; one that was stopped is over.
        if (checkpoint.IsComplete && checkpoint.Epochs == checkpoint.EpochsWanted && checkpoint.Epochs < _settings.NumberOfEpochs)
        {
            _listener.Info($"Going on from a training of {checkpoint.Epochs} epochs that was complete, to {_settings.NumberOfEpochs}.");
            return false;
        }
        _listener.Info(checkpoint.IsComplete ? $"The training in '{_settings.Checkpoints?.Folder}' is complete: its model is returned."
            : $"Going on from a checkpoint: {checkpoint.Epochs} epochs and {checkpoint.Rows} rows done.");
        return checkpoint.IsComplete;
    }

    /// <returns>Null if the training has diverged.</returns>
    private EpochMetrics? RunEpoch(int epoch)
    {
        long start = Stopwatch.GetTimestamp(), seenBefore = _state.RowsSeen, total = _source.Count;
        float learningRate = _settings.Optimizer.LearningRate;
        int smallest = _network.Layout.NeedsTwoRows ? 2 : 1, size = _settings.BatchSize;
        // A last mini-batch that is too small is no step.
        double steps = total / size + (total % size >= smallest ? 1 : 0);
        double plateau = _settings.Schedule.DependsOnLosses
            ? _settings.Schedule.FactorAfter([.. _state.History.Select(past => past.ValidationLoss ?? past.Loss)]) : 1;
        Measurement? atEnd = null;
        foreach (RowBatch batch in _source.Epoch(_settings.BatchSize, _state.Shuffle, _state.RowsDone))
        {
            int count = batch.Rows.Length;
            if (count < smallest)
                continue;
            CheckCancelled();
            long left = total - _state.RowsDone - count;
            bool last = left < smallest;
            Measurement? measurement = _measured.Begin(left, last);
            if (measurement != null)
                _state.Add(_network.TakeTotals());
            BatchResult result = _network.ComputeGradient(batch.Data, batch.Rows.Span);
            if (!double.IsFinite(result.Loss))
                return null;
            if (measurement != null)
            {
                _network.Download();
                measurement.BeforeUpdate(_network.Activity);
            }
            learningRate = (float)(_settings.Optimizer.LearningRate * plateau * _settings.Schedule.Factor(epoch - 1 + (double)_state.RowsDone / total,
                _settings.NumberOfEpochs, after: epoch - 1 + (_state.RowsDone / size + 1) / steps));
            _network.Update(learningRate);
            if (measurement != null)
            {
                _network.Download();
                measurement.AfterUpdate();
                result += _network.TakeTotals();
                if (_measured.Point(epoch, result, learningRate) is { } point)
                    _listener.StepDone(point with { TrainingId = _id });
                atEnd = last ? measurement : null;
            }
            _state.Add(result);
            _state.RowsDone += count;
            if (_folder != null && IsTime() && !last)
                SaveCheckpoint(complete: false, isBest: false);
        }
        _state.Add(_network.TakeTotals());
        if (!double.IsFinite(_state.Loss))
            return null;
        EpochMetrics metrics = new()
        {
            Epoch = epoch,
            Loss = _state.Loss,
            Accuracy = _state.Accuracy,
            RootMeanSquaredError = _state.RootMeanSquaredError,
            LearningRate = learningRate,
            SamplesPerSecond = (_state.RowsSeen - seenBefore) / Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
        if (_source.Validation is { } validation)
        {
            EvaluationResult result = Evaluate(validation);
            metrics = metrics with
            {
                ValidationLoss = result.Weight > 0 ? result.Loss / result.Weight : 0,
                ValidationAccuracy = _settings.IsRegression ? null : (double)result.Correct / result.Count,
                ValidationRootMeanSquaredError = _settings.IsRegression && result.Weight > 0 ? Math.Sqrt(result.Squares / result.Weight) : null,
                ValidationTopKAccuracy = _settings.TopK == null ? null : (double)result.AmongTop / result.Count,
            };
        }
        return atEnd == null ? metrics : atEnd.AddTo(metrics);
    }

    private void CheckCancelled()
    {
        try
        {
            _listener.CheckCancelled();
        }
        catch (OperationCanceledException) when (_folder != null)
        {
            CleanUp.Run(() => SaveCheckpoint(complete: false, isBest: false), "Saving a checkpoint on cancellation", _listener.Warn);
            throw;
        }
    }

    /// <summary>The best epoch and whether to stop, where anyone asks.</summary>
    private (int BestEpoch, bool Stop) Judge() => (_settings.EarlyStopping, _folder) switch
    {
        (null, null) => (0, false),
        (null, _) => new EarlyStopping
        {
            Metric = _source.Validation == null ? StoppingMetric.TrainingLoss
            : StoppingMetric.ValidationLoss
        }.Judge(_state.History),
        ({ } stopping, _) => stopping.Judge(_state.History),
    };

    private EvaluationResult Evaluate(ValidationRows validation)
    {
        EvaluationResult total = default;
        for (int from = 0; from < validation.Rows.Length; from += _settings.BatchSize)
        {
            // Nothing is saved here: the latest checkpoint is from before this epoch's measurements.
            _listener.CheckCancelled();
            total += _network.Evaluate(validation.Data, validation.Rows.AsSpan(from, Math.Min(_settings.BatchSize, validation.Rows.Length - from)),
                _settings.TopK ?? 1);
        }
        return total;
    }

    private bool IsTime() => _settings.Checkpoints?.EveryMinutes is { } minutes && _sinceCheckpoint.Elapsed.TotalMinutes >= minutes;

    /// <summary>Saves a checkpoint. One that cannot be written is no reason to lose the training: it is said, and the next one is tried.</summary>
    private void SaveCheckpoint(bool complete, bool isBest)
    {
        Checkpoint checkpoint = _state.Save(complete);
        try
        {
            _folder!.Save(checkpoint, isBest);
            _checkpoints.Written();
        }
        catch (IOException failure)
        {
            _checkpoints.Failed(failure.Message);
        }
        _sinceCheckpoint.Restart();
    }
}
