namespace FaMLNet;

/// <summary>How the learning rate changes over a training: a factor on the optimiser's rate, a pure function of the epoch.</summary>
public abstract record LearningRateSchedule
{
    private protected LearningRateSchedule() { }

    /// <summary>Epochs, from the start, over which the rate rises linearly from 0 to what the schedule says.</summary>
    /// <value>Range: 0 or more; parts of an epoch count. Default: 0.</value>
    public double WarmupEpochs { get; init; }

    /// <summary>The same rate throughout.</summary>
    public static LearningRateSchedule Constant { get; } = new ConstantSchedule();

    /// <summary>Multiplies the rate by <paramref name="gamma"/> at each of the given epochs.</summary>
    /// <param name="gamma">Above 0.</param>
    /// <param name="milestones">Numbers of complete epochs, ascending, each at least 1.</param>
    public static LearningRateSchedule MultiStep(double gamma, params int[] milestones)
    {
        ArgumentNullException.ThrowIfNull(milestones);
        return new MultiStepSchedule(gamma, [.. milestones.Select(milestone => (double)milestone)], AsShares: false);
    }

    /// <summary>Multiplies the rate by <paramref name="gamma"/> at the given shares of the whole run, for example 0.5 and 0.75.</summary>
    /// <param name="gamma">Above 0.</param>
    /// <param name="shares">Ascending, each above 0 and below 1.</param>
    public static LearningRateSchedule MultiStepAtShares(double gamma, params double[] shares)
    {
        ArgumentNullException.ThrowIfNull(shares);
        return new MultiStepSchedule(gamma, [.. shares], AsShares: true);
    }

    /// <summary>From the full rate down to <paramref name="floor"/> times it along half a cosine over the whole run (Loshchilov and Hutter 2017, without restarts).</summary>
    /// <param name="floor">Range: [0, 1).</param>
    public static LearningRateSchedule Cosine(double floor = 0) => new CosineSchedule(floor);

    /// <summary>Multiplies the rate by <paramref name="gamma"/> every epoch.</summary>
    /// <param name="gamma">Above 0.</param>
    public static LearningRateSchedule Exponential(double gamma) => new ExponentialSchedule(gamma);

    /// <summary>The factor on the optimiser's rate.</summary>
    /// <param name="epoch">Epochs done, parts of the present one included: 0 at the start.</param>
    /// <param name="epochs">Epochs of the whole run.</param>
    public double Factor(double epoch, int epochs) => Shape(epoch, epochs) * (epoch < WarmupEpochs ? epoch / WarmupEpochs : 1);

    private protected abstract double Shape(double epoch, int epochs);

    internal virtual void Validate()
    {
        if (!(WarmupEpochs >= 0 && double.IsFinite(WarmupEpochs)))
            throw new ArgumentOutOfRangeException(nameof(WarmupEpochs), WarmupEpochs, $"Option Schedule: WarmupEpochs must be 0 or more; found {WarmupEpochs}.");
    }

    private static void CheckGamma(double gamma)
    {
        if (!(gamma > 0 && double.IsFinite(gamma)))
            throw new ArgumentOutOfRangeException(nameof(gamma), gamma, $"Option Schedule: gamma must be above 0, for example 0.5; found {gamma}.");
    }

    private sealed record ConstantSchedule : LearningRateSchedule
    {
        private protected override double Shape(double epoch, int epochs) => 1;
    }

    private sealed record MultiStepSchedule(double Gamma, IReadOnlyList<double> Milestones, bool AsShares) : LearningRateSchedule
    {
        private protected override double Shape(double epoch, int epochs) =>
            Math.Pow(Gamma, Milestones.Count(milestone => epoch >= (AsShares ? milestone * epochs : milestone)));

        internal override void Validate()
        {
            base.Validate();
            CheckGamma(Gamma);
            for (int i = 0; i < Milestones.Count; i++)
            {
                if (!(Milestones[i] > 0) || (AsShares && Milestones[i] >= 1) || (i > 0 && Milestones[i] <= Milestones[i - 1]))
                    throw new ArgumentOutOfRangeException(nameof(Milestones), Milestones[i],
                        $"Option Schedule: milestones must ascend and be {(AsShares ? "shares of the run, above 0 and below 1" : "at least 1")}; found {string.Join(", ", Milestones)}.");
            }
        }

        public bool Equals(MultiStepSchedule? other) =>
            other is not null && Gamma.Equals(other.Gamma) && AsShares == other.AsShares && WarmupEpochs.Equals(other.WarmupEpochs) && Milestones.SequenceEqual(other.Milestones);

        public override int GetHashCode() => HashCode.Combine(Gamma, AsShares, Milestones.Count, WarmupEpochs);
    }

    private sealed record CosineSchedule(double Floor) : LearningRateSchedule
    {
        private protected override double Shape(double epoch, int epochs) => Floor + (1 - Floor) * (1 + Math.Cos(Math.PI * Math.Min(1, epoch / epochs))) / 2;

        internal override void Validate()
        {
            base.Validate();
            if (!(Floor >= 0 && Floor < 1))
                throw new ArgumentOutOfRangeException(nameof(Floor), Floor, $"Option Schedule: the floor of Cosine must be at least 0 and below 1; found {Floor}.");
        }
    }

    private sealed record ExponentialSchedule(double Gamma) : LearningRateSchedule
    {
        private protected override double Shape(double epoch, int epochs) => Math.Pow(Gamma, Math.Floor(epoch));

        internal override void Validate()
        {
            base.Validate();
            CheckGamma(Gamma);
        }
    }
}
