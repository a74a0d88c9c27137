
namespace FaMLNet;

/// <summary>
/// What a regression minimises, of the target less its mean and divided by its standard deviation over the training rows (t) and of the network's
/// output (z).
/// </summary>
public abstract record RegressionLoss
{
    private RegressionLoss() { }

    /// <summary>(z − t)²/2: the mean is learnt.</summary>
    public static RegressionLoss Squared { get; } = new SquaredLoss();

    /// <summary>|z − t|: the median is learnt, and outliers count no more than others.</summary>
    public static RegressionLoss Absolute { get; } = new AbsoluteLoss();

    /// <summary>
    /// For counts, which are 0 or more: the network's output is the logarithm of the rate, and the loss is half the deviance,
    /// rate − t + t·ln(t/rate), with t and rate in units of the mean count (McCullagh and Nelder 1989, "Generalized linear models").
    /// </summary>
    public static RegressionLoss Poisson { get; } = new PoissonLoss();

    /// <summary>Squared up to a distance, absolute beyond it (Huber 1964, "Robust estimation of a location parameter").</summary>
    /// <param name="delta">The distance, in standard deviations of the target. Range: above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delta"/> is out of range.</exception>
    public static RegressionLoss Huber(float delta = 1) => delta > 0 && float.IsFinite(delta) ? new HuberLoss(delta)
        : throw new ArgumentOutOfRangeException(nameof(delta), InvariantText.Of($"Argument delta: must be above 0 and finite; found {delta}."));

    /// <summary>Whether the output is a logarithm, and the target scaled by its mean alone.</summary>
    internal virtual bool IsLogarithmic => false;

    /// <summary>The loss at an output and a target.</summary>
    internal abstract double At(double z, double t);

    /// <summary>Its derivative with respect to the output.</summary>
    internal abstract double SlopeAt(double z, double t);

    private sealed record SquaredLoss : RegressionLoss
    {
        public override string ToString() => "Squared";

        internal override double At(double z, double t) => (z - t) * (z - t) / 2;

        internal override double SlopeAt(double z, double t) => z - t;
    }

    private sealed record AbsoluteLoss : RegressionLoss
    {
        public override string ToString() => "Absolute";

        internal override double At(double z, double t) => Math.Abs(z - t);

        // NaN stays NaN, so that a training that diverges is seen to.
        internal override double SlopeAt(double z, double t) => z > t ? 1 : z < t ? -1 : z - t;
    }

    private sealed record HuberLoss(float Delta) : RegressionLoss
    {
        public override string ToString() => InvariantText.Of($"Huber({Delta})");

        internal override double At(double z, double t) =>
            Math.Abs(z - t) is var distance && distance > Delta ? Delta * (distance - Delta / 2.0) : distance * distance / 2;

        internal override double SlopeAt(double z, double t) => Math.Clamp(z - t, -Delta, Delta);
    }

    private sealed record PoissonLoss : RegressionLoss
    {
        public override string ToString() => "Poisson";

        internal override bool IsLogarithmic => true;

        internal override double At(double z, double t) => Math.Exp(z) - t + (t > 0 ? t * (Math.Log(t) - z) : 0);

        internal override double SlopeAt(double z, double t) => Math.Exp(z) - t;
    }
}
