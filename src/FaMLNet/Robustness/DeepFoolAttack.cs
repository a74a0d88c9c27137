using System.Numerics.Tensors;
using FaMLNet.Diagnostics;

namespace FaMLNet;

/// <summary>
/// DeepFool: the network is taken as linear around the point at hand, and the point moves to the nearest boundary to another class, again and
/// again until it is past one. For a linear classifier it finds the exact distance. Moosavi-Dezfooli, Fawzi and Frossard, "DeepFool: a simple and
/// accurate method to fool deep neural networks", CVPR 2016, algorithm 2.
/// </summary>
public sealed record DeepFoolAttack : Attack
{
    /// <summary>Steps at most.</summary>
    /// <value>Default: 50.</value>
    public int MaximumSteps { get; init; } = 50;

    /// <summary>By how much, as a share, the change goes past the boundary.</summary>
    /// <value>Default: 0.02.</value>
    public float Overshoot { get; init; } = 0.02f;

    /// <summary>How many of the likeliest classes are looked at; a gradient each.</summary>
    /// <value>Default: 10.</value>
    public int Classes { get; init; } = 10;

    /// <summary>An L2 bound, in units of the feature column; null for none.</summary>
    /// <value>Default: null.</value>
    public float? Epsilon { get; init; }

    /// <inheritdoc/>
    public override string Name => "DeepFool";

    /// <inheritdoc/>
    public override AttackNorm Norm => AttackNorm.L2;

    /// <inheritdoc/>
    public override double Bound => Epsilon ?? double.PositiveInfinity;

    /// <inheritdoc/>
    public override bool UsesGradients => true;

    /// <inheritdoc/>
    protected override void Validate()
    {
        base.Validate();
        CheckCount("maximumSteps", MaximumSteps, 1);
        CheckCount("classes", Classes, 2);
        if (!(Overshoot >= 0 && float.IsFinite(Overshoot)))
            throw Wrong("overshoot", $"must be at least 0; found {Overshoot}");
    }

    /// <inheritdoc/>
    protected override async Task<float[]> Perturb(AttackedRow row)
    {
        float[] x = row.Copy(), change = new float[x.Length], nearest = new float[x.Length];
        AttackAnswer clean = await row.Ask(x);
        float[] logits = [.. clean.Logits];
        int[] others = [.. Enumerable.Range(0, row.Classes).Where(c => c != row.Label).OrderByDescending(c => logits[c]).Take(Classes - 1)];
        for (int step = 0; step < MaximumSteps; step++)
        {
            double distance = double.PositiveInfinity, length = 0;
            foreach (int other in others)
            {
                // f_k = z_k − z_y and w_k = ∇f_k: the boundary is |f_k|/‖w_k‖ away.
                AttackAnswer answer = await row.Differentiate(x, AttackLoss.LogitDifference(other, row.Label));
                if (answer.Fools)
                    return x;
                double norm = Vectors.Norm(answer.Gradient), away = Math.Abs(answer.Loss) / norm;
                if (norm > 0 && away < distance)
                {
                    (distance, length) = (away, norm);
                    answer.Gradient.CopyTo(nearest);
                }
            }
            if (length == 0)
                return x; // no gradient leads anywhere
            TensorPrimitives.MultiplyAdd(nearest, (float)(distance / length), change, change);
            for (int i = 0; i < x.Length; i++)
                x[i] = row.Clean[i] + (1 + Overshoot) * change[i];
            row.Project(x);
        }
        return x;
    }
}
