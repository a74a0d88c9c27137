namespace FaMLNet;

/// <summary>
/// Auto-PGD towards one class after the other, the likeliest first, by the targeted ratio of logit differences. Croce and Hein, "Reliable
/// evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML 2020, section 4.1.
/// </summary>
/// <param name="Epsilon">The bound, in units of the feature column; at least 0.</param>
public sealed record TargetedApgdAttack(float Epsilon) : BoundedAttack(Epsilon)
{
    /// <summary>Classes to try, the likeliest after the right one first.</summary>
    /// <value>Default: 9.</value>
    public int Targets { get; init; } = 9;

    /// <summary>Gradients a target.</summary>
    /// <value>Default: 100.</value>
    public int Steps { get; init; } = 100;

    /// <inheritdoc/>
    public override string Name => "APGD-T";

    /// <inheritdoc/>
    public override string Settings => $"{Targets} targets, {Steps} steps";

    /// <inheritdoc/>
    public override bool UsesGradients => true;

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        CheckCount("targets", Targets, 1);
        CheckCount("steps", Steps, 2);
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        float[] x = row.Copy(), logits = [.. (await row.Ask(x)).Logits];
        int[] classes = [.. Enumerable.Range(0, row.Classes).Where(c => c != row.Label).OrderByDescending(c => logits[c]).Take(Targets)];
        ApgdAttack search = new(Epsilon) { Steps = Steps, AttackNorm = AttackNorm };
        foreach (int target in classes)
        {
            x = await search.Search(row, AttackLoss.TargetedDifferenceOfLogitsRatio(target));
            if ((await row.Ask(x)).Fools)
                break;
        }
        return x;
    }
}
