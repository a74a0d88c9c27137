namespace FaMLNet;

/// <summary>
/// The inner maximisation of TRADES: projected steps that raise the Kullback-Leibler divergence between the predictions of the clean and of the
/// changed row, whatever the label. Zhang, Yu, Jiao, Xing, El Ghaoui and Jordan, "Theoretically principled trade-off between robustness and
/// accuracy", ICML 2019.
/// </summary>
/// <param name="Epsilon">The bound, in units of the feature column; at least 0.</param>
public sealed record TpgdAttack(float Epsilon) : BoundedAttack(Epsilon)
{
    /// <summary>The deviation of the noise with which it starts, as a share of ε: at the row itself the gradient is 0.</summary>
    private const float Start = 0.03f;

    /// <summary>Gradients.</summary>
    /// <value>Default: 10.</value>
    public int Steps { get; init; } = 10;

    /// <summary>The size of a step, in units of the feature column; null for 2.5 · ε/steps.</summary>
    /// <value>Default: null.</value>
    public float? StepSize { get; init; }

    /// <inheritdoc/>
    public override string Name => "TPGD";

    /// <inheritdoc/>
    public override string Settings => $"{Steps} steps";

    /// <inheritdoc/>
    public override bool UsesGradients => true;

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        CheckCount("steps", Steps, 1);
        CheckStepSize(StepSize);
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        float step = StepOf(StepSize, Steps);
        float[] x = row.Copy(), noise = new float[x.Length];
        AttackLoss loss = AttackLoss.KullbackLeibler((await row.Ask(x)).Logits);
        row.Random.FillNormal(noise, 0, Start * Epsilon / (Norm == AttackNorm.L2 ? MathF.Sqrt(x.Length) : 1));
        for (int i = 0; i < x.Length; i++)
            x[i] += noise[i];
        row.Project(x);
        for (int i = 0; i < Steps; i++)
        {
            AttackAnswer answer = await row.Differentiate(x, loss);
            if (answer.Fools && row.StopsWhenFooled)
                break;
            row.AddStep(x, answer.Gradient, step);
            row.Project(x);
        }
        return x;
    }
}
