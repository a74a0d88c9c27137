using System.Numerics.Tensors;
using FaMLNet.Interop;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet;

/// <summary>Keeps single steps from growing too large: a bound on the gradient before each update.</summary>
public abstract record GradientClipping
{
    /// <inheritdoc/>
    public sealed override string ToString() => InvariantText.OfRecord(GetType().Name, PrintMembers);

    private GradientClipping(float maximum) => Maximum = maximum;

    /// <summary>The bound.</summary>
    /// <value>Range: above 0.</value>
    public float Maximum { get; }

    /// <summary>Each component lies between −<paramref name="maximum"/> and <paramref name="maximum"/>.</summary>
    /// <param name="maximum">Above 0.</param>
    public static GradientClipping ByValue(float maximum) => new ValueClipping(maximum);

    /// <summary>
    /// The whole gradient, all layers taken together, is scaled down to this Euclidean norm where it is longer (Pascanu, Mikolov and Bengio
    /// 2013).
    /// </summary>
    /// <param name="maximum">Above 0.</param>
    public static GradientClipping ByGlobalNorm(float maximum) => new NormClipping(maximum);

    internal void Validate()
    {
        if (!(Maximum > 0 && float.IsFinite(Maximum)))
            throw OptionError.Invalid("GradientClipping", $"the maximum must be above 0, for example 1; found {Maximum}.");
    }

    internal abstract void Apply(Span<float> gradient);

    /// <summary>The same on a device, without a word to the host.</summary>
    internal abstract void Apply(Tensor gradient);

    private sealed record ValueClipping(float Bound) : GradientClipping(Bound)
    {
        // Min and Max keep NaN, so that divergence still shows.
        internal override void Apply(Span<float> gradient)
        {
            TensorPrimitives.Min(gradient, Bound, gradient);
            TensorPrimitives.Max(gradient, -Bound, gradient);
        }

        internal override void Apply(Tensor gradient) => Scalars.With(-Bound, low => Scalars.With(Bound, high => gradient.clamp_(low, high)));
    }

    private sealed record NormClipping(float Bound) : GradientClipping(Bound)
    {
        internal override void Apply(Span<float> gradient)
        {
            float norm = MathF.Sqrt(TensorPrimitives.SumOfSquares<float>(gradient));
            if (norm > Bound)
                TensorPrimitives.Multiply(gradient, Bound / norm, gradient);
        }

        internal override void Apply(Tensor gradient)
        {
            using Tensor norm = gradient.norm(), factor = norm.reciprocal().Scale(Bound).clamp_max_(Scalars.One);
            gradient.mul_(factor);
        }
    }
}
