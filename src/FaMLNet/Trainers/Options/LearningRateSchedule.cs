using System.Globalization;
using System.Text;

namespace FaMLNet;

/// <summary>How the learning rate changes over a training: a factor on the optimiser's rate, a pure function of the epoch.</summary>
public abstract record LearningRateSchedule
{
    /// <inheritdoc/>
    public sealed override string ToString() => InvariantText.OfRecord(GetType().Name, PrintMembers);

    private protected LearningRateSchedule() { }

    /// <summary>
    /// Epochs, from the start, over which the rate rises linearly to what the schedule says: step i of the n steps of the warm-up has (i + 1)/n of
    /// it, counted from 0, so that the first step learns already and the last has the whole rate.
    /// </summary>
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

    /// <summary>Multiplies the rate by <paramref name="gamma"/> after every <paramref name="epochs"/> epochs.</summary>
    /// <param name="gamma">Above 0.</param>
    /// <param name="epochs">At least 1.</param>
    public static LearningRateSchedule Step(double gamma, int epochs) => new StepSchedule(gamma, epochs);

    /// <summary>
    /// Down from the full rate along half a cosine, and again from the full rate, each time over a longer stretch (Loshchilov and Hutter
    /// 2017, SGDR).
    /// </summary>
    /// <param name="period">Epochs until the first restart, at least 1.</param>
    /// <param name="factor">Factor on the length of each stretch to that of the one before, at least 1.</param>
    /// <param name="floor">Share of the rate at the end of a stretch, in [0, 1).</param>
    public static LearningRateSchedule CosineWithRestarts(int period, int factor = 2, double floor = 0) => new RestartSchedule(period, factor, floor);

    /// <summary>
    /// Multiplies the rate by <paramref name="factor"/> whenever the loss has not improved for <paramref name="patience"/> epochs; the
    /// validation loss where there is a validation set, else that of training.
    /// </summary>
    /// <param name="factor">Above 0 and below 1.</param>
    /// <param name="patience">Epochs without improvement, at least 1; counted anew after each reduction.</param>
    /// <param name="minimumDelta">What counts as an improvement, 0 or more.</param>
    /// <param name="floor">The least factor, in [0, 1).</param>
    public static LearningRateSchedule ReduceOnPlateau(double factor = 0.1, int patience = 10, double minimumDelta = 1e-4, double floor = 0) =>
        new PlateauSchedule(factor, patience, minimumDelta, floor);

    /// <summary>
    /// From the full rate down to <paramref name="floor"/> times it along half a cosine over the whole run (Loshchilov and Hutter 2017,
    /// without restarts).
    /// </summary>
    /// <param name="floor">Range: [0, 1).</param>
    public static LearningRateSchedule Cosine(double floor = 0) => new CosineSchedule(floor);

    /// <summary>Multiplies the rate by <paramref name="gamma"/> every epoch.</summary>
    /// <param name="gamma">Above 0.</param>
    public static LearningRateSchedule Exponential(double gamma) => new ExponentialSchedule(gamma);

    /// <summary>The factor on the optimiser's rate at a moment of the training. A step's is <see cref="Factor(double, int, double)"/>.</summary>
    /// <param name="epoch">Epochs done, parts of the present one included: 0 at the start.</param>
    /// <param name="epochs">Epochs of the whole run.</param>
    public double Factor(double epoch, int epochs) => Factor(epoch, epochs, epoch);

    /// <summary>The factor on the optimiser's rate in a step.</summary>
    /// <param name="epoch">Epochs done before the step, parts of the present one included: 0 at the start.</param>
    /// <param name="epochs">Epochs of the whole run.</param>
    /// <param name="after">Epochs done after the step, which is as far as the warm-up has come.</param>
    public double Factor(double epoch, int epochs, double after) => Shape(epoch, epochs) * (after < WarmupEpochs ? after / WarmupEpochs : 1);

    /// <summary>A further factor, from how the training has gone: 1 but for <see cref="ReduceOnPlateau"/>.</summary>
    /// <param name="losses">The loss of each epoch done.</param>
    public virtual double FactorAfter(IReadOnlyList<double> losses) => 1;

    /// <summary>Whether <see cref="FactorAfter"/> is ever other than 1.</summary>
    internal virtual bool DependsOnLosses => false;

    private protected abstract double Shape(double epoch, int epochs);

    internal virtual void Validate()
    {
        if (!(WarmupEpochs >= 0 && double.IsFinite(WarmupEpochs)))
            throw OptionError.OutOfRange("Schedule", $"WarmupEpochs must be 0 or more; found {WarmupEpochs}.");
    }

