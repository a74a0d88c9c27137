namespace FaMLNet;

/// <summary>
/// Random noise of the bound's full size: random signs by L∞, a random direction by L2. Not an attack but the control beside one: what
/// noise fools, no attack is needed for, and a white-box attack that does no better has been misled.
/// </summary>
/// <param name="Epsilon">The bound, in units of the feature column; at least 0.</param>
public sealed record NoiseAttack(float Epsilon) : BoundedAttack(Epsilon)
{
    /// <summary>Draws for rows that withstand.</summary>
    /// <value>Default: 1.</value>
    public int Draws { get; init; } = 1;

    /// <inheritdoc/>
    public override string Name => "Noise";

    /// <inheritdoc/>
    public override string Settings => Draws > 1 ? $"{Draws} draws" : "";

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        CheckCount("draws", Draws, 1);
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        float[] noise = new float[row.Features];
        for (int draw = 1; ; draw++)
        {
            float[] x = row.Copy();
            row.Random.FillNormal(noise, 0, 1);
            row.AddStep(x, noise, Epsilon);
            row.Project(x);
            if (draw == Draws || (await row.Ask(x)).Fools)
                return x;
        }
    }
}
