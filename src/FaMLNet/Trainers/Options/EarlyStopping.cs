namespace FaMLNet;

/// <summary>What tells whether a training still improves.</summary>
public enum StoppingMetric
{
    /// <summary>The loss on the validation set: lower is better.</summary>
    ValidationLoss,

    /// <summary>The accuracy on the validation set: higher is better.</summary>
    ValidationAccuracy,

    /// <summary>The loss on the training data: lower is better. Needs no validation set.</summary>
    TrainingLoss,
}

/// <summary>Ends a training that no longer improves (Prechelt 1998, "Early stopping: but when?").</summary>
public sealed record EarlyStopping
{
    /// <inheritdoc/>
    public override string ToString() => InvariantText.OfRecord(GetType().Name, PrintMembers);

    /// <summary>What is watched.</summary>
    /// <value>Default: <see cref="StoppingMetric.ValidationLoss"/>, which needs a validation set or <c>ValidationFraction</c>.</value>
    public StoppingMetric Metric { get; init; } = StoppingMetric.ValidationLoss;

    /// <summary>Epochs without improvement after which the training ends.</summary>
    /// <value>Range: 1 or more. Default: 10.</value>
    public int Patience { get; init; } = 10;

    /// <summary>By how much a metric must be better than the best so far to count as an improvement.</summary>
    /// <value>Range: 0 or more. Default: 0.</value>
    public double MinimumDelta { get; init; }

    /// <summary>Whether the model has the weights of the best epoch, instead of the last.</summary>
    /// <value>Default: true.</value>
    public bool RestoreBest { get; init; } = true;

    internal bool NeedsValidation => Metric != StoppingMetric.TrainingLoss;

    internal void Validate()
    {
        if (!Enum.IsDefined(Metric))
            throw OptionError.Invalid("EarlyStopping",
                $"Metric must be one of {string.Join(", ", Enum.GetNames<StoppingMetric>())}; found {Metric}.");
        if (Patience < 1)
            throw OptionError.Invalid("EarlyStopping", $"Patience must be at least 1; found {Patience}.");
        if (!(MinimumDelta >= 0 && double.IsFinite(MinimumDelta)))
            throw OptionError.Invalid("EarlyStopping", $"MinimumDelta must be 0 or more; found {MinimumDelta}.");
    }

    /// <summary>The best epoch so far and whether to stop: a pure function of the history.</summary>
    internal (int BestEpoch, bool Stop) Judge(IReadOnlyList<EpochMetrics> history)
    {
        int best = 0;
        double level = double.PositiveInfinity;
        foreach (EpochMetrics epoch in history)
        {
            double value = Badness(epoch);
            if (value < level - MinimumDelta || best == 0)
                (best, level) = (epoch.Epoch, value);
        }
        return (best, history.Count > 0 && history[^1].Epoch - best >= Patience);
    }

    private double Badness(EpochMetrics epoch) => Metric switch
    {
        StoppingMetric.ValidationLoss => epoch.ValidationLoss ?? epoch.Loss,
        StoppingMetric.ValidationAccuracy => -(epoch.ValidationAccuracy ?? epoch.Accuracy ?? 0),
        _ => epoch.Loss,
    };
}
