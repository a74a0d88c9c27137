using System.Diagnostics;
using System.Numerics.Tensors;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Training.Graph;

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
}

/// <summary>Epochs over shuffled mini-batches, from the start, from a trained model or from a checkpoint.</summary>
internal sealed class TrainingLoop
{
    private readonly TrainingSettings _settings;
    private readonly RowSource _source;
    private readonly TrainingListener _listener;
    private readonly CheckpointFolder? _folder;
    private readonly RandomGenerator _shuffle;
    private readonly List<EpochMetrics> _history = [];
    private readonly Stopwatch _sinceCheckpoint = Stopwatch.StartNew();
    private TrainingNetwork _network = null!;
    private Dictionary<string, string> _description = [];
    private float[]? _means;
    private TrainedNetwork _lastGood = null!;
    private TrainedNetwork? _best;

    // Of the epoch begun: Σ weight·loss, Σ weight, rows right, rows seen, rows done; and the shuffling's state before it.
    private double _loss, _weight;
    private long _correct, _seen, _done;
    private uint[] _shuffleBefore = [];

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
        _shuffle = new RandomGenerator(settings.Seed, "shuffle");
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="diverged">Makes the exception for a network that diverged in an epoch, from the network as it was before.</param>
    /// <param name="checkpoint">Where to go on; null to start.</param>
    /// <param name="initial">A trained network to start from; null for random weights.</param>
    public TrainedNetwork Run(Func<int, TrainedNetwork, Exception> diverged, Checkpoint? checkpoint = null, TrainedNetwork? initial = null)
    {
        LibTorch.EnsureLoaded();
        using TrainingNetwork network = _network = _settings.CreateNetwork(_source.Features, _source.Classes);
        (network.LabelSmoothing, network.Clipping) = (_settings.LabelSmoothing, _settings.Clipping);
        NetworkLayout layout = network.Layout;
        using ThreadCount threads = new(_settings.NumberOfThreads ?? (layout is DenseLayout ? ThreadCount.For(layout.WorkPerRow * _settings.BatchSize) : ThreadCount.Present));
        if (ConvolutionGuard.Machine.TakeUnreported() is { Count: > 0 } rerouted)
            _listener.Warn($"On this processor libtorch's own kernels compute some convolutions wrongly; these are computed another way: {string.Join(", ", rerouted)}.");
        if (network is CustomNetwork { IsRerouted: true })
            _listener.Warn($"On this processor libtorch's oneDNN computes convolutions of {_settings.Network} wrongly: the network is trained without oneDNN, which is slower. Numbers of channels that are multiples of 16 avoid it.");
        _description = _folder == null ? [] : _settings.Describe(_source, layout);
        _means = layout is DenseLayout && _settings.CenterFeatures ? _source.Center() : null;
        if (initial != null)
            ContinueFrom(initial);
        else if (layout is GraphLayout graph)
            _source.MeasureChannels(graph.Image.Channels, graph.InputMean.In(network.Statistics.Span), graph.InputDeviation.In(network.Statistics.Span));
        _shuffleBefore = _shuffle.GetState();
        _lastGood = NewCopy();
        bool complete = checkpoint != null && Restore(checkpoint);
        network.Upload();
        Keep(_lastGood);
        for (int epoch = _history.Count + 1; epoch <= _settings.NumberOfEpochs && !complete; epoch++)
        {
            EpochMetrics? metrics = RunEpoch(epoch);
            network.Download();
            if (metrics == null || !float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(network.Weights.Span)))
                throw diverged(epoch, _lastGood with { History = [.. _history] });
            _history.Add(metrics);
            Keep(_lastGood);
            (int bestEpoch, bool stop) = Judge();
            complete = epoch == _settings.NumberOfEpochs || (stop && _settings.EarlyStopping != null);
            if (bestEpoch == epoch && _settings.EarlyStopping is { RestoreBest: true })
                Keep(_best ??= NewCopy());
            (_loss, _weight, _correct, _seen, _done) = (0, 0, 0, 0, 0);
            _shuffleBefore = _shuffle.GetState();
            if (_folder != null && (complete || epoch % _settings.Checkpoints!.EveryEpochs == 0 || IsTime()))
                SaveCheckpoint(complete, isBest: bestEpoch == epoch);
            _listener.EpochDone(metrics);
            if (stop && _settings.EarlyStopping is { } stopping)
                _listener.Info($"Stopped after epoch {epoch}: {stopping.Metric} was best in epoch {bestEpoch}, {stopping.Patience} epochs ago.{(stopping.RestoreBest ? $" The model has the weights of epoch {bestEpoch}." : "")}");
        }
        return (_best ?? _lastGood) with { History = [.. _history] };
    }

    private EpochMetrics? RunEpoch(int epoch)
    {
        long start = Stopwatch.GetTimestamp(), seenBefore = _seen, total = _source.Count;
        float learningRate = _settings.Optimizer.LearningRate;
        int smallest = _network.Layout.NeedsTwoRows ? 2 : 1;
        double plateau = _settings.Schedule.DependsOnLosses ? _settings.Schedule.FactorAfter([.. _history.Select(past => past.ValidationLoss ?? past.Loss)]) : 1;
        (IReadOnlyDictionary<string, double> angle, IReadOnlyDictionary<string, double> ratio)? alignment = null;
        foreach (RowBatch batch in _source.Epoch(_settings.BatchSize, _shuffle, _done))
        {
            int count = batch.Rows.Length;
            if (count < smallest)
                continue;
            try
            {
                _listener.CheckCancelled();
            }
            catch (OperationCanceledException) when (_folder != null)
            {
                SaveCheckpoint(complete: false, isBest: false);
                throw;
            }
            BatchResult result = _network.ComputeGradient(batch.Data, batch.Rows.Span);
            if (!double.IsFinite(result.Loss))
                return null;
            bool last = total - _done - count < smallest;
            if (last && _settings.TrackAlignment)
            {
                _network.Download();
                alignment = Alignment.Measure(_network);
            }
            learningRate = (float)(_settings.Optimizer.LearningRate * plateau * _settings.Schedule.Factor(epoch - 1 + (double)_done / total, _settings.NumberOfEpochs));
            _network.Update(learningRate);
            Add(result);
            _done += count;
            if (_folder != null && IsTime() && !last)
                SaveCheckpoint(complete: false, isBest: false);
        }
        Add(_network.TakeTotals());
        if (!double.IsFinite(_loss))
            return null;
        EpochMetrics metrics = new()
        {
            Epoch = epoch,
            Loss = _weight > 0 ? _loss / _weight : 0,
            Accuracy = (double)_correct / _seen,
            LearningRate = learningRate,
            SamplesPerSecond = (_seen - seenBefore) / Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
        if (_source.Validation is { } validation)
        {
            EvaluationResult result = Evaluate(validation);
            metrics = metrics with
            {
                ValidationLoss = result.Weight > 0 ? result.Loss / result.Weight : 0,
                ValidationAccuracy = (double)result.Correct / result.Count,
                ValidationTopKAccuracy = _settings.TopK == null ? null : (double)result.AmongTop / result.Count,
            };
        }
        return alignment is { } measured ? metrics with { AlignmentAngle = measured.angle, NormRatio = measured.ratio } : metrics;
    }

    private void Add(BatchResult result)
    {
        _loss += result.Loss;
        _weight += result.Weight;
        _correct += result.Correct;
        _seen += result.Count;
    }

    /// <summary>The best epoch and whether to stop, where anyone asks.</summary>
    private (int BestEpoch, bool Stop) Judge() => (_settings.EarlyStopping, _folder) switch
    {
        (null, null) => (0, false),
        (null, _) => new EarlyStopping { Metric = _source.Validation == null ? StoppingMetric.TrainingLoss : StoppingMetric.ValidationLoss }.Judge(_history),
        ({ } stopping, _) => stopping.Judge(_history),
    };

    private EvaluationResult Evaluate(ValidationRows validation)
    {
        EvaluationResult total = default;
        for (int from = 0; from < validation.Rows.Length; from += _settings.BatchSize)
            total += _network.Evaluate(validation.Data, validation.Rows.AsSpan(from, Math.Min(_settings.BatchSize, validation.Rows.Length - from)), _settings.TopK ?? 1);
        return total;
    }

    /// <summary>Starts from a trained model: its weights and statistics, and its feedback weights if the rule is the same.</summary>
    private void ContinueFrom(TrainedNetwork initial)
    {
        initial.Parameters.CopyTo(_network.Weights.Span);
        initial.Statistics.CopyTo(_network.Statistics.Span);
        FoldMeans(_network.Layout, _network.Weights.Span, _means, sign: 1);
        if (initial.Rule.ShortName == _settings.Rule.ShortName && initial.Feedback.Length == _network.Feedback.Buffer.Length)
        {
            initial.Feedback.CopyTo(_network.Feedback.Buffer.Span);
            _network.Feedback.Forget();
        }
        else
            _network.Feedback.Draw(_network.Weights); // the signs are those of these weights
    }

    private TrainedNetwork NewCopy() =>
        new(_network.Layout, _settings.Rule, new float[_network.Weights.Length], new float[_network.Statistics.Length], new float[_network.Feedback.Buffer.Length], _history);

    /// <summary>Copies the state out, with the features' means folded into the first bias: W(x − μ) + b = Wx + (b − Wμ).</summary>
    private void Keep(TrainedNetwork copy)
    {
        _network.Weights.Span.CopyTo(copy.Parameters);
        FoldMeans(copy.Layout, copy.Parameters, _means, sign: -1);
        _network.Statistics.Span.CopyTo(copy.Statistics);
        _network.Feedback.Buffer.Span.CopyTo(copy.Feedback);
    }

    private static void FoldMeans(NetworkLayout layout, Span<float> parameters, float[]? means, float sign)
    {
        if (means == null)
            return;
        DenseLayer first = ((DenseLayout)layout).Layers[0];
        ReadOnlySpan<float> weights = first.Weight.In((ReadOnlySpan<float>)parameters);
        Span<float> bias = first.Bias.In(parameters);
        for (int unit = 0; unit < bias.Length; unit++)
            bias[unit] += sign * TensorPrimitives.Dot(weights.Slice(unit * first.Inputs, first.Inputs), means);
    }

    private bool IsTime() => _settings.Checkpoints?.EveryMinutes is { } minutes && _sinceCheckpoint.Elapsed.TotalMinutes >= minutes;

    private void SaveCheckpoint(bool complete, bool isBest)
    {
        _network.Download();
        Add(_network.TakeTotals());
        Dictionary<string, float[]> arrays = new()
        {
            ["weights"] = _network.Weights.Span.ToArray(),
            ["statistics"] = _network.Statistics.Span.ToArray(),
            ["feedback"] = _network.Feedback.Buffer.Span.ToArray(),
        };
        for (int i = 0; i < _network.Optimizer.State.Count; i++)
            arrays[$"optimizer.{i}"] = _network.Optimizer.State[i];
        if (_best != null)
            (arrays["best.weights"], arrays["best.statistics"], arrays["best.feedback"]) = (_best.Parameters, _best.Statistics, _best.Feedback);
        _folder!.Save(new Checkpoint
        {
            Version = Checkpoint.CurrentVersion,
            Settings = _description,
            Seed = _settings.Seed,
            Epochs = _history.Count,
            Rows = _done,
            Loss = _loss,
            Weight = _weight,
            Correct = _correct,
            Seen = _seen,
            Steps = _network.Optimizer.Steps,
            Random = Generators().ToDictionary(pair => pair.Name, pair => pair.Generator == _shuffle ? _shuffleBefore : pair.Generator.GetState()),
            History = _history,
            IsComplete = complete,
            Arrays = arrays,
        }, isBest);
        _sinceCheckpoint.Restart();
    }

    /// <summary>Goes on where a checkpoint stands.</summary>
    /// <returns>Whether that training is over.</returns>
    /// <exception cref="InvalidOperationException">It is that of another training.</exception>
    private bool Restore(Checkpoint checkpoint)
    {
        string[] differences = [.. _description.Where(pair => checkpoint.Settings.GetValueOrDefault(pair.Key) != pair.Value)
            .Select(pair => $"{pair.Key}: then {checkpoint.Settings.GetValueOrDefault(pair.Key, "unknown")}, now {pair.Value}")];
        if (differences.Length > 0)
            throw new InvalidOperationException($"Option CheckpointFolder: '{_settings.Checkpoints?.Folder}' has checkpoints of another training. {string.Join("; ", differences)}. Use the options and data of then, or another folder.");
        Copy("weights", _network.Weights.Span);
        Copy("statistics", _network.Statistics.Span);
        Copy("feedback", _network.Feedback.Buffer.Span);
        _network.Feedback.Forget();
        for (int i = 0; i < _network.Optimizer.State.Count; i++)
            Copy($"optimizer.{i}", _network.Optimizer.State[i]);
        _network.Optimizer.Steps = checkpoint.Steps;
        if (checkpoint.Arrays.ContainsKey("best.weights"))
        {
            _best = NewCopy();
            Copy("best.weights", _best.Parameters);
            Copy("best.statistics", _best.Statistics);
            Copy("best.feedback", _best.Feedback);
        }
        foreach ((string name, RandomGenerator generator) in Generators())
            generator.SetState(checkpoint.Random[name]);
        _shuffleBefore = _shuffle.GetState();
        _history.AddRange(checkpoint.History);
        (_loss, _weight, _correct, _seen, _done) = (checkpoint.Loss, checkpoint.Weight, checkpoint.Correct, checkpoint.Seen, checkpoint.Rows);
        _listener.Info(checkpoint.IsComplete ? $"The training in '{_settings.Checkpoints?.Folder}' is complete: its model is returned."
            : $"Going on from a checkpoint: {checkpoint.Epochs} epochs and {checkpoint.Rows} rows done.");
        return checkpoint.IsComplete;

        void Copy(string name, Span<float> target)
        {
            if (!checkpoint.Arrays.TryGetValue(name, out float[]? values) || values.Length != target.Length)
                throw new InvalidOperationException($"Option CheckpointFolder: the checkpoint in '{_settings.Checkpoints?.Folder}' lacks the array '{name}' of {target.Length} values. Use another folder.");
            values.CopyTo(target);
        }
    }

    private IEnumerable<(string Name, RandomGenerator Generator)> Generators()
    {
        yield return ("shuffle", _shuffle);
        yield return ("dropout", _network.Dropout);
        yield return ("feedback weights", _network.Feedback.Random);
        if (_network.AugmentationRandom is { } augmentation)
            yield return ("augmentation", augmentation);
    }
}
