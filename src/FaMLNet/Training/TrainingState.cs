using FaMLNet.Computing;
using FaMLNet.Persistence;
using FaMLNet.Tasks.Losses;
using FaMLNet.Training.Checkpoints;

namespace FaMLNet.Training;

/// <summary>
/// Where a training stands: the network, the history, the position within the epoch and the random streams. It is what a checkpoint saves and
/// restores, and what becomes the model.
/// </summary>
internal sealed class TrainingState
{
    private readonly TrainingPlan _plan;
    private readonly TrainingStep _step;
    private readonly float[]? _means;
    private readonly List<EpochMetrics> _history = [];
    private uint[] _shuffleBefore;
    private readonly TrainedNetwork _lastGood;
    private TrainedNetwork? _best;

    // Of the epoch begun: Σ weight·loss, Σ weight, Σ weight·(prediction − label)², rows right, rows seen.
    private double _loss, _weight, _squares;
    private long _correct;

    /// <param name="plan">The training.</param>
    /// <param name="step">Its step; owned by the caller.</param>
    /// <param name="means">What was subtracted from the features; null for nothing.</param>
    public TrainingState(TrainingPlan plan, TrainingStep step, float[]? means)
    {
        _plan = plan;
        _step = step;
        _means = means;
        Shuffle = new RandomGenerator(plan.Seed, "shuffle");
        _shuffleBefore = Shuffle.GetState();
        _lastGood = NewCopy();
    }

    private TrainingNetwork Network => _step.Network;

    /// <summary>The stream that decides the order of rows.</summary>
    public RandomGenerator Shuffle { get; }

    public IReadOnlyList<EpochMetrics> History => _history;

    /// <summary>The network as it was after the last whole epoch.</summary>
    public TrainedNetwork LastGood => ToModel(_lastGood) with { History = [.. _history] };

    /// <summary>Rows of the epoch begun that are done, and those of them that were trained on.</summary>
    public long RowsDone { get; set; }

    public long RowsSeen { get; private set; }

    /// <summary>Mean loss of the rows of the epoch begun.</summary>
    public double Loss => _weight > 0 ? _loss / _weight : _loss;

    /// <summary>Share of rows of the epoch begun that were right; null for a regression.</summary>
    public double? Accuracy => _plan.Task.AccuracyOf(_correct, RowsSeen);

    /// <summary>How far a regression's rows of the epoch begun were off, in the label's units; null for a classifier.</summary>
    public double? RootMeanSquaredError => _plan.Task.ErrorOf(_squares, _weight);

    public void Add(BatchResult result)
    {
        _loss += result.Loss;
        _weight += result.Weight;
        _squares += result.Squares;
        _correct += result.Correct;
        RowsSeen += result.Count;
    }

    /// <summary>An epoch is over.</summary>
    public void EndEpoch(EpochMetrics metrics)
    {
        _history.Add(metrics);
        KeepLastGood();
        (_loss, _weight, _squares, _correct, RowsSeen, RowsDone) = (0, 0, 0, 0, 0, 0);
        _shuffleBefore = Shuffle.GetState();
    }

    public void KeepLastGood() => Keep(_lastGood);

    /// <summary>Keeps the network as it is for <see cref="Result"/>.</summary>
    public void KeepBest() => Keep(_best ??= NewCopy());

    /// <summary>The best epoch's network where one was kept, else the last.</summary>
    public TrainedNetwork Result()
    {
        TrainedNetwork last = LastGood;
        return _best == null ? last : ToModel(_best) with { History = last.History, Last = last };
    }

    /// <summary>All that going on needs.</summary>
    /// <param name="complete">Whether the training is over.</param>
    public Checkpoint Save(bool complete)
    {
        _step.Download();
        Add(Network.TakeTotals());
        Dictionary<string, float[]> arrays = new()
        {
            ["weights"] = Network.Weights.Span.ToArray(),
            ["statistics"] = Network.Statistics.Span.ToArray(),
            ["feedback"] = Network.Feedback.Buffer.Span.ToArray(),
        };
        for (int i = 0; i < _step.Optimizer.State.Count; i++)
            arrays[$"optimizer.{i}"] = _step.Optimizer.State[i];
        if (_step.Norms != null)
            arrays["weight norms"] = _step.Norms.Values;
        if (_best != null)
            (arrays["best.weights"], arrays["best.statistics"], arrays["best.feedback"]) = (_best.Parameters, _best.Statistics, _best.Feedback);
        return new Checkpoint
        {
            Version = Checkpoint.CurrentVersion,
            Settings = new(_plan.Description),
            Seed = _plan.Seed,
            Epochs = _history.Count,
            Rows = RowsDone,
            Loss = _loss,
            Weight = _weight,
            Squares = _squares,
            Correct = _correct,
            Seen = RowsSeen,
            Steps = _step.Optimizer.Steps,
            Random = Generators().ToDictionary(pair => pair.Name, pair => pair.Generator == Shuffle ? _shuffleBefore : pair.Generator.GetState()),
            History = _history,
            IsComplete = complete,
            Arrays = arrays,
        };
    }