    private static void CheckGamma(double gamma)
    {
        if (!(gamma > 0 && double.IsFinite(gamma)))
            throw OptionError.OutOfRange("Schedule", $"gamma must be above 0, for example 0.5; found {gamma}.");
    }

    private static void CheckFloor(double floor, string schedule)
    {
        if (!(floor >= 0 && floor < 1))
            throw OptionError.OutOfRange("Schedule", $"the floor of {schedule} must be at least 0 and below 1; found {floor}.");
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
                    throw OptionError.OutOfRange("Schedule",
                        $"milestones must ascend and be {(AsShares ? "shares of the run, above 0 and below 1" : "at least 1")}; found {Text(", ")}.");
            }
        }

        public bool Equals(MultiStepSchedule? other) =>
            other is not null && Gamma.Equals(other.Gamma) && AsShares == other.AsShares && WarmupEpochs.Equals(other.WarmupEpochs)
                && Milestones.SequenceEqual(other.Milestones);

        public override int GetHashCode() => HashCode.Combine(Gamma, AsShares, Milestones.Count, WarmupEpochs);

        protected override bool PrintMembers(StringBuilder builder)
        {
            builder.Append(InvariantText.Of($"Gamma = {Gamma}, Milestones = {Text(" ")}, AsShares = {AsShares}, WarmupEpochs = {WarmupEpochs}"));
            return true;
        }

        private string Text(string separator) =>
            string.Join(separator, Milestones.Select(milestone => milestone.ToString(CultureInfo.InvariantCulture)));
    }

    private sealed record CosineSchedule(double Floor) : LearningRateSchedule
    {
        private protected override double Shape(double epoch, int epochs) => Floor
            + (1 - Floor) * (1 + Math.Cos(Math.PI * Math.Min(1, epoch / epochs))) / 2;

        internal override void Validate()
        {
            base.Validate();
            CheckFloor(Floor, nameof(Cosine));
        }
    }

    private sealed record StepSchedule(double Gamma, int Epochs) : LearningRateSchedule
    {
        private protected override double Shape(double epoch, int epochs) => Math.Pow(Gamma, Math.Floor(epoch / Epochs));

        internal override void Validate()
        {
            base.Validate();
            CheckGamma(Gamma);
            if (Epochs < 1)
                throw OptionError.OutOfRange("Schedule", $"the epochs of Step must be at least 1; found {Epochs}.");
        }
    }

    private sealed record RestartSchedule(int Period, int Growth, double Floor) : LearningRateSchedule
    {
        private protected override double Shape(double epoch, int epochs)
        {
            double length = Period, start = 0;
            while (epoch - start >= length)
            {
                start += length;
                length *= Growth;
            }
            return Floor + (1 - Floor) * (1 + Math.Cos(Math.PI * (epoch - start) / length)) / 2;
        }

        internal override void Validate()
        {
            base.Validate();
            if (Period < 1 || Growth < 1)
                throw OptionError.OutOfRange("Schedule", $"period and factor of CosineWithRestarts must be at least 1; found {Period} and {Growth}.");
            CheckFloor(Floor, nameof(CosineWithRestarts));
        }
    }

    private sealed record PlateauSchedule(double Reduction, int Patience, double MinimumDelta, double Floor) : LearningRateSchedule
    {
        internal override bool DependsOnLosses => true;

        // Replayed from the history: nothing to remember, nothing to save.
        public override double FactorAfter(IReadOnlyList<double> losses)
        {
            double factor = 1, best = double.PositiveInfinity;
            int waited = 0;
            foreach (double loss in losses)
            {
                if (loss < best - MinimumDelta)
                    (best, waited) = (loss, 0);
                else if (++waited >= Patience)
                    (factor, waited) = (Math.Max(Floor, factor * Reduction), 0);
            }
            return factor;
        }

        private protected override double Shape(double epoch, int epochs) => 1;

        internal override void Validate()
        {
            base.Validate();
            if (!(Reduction > 0 && Reduction < 1))
                throw OptionError.OutOfRange("Schedule", $"the factor of ReduceOnPlateau must be above 0 and below 1; found {Reduction}.");
            if (Patience < 1)
                throw OptionError.OutOfRange("Schedule", $"the patience of ReduceOnPlateau must be at least 1; found {Patience}.");
            if (!(MinimumDelta >= 0 && double.IsFinite(MinimumDelta)))
                throw OptionError.OutOfRange("Schedule", $"the minimum delta of ReduceOnPlateau must be 0 or more; found {MinimumDelta}.");
            CheckFloor(Floor, nameof(ReduceOnPlateau));
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
