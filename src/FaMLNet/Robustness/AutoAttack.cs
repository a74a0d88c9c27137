namespace FaMLNet;

/// <summary>
/// Several attacks one after the other, each on the rows that still stand: the worst case over all of them. Auto-PGD by cross-entropy, targeted
/// Auto-PGD and Square, after Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
/// ICML 2020; their set has FAB too.
/// </summary>
/// <param name="Epsilon">The bound, in units of the feature column; at least 0.</param>
public sealed record AutoAttack(float Epsilon) : BoundedAttack(Epsilon)
{
    /// <summary>Gradients a start of the two Auto-PGDs.</summary>
    /// <value>Default: 100.</value>
    public int Steps { get; init; } = 100;

    /// <summary>Questions a row of Square.</summary>
    /// <value>Default: 5,000, as in the paper.</value>
    public int Queries { get; init; } = 5000;

    /// <inheritdoc/>
    public override string Name => "AutoAttack";

    /// <inheritdoc/>
    public override bool UsesGradients => true;

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        foreach (Attack attack in Parts())
            attack.Check();
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        float[] x = row.Copy();
        foreach (Attack attack in Parts())
        {
            x = await attack.Run(row);
            row.Project(x);
            if ((await row.Ask(x)).Fools)
                break;
        }
        return x;
    }

    private Attack[] Parts() =>
    [
        new ApgdAttack(Epsilon) { Steps = Steps, AttackNorm = AttackNorm },
        new TargetedApgdAttack(Epsilon) { Steps = Steps, AttackNorm = AttackNorm },
        new SquareAttack(Epsilon) { Queries = Queries, AttackNorm = AttackNorm },
    ];
}
