namespace FaMLNet;

/// <summary>
/// Auto-PGD: projected steps with momentum whose size is halved at checkpoints where the loss has not risen often enough, or not at all, going
/// on from the best point. Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
/// ICML 2020, algorithm 1.
/// </summary>
/// <param name="Epsilon">The bound, in units of the feature column; at least 0.</param>
public sealed record ApgdAttack(float Epsilon) : BoundedAttack(Epsilon)
{
    private const float Momentum = 0.75f;
    private const double LeastRises = 0.75;

    /// <summary>What to raise.</summary>
    /// <value>Default: <see cref="AttackLoss.CrossEntropy"/>.</value>
    public AttackLoss Loss { get; init; } = AttackLoss.CrossEntropy;

    /// <summary>Gradients a start.</summary>
    /// <value>Default: 100.</value>
    public int Steps { get; init; } = 100;

    /// <summary>Random starts for rows that withstand.</summary>
    /// <value>Default: 1.</value>
    public int Restarts { get; init; } = 1;

    /// <inheritdoc/>
    public override string Name => Loss == AttackLoss.DifferenceOfLogitsRatio ? "APGD-DLR" : Loss == AttackLoss.CrossEntropy ? "APGD-CE" : "APGD";

    /// <inheritdoc/>
    public override string Settings => $"{Steps} steps{(Restarts > 1 ? $", {Restarts} starts" : "")}";

    /// <inheritdoc/>
    public override bool UsesGradients => true;

    /// <summary>The steps after which the size is looked at: at 0, 22 % of all, and ever shorter distances, at least 6 % (section 3.1).</summary>
    internal static int[] Checkpoints(int steps)
    {
        List<int> points = [];
        for (double before = 0, point = 0.22; point <= 1; (before, point) = (point, point + Math.Max(point - before - 0.03, 0.06)))
            points.Add((int)Math.Ceiling(point * steps - 1e-9));
        return [.. points.Distinct()];
    }

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        CheckCount("steps", Steps, 2);
        CheckCount("restarts", Restarts, 1);
        if (Loss is null)
            throw new ArgumentNullException(nameof(Loss), $"Attack {nameof(ApgdAttack)}: Loss must not be null.");
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        for (int start = 1; ; start++)
        {
            float[] x = await Search(row, Loss);
            if (start == Restarts || (await row.Ask(x)).Fools)
                return x;
        }
    }

    /// <summary>One start.</summary>
    internal async Task<float[]> Search(AttackedRow row, AttackLoss loss)
    {
        float[] x = RandomStart(row), best = [.. x], before = [.. x], bestGradient = new float[x.Length], gradient = new float[x.Length];
        float step = 2 * Epsilon;
        double value = double.NegativeInfinity, bestValue = value, bestAtCheckpoint = value;
        bool halvedAtCheckpoint = true;
        int rises = 0, last = 0, next = 0;
        int[] checkpoints = Checkpoints(Steps);
        for (int k = 0; k < Steps; k++)
        {
            AttackAnswer answer = await row.Differentiate(x, loss);
            if (answer.Fools && row.StopsWhenFooled)
                return x;
            rises += answer.Loss > value && k > 0 ? 1 : 0;
            value = answer.Loss;
            answer.Gradient.CopyTo(gradient);
            if (value > bestValue)
            {
                bestValue = value;
                x.CopyTo(best, 0);
                gradient.CopyTo(bestGradient, 0);
            }
            if (next < checkpoints.Length && k == checkpoints[next])
            {
                bool seldom = rises < LeastRises * (k - last), stuck = !halvedAtCheckpoint && bestValue <= bestAtCheckpoint;
                (halvedAtCheckpoint, bestAtCheckpoint, rises, last) = (seldom || stuck, bestValue, 0, k);
                next++;
                if (halvedAtCheckpoint)
                {
                    step /= 2;
                    best.CopyTo(x, 0);
                    best.CopyTo(before, 0);
                    bestGradient.CopyTo(gradient, 0);
                    value = bestValue;
                }
            }
            float[] z = [.. x];
            row.AddStep(z, gradient, step);
            row.Project(z);
            if (k > 0)
            {
                for (int i = 0; i < z.Length; i++)
                    z[i] = x[i] + Momentum * (z[i] - x[i]) + (1 - Momentum) * (x[i] - before[i]);
                row.Project(z);
            }
            (before, x) = (x, z);
        }
        AttackAnswer end = await row.Ask(x);
        return end.Fools ? x : best;
    }
}
