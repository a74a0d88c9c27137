namespace FaMLNet;

/// <summary>
/// The fast gradient sign method: x′ = x + ε · sign(∇L(x)), the best step of an L∞ bound if the network were linear. Goodfellow, Shlens and
/// Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015.
/// </summary>
/// <param name="Epsilon">The L∞ bound, in units of the feature column; at least 0.</param>
public sealed record FgsmAttack(float Epsilon) : BoundedAttack(Epsilon)
{
    /// <inheritdoc/>
    public override string Name => "FGSM";

    /// <inheritdoc/>
    public override bool UsesGradients => true;

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        if (Norm != AttackNorm.LInfinity)
            throw Wrong("norm", $"must be LInfinity; found {Norm}. By L2 the same is Attack.Pgd with one step");
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        float[] x = row.Copy();
        AttackAnswer answer = await row.Differentiate(x, AttackLoss.CrossEntropy);
        AttackedRow.AddSign(x, answer.Gradient, Epsilon);
        return x;
    }
}