    /// <summary>Goes on where a checkpoint stands.</summary>
    /// <exception cref="InvalidOperationException">It is that of another training.</exception>
    public void Restore(Checkpoint checkpoint)
    {
        Compare(checkpoint, CanBeLonger(checkpoint) ? [Checkpoint.NumberOfEpochs] : []);
        Copy("weights", Network.Weights.Span);
        Copy("statistics", Network.Statistics.Span);
        Copy("feedback", Network.Feedback.Buffer.Span);
        Network.Feedback.Forget();
        for (int i = 0; i < _step.Optimizer.State.Count; i++)
            Copy($"optimizer.{i}", _step.Optimizer.State[i]);
        if (_step.Norms != null)
            Copy("weight norms", _step.Norms.Values);
        _step.Optimizer.Steps = checkpoint.Steps;
        if (checkpoint.Arrays.ContainsKey("best.weights"))
        {
            _best = NewCopy();
            Copy("best.weights", _best.Parameters);
            Copy("best.statistics", _best.Statistics);
            Copy("best.feedback", _best.Feedback);
        }
        foreach ((string name, RandomGenerator generator) in Generators())
            generator.SetState(checkpoint.Random[name]);
        _shuffleBefore = Shuffle.GetState();
        _history.AddRange(checkpoint.History);
        (_loss, _weight, _squares, _correct) = (checkpoint.Loss, checkpoint.Weight, checkpoint.Squares, checkpoint.Correct);
        (RowsSeen, RowsDone) = (checkpoint.Seen, checkpoint.Rows);

        void Copy(string name, Span<float> target)
        {
            if (!checkpoint.Arrays.TryGetValue(name, out float[]? values) || values.Length != target.Length)
                throw new InvalidOperationException($"Option CheckpointFolder: the checkpoint in '{_plan.Checkpoints?.Folder}' lacks the array "
                    + $"'{name}' of {target.Length} values. Use another folder.");
            values.CopyTo(target);
        }
    }

    /// <summary>Refuses to begin beside a training by other options: whoever changes them must say so by another folder.</summary>
    /// <param name="sibling">A checkpoint of a training on other rows.</param>
    public void CheckSibling(Checkpoint sibling)
    {
        // Other rows may have other labels, but of the same kind.
        bool isAlike = LabelsIn(sibling.Settings.GetValueOrDefault(Checkpoint.Data)) == LabelsIn(_plan.Description[Checkpoint.Data]);
        Compare(sibling, [Checkpoint.NumberOfEpochs, "Seed", "Network", .. isAlike ? [Checkpoint.Data] : Array.Empty<string>()]);

        static string? LabelsIn(string? data) => data?.Split(" features and ")[^1].Split(", SHA-256")[0];
    }

    private void Compare(Checkpoint checkpoint, string[] passed)
    {
        string[] differences = [.. _plan.Description.Where(pair => !passed.Contains(pair.Key)
            && checkpoint.Settings.GetValueOrDefault(pair.Key) != pair.Value)
            .Select(pair => $"{pair.Key}: then {checkpoint.Settings.GetValueOrDefault(pair.Key, "unknown")}, now {pair.Value}")];
        if (differences.Length > 0)
        {
            string length = differences is [var only] && only.StartsWith(Checkpoint.NumberOfEpochs, StringComparison.Ordinal)
                ? _plan.NumberOfEpochs < checkpoint.Epochs ? " It has trained more epochs than are wanted now."
                    : $" The rates of the schedule {_plan.Schedule} depend on the number of epochs, so a longer training has other rates from "
                        + $"the start."
                : "";
            throw new InvalidOperationException($"Option CheckpointFolder: '{_plan.Checkpoints?.Folder}' has checkpoints of another training. "
                + $"{string.Join("; ", differences)}.{length} Use the options and data of then, or another folder.");
        }
    }

    /// <summary>
    /// Whether a training of another length may go on from a checkpoint: it has not trained too long, and every rate so far was the one that it
    /// would have had.
    /// </summary>
    private bool CanBeLonger(Checkpoint checkpoint)
    {
        int then = checkpoint.EpochsWanted, now = _plan.NumberOfEpochs, quarters = 4 * (checkpoint.Epochs + 1);
        return then > 0 && now >= checkpoint.Epochs + (checkpoint.Rows > 0 ? 1 : 0) && Enumerable.Range(0, quarters).All(quarter =>
            _plan.Schedule.Factor(quarter / 4.0, then) == _plan.Schedule.Factor(quarter / 4.0, now));
    }

    private TrainedNetwork NewCopy() =>
        new(Network.Layout, _plan.Rule, new float[Network.Weights.Length], new float[Network.Statistics.Length],
            new float[Network.Feedback.Buffer.Length], _history)
        { Targets = _plan.Task.Targets };

    /// <summary>A copy as models keep it.</summary>
    private static TrainedNetwork ToModel(TrainedNetwork copy) => copy.Layout is DenseLayout { IsFeatureMajor: true } layout
        ? copy with { Layout = layout.ToModel(), Parameters = layout.Unpack(copy.Parameters) } : copy;

    /// <summary>Copies the network out, with the features' means folded into the biases above them: W(x − μ) + b = Wx + (b − Wμ).</summary>
    private void Keep(TrainedNetwork copy)
    {
        Network.Weights.Span.CopyTo(copy.Parameters);
        StartingWeights.FoldMeans(copy.Layout, copy.Parameters, _means, sign: -1);
        Network.Statistics.Span.CopyTo(copy.Statistics);
        Network.Feedback.Buffer.Span.CopyTo(copy.Feedback);
    }

    private IEnumerable<(string Name, RandomGenerator Generator)> Generators()
    {
        yield return ("shuffle", Shuffle);
        yield return ("dropout", Network.Dropout);
        yield return ("feedback weights", Network.Feedback.Random);
        if (Network.AugmentationRandom is { } augmentation)
            yield return ("augmentation", augmentation);
    }
}
