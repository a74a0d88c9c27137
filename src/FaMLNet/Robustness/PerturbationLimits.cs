using System.Numerics.Tensors;
using FaMLNet.Diagnostics;

namespace FaMLNet.Robustness;

/// <summary>How far the values of one row may go: the bound of an attack around them, and the range of the input.</summary>
internal sealed class PerturbationLimits
{
    private readonly double _bound;
    private readonly float[]? _low, _high;

    /// <param name="clean">The row.</param>
    /// <param name="norm">How perturbations are measured.</param>
    /// <param name="bound">At least 0; +∞ for none. By L0 the attack itself keeps to it.</param>
    /// <param name="range">Of the input; null for none.</param>
    public PerturbationLimits(ReadOnlySpan<float> clean, AttackNorm norm, double bound, (float Lower, float Upper)? range)
    {
        (Norm, _bound) = (norm, bound);
        (Lower, Upper) = range ?? (float.NegativeInfinity, float.PositiveInfinity);
        if (norm != AttackNorm.LInfinity || double.IsPositiveInfinity(bound))
            return;
        (_low, _high) = (new float[clean.Length], new float[clean.Length]);
        for (int i = 0; i < clean.Length; i++)
        {
            _low[i] = Math.Max(Lower, Farthest(clean[i], -bound));
            _high[i] = Math.Min(Upper, Farthest(clean[i], bound));
        }
    }

    public AttackNorm Norm { get; }

    public float Lower { get; }

    public float Upper { get; }

    /// <summary>Moves an input to the nearest one within bound and range.</summary>
    public void Project(ReadOnlySpan<float> clean, Span<float> x)
    {
        if (_low != null)
        {
            TensorPrimitives.Max(x, _low, x);
            TensorPrimitives.Min(x, _high, x);
            return;
        }
        if (Norm == AttackNorm.L2 && !double.IsPositiveInfinity(_bound))
            Shorten(clean, x);
        if (float.IsFinite(Lower))
            TensorPrimitives.Max(x, Lower, x);
        if (float.IsFinite(Upper))
            TensorPrimitives.Min(x, Upper, x);
    }

    private void Shorten(ReadOnlySpan<float> clean, Span<float> x)
    {
        double length = Vectors.Distance(x, clean);
        if (length <= _bound)
            return;
        // Each value is rounded towards the clean one, so that rounding cannot carry the whole past the bound; what is left is that of the sums.
        double factor = _bound / length;
        float[] moved = x.ToArray();
        for (int trial = 0; trial < 4; trial++, factor *= 1 - 1e-12)
        {
            for (int i = 0; i < x.Length; i++)
                x[i] = Farthest(clean[i], factor * ((double)moved[i] - clean[i]));
            if (Vectors.Distance(x, clean) <= _bound)
                return;
        }
        clean.CopyTo(x);
    }

    /// <summary>The number nearest to value + change that is no farther from the value than that.</summary>
    private static float Farthest(float value, double change)
    {
        if (change == 0)
            return value;
        float rounded = (float)(value + change);
        if (change > 0)
            return rounded - (double)value > change ? MathF.BitDecrement(rounded) : rounded;
        return rounded - (double)value < change ? MathF.BitIncrement(rounded) : rounded;
    }
}
