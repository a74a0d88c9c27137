namespace FaMLNet;

/// <summary>
/// Projected gradient descent: steepest steps that raise the cross-entropy, each followed by a projection into the ball, from a random point
/// of it. Madry, Makelov, Schmidt, Tsipras and Vladu, "Towards deep learning models resistant to adversarial attacks", ICLR 2018.
/// </summary>
/// <param name="Epsilon">The bound, in units of the feature column; at least 0.</param>
public sealed record PgdAttack(float Epsilon) : BoundedAttack(Epsilon)
{
    /// <summary>Gradients a start.</summary>
    /// <value>Default: 20.</value>
    public int Steps { get; init; } = 20;

    /// <summary>The size of a step, in units of the feature column; null for 2.5 · ε/steps, by which every point of the ball can be
    /// reached.</summary>
    /// <value>Default: null.</value>
    public float? StepSize { get; init; }

    /// <summary>Random starts for rows that withstand.</summary>
    /// <value>Default: 1.</value>
    public int Restarts { get; init; } = 1;

    /// <summary>Whether the first start is random; else it is the row itself (the basic iterative method of Kurakin et al. 2017).</summary>
    /// <value>Default: true.</value>
    public bool StartsRandomly { get; init; } = true;

    /// <inheritdoc/>
    public override string Name => "PGD";

    /// <inheritdoc/>
    public override string Settings => $"{Steps} steps{(Restarts > 1 ? $", {Restarts} starts" : "")}";

    /// <inheritdoc/>
    public override bool UsesGradients => true;

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        CheckCount("steps", Steps, 1);
        CheckCount("restarts", Restarts, 1);
        CheckStepSize(StepSize);
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        float step = StepOf(StepSize, Steps);
        for (int start = 1; ; start++)
        {
            float[] x = start > 1 || StartsRandomly ? RandomStart(row) : row.Copy();
            for (int i = 0; i < Steps; i++)
            {
                AttackAnswer answer = await row.Differentiate(x, AttackLoss.CrossEntropy);
                if (answer.Fools && row.StopsWhenFooled)
                    return x;
                row.AddStep(x, answer.Gradient, step);
                row.Project(x);
            }
            if (start == Restarts || (await row.Ask(x)).Fools)
                return x;
        }
    }
}
