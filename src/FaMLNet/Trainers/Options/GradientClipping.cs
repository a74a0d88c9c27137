using System.Numerics.Tensors;
using FaMLNet.Interop;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet;

/// <summary>Keeps single steps from growing too large: a bound on the gradient before each update, or on the error on its way down.</summary>
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

    /// <summary>
    /// Each component of the error lies between −<paramref name="limit"/> and <paramref name="limit"/> where it leaves a weighted layer on its
    /// way down: after the weights or feedback weights that it passes (for a direct rule: after its projection), before anything below sees it.
    /// The layers' own gradients are not clipped. What BioTorch calls <c>gradient_clip</c>, with a limit of 1 (Sanfiz and Akrout 2021).
    /// </summary>
    /// <param name="limit">Above 0, in units of the gradient of the mini-batch's mean loss.</param>
    public static GradientClipping OfErrors(float limit) => new ErrorClipping(limit);

    /// <summary>The limit of errors; null if the gradient is what is clipped.</summary>
    internal virtual float? ErrorLimit => null;

    internal void Validate()
    {
        if (!(Maximum > 0 && float.IsFinite(Maximum)))
            throw OptionError.Invalid("GradientClipping", $"the maximum must be above 0, for example 1; found {Maximum}.");
    }

    /// <summary>Every component between −<paramref name="limit"/> and <paramref name="limit"/>; NaN stays, so that divergence still shows.</summary>
    internal static void Clamp(Span<float> values, float limit)
    {
        TensorPrimitives.Min(values, limit, values);
        TensorPrimitives.Max(values, -limit, values);
    }

    /// <summary>The same in a tensor's own memory, wherever that is.</summary>
    internal static void Clamp(Tensor values, float limit) =>
        Scalars.With(-limit, low => Scalars.With(limit, high => values.clamp_(low, high)));

    /// <summary>Clips a gradient in place.</summary>
    /// <param name="gradient">Of all parameters.</param>
    /// <param name="active">Where, at its start, there is one of weights that lie feature by feature; null if everywhere.</param>
    internal abstract void Apply(Span<float> gradient, ActiveFeatures? active = null);

    /// <summary>The same on a device, without a word to the host.</summary>
    internal abstract void Apply(Tensor gradient);

    private sealed record ValueClipping(float Bound) : GradientClipping(Bound)
    {
        internal override void Apply(Span<float> gradient, ActiveFeatures? active)
        {
            Clamp(gradient[(active?.Length ?? 0)..], Bound);
            for (int i = 0; i < (active?.Count ?? 0); i++)
                Clamp(active!.Of(gradient, i), Bound);
        }

        internal override void Apply(Tensor gradient) => Clamp(gradient, Bound);
    }

    private sealed record ErrorClipping(float Limit) : GradientClipping(Limit)
    {
        internal override float? ErrorLimit => Limit;

        internal override void Apply(Span<float> gradient, ActiveFeatures? active) { }

        internal override void Apply(Tensor gradient) { }
    }

    private sealed record NormClipping(float Bound) : GradientClipping(Bound)
    {
        internal override void Apply(Span<float> gradient, ActiveFeatures? active)
        {
            Span<float> rest = gradient[(active?.Length ?? 0)..];
            float squares = TensorPrimitives.SumOfSquares<float>(rest);
            for (int i = 0; i < (active?.Count ?? 0); i++)
                squares += TensorPrimitives.SumOfSquares<float>(active!.Of(gradient, i));
            float norm = MathF.Sqrt(squares);
            if (norm <= Bound)
                return;
            TensorPrimitives.Multiply(rest, Bound / norm, rest);
            for (int i = 0; i < (active?.Count ?? 0); i++)
                TensorPrimitives.Multiply(active!.Of(gradient, i), Bound / norm, active.Of(gradient, i));
        }

        internal override void Apply(Tensor gradient)
        {
            using Tensor norm = gradient.norm(), factor = norm.reciprocal().Scale(Bound).clamp_max_(Scalars.One);
            gradient.mul_(factor);
        }
    }
}
