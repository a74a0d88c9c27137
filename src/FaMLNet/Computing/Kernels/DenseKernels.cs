using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace FaMLNet.Computing.Kernels;

/// <summary>
/// What lies between the matrix products of a dense network, each a fused pass over feature-major memory (a row holds one unit's values for
/// the whole batch). Widths are multiples of 16, so that no pass has a tail; columns past the batch carry no error.
/// </summary>
internal static unsafe class DenseKernels
{
    private static int Lanes => Vector<float>.Count;

    private interface IFunction
    {
        public static abstract Vector<float> Of(Vector<float> value);
    }

    /// <summary>z += bias, per row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddBias(float* z, float* bias, int rows, int width)
    {
        for (int row = 0; row < rows; row++, z += width)
        {
            Vector<float> shift = new(bias[row]);
            for (int i = 0; i < width; i += Lanes)
                Vector.Store(Vector.Load(z + i) + shift, z + i);
        }
    }

    /// <summary>a = f(a + bias), per row; <paramref name="bias"/> may be null. GELU also writes its derivative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Activate(Activation activation, float* a, float* bias, float* derivative, int rows, int width)
    {
        switch (activation)
        {
            case Activation.ReLU: Apply<ReLUFunction>(a, bias, rows, width); return;
            case Activation.LeakyReLU: Apply<LeakyReLUFunction>(a, bias, rows, width); return;
        }
        if (bias != null)
            AddBias(a, bias, rows, width);
        Span<float> scratch = width <= 4096 ? stackalloc float[width] : new float[width];
        for (int row = 0; row < rows; row++, a += width)
        {
            Span<float> values = new(a, width);
            switch (activation)
            {
                case Activation.Tanh:
                    TensorPrimitives.Tanh(values, values);
                    break;
                case Activation.Sigmoid:
                    TensorPrimitives.Sigmoid(values, values);
                    break;
                case Activation.ELU:
                    TensorPrimitives.Min(values, 0f, scratch);
                    TensorPrimitives.Exp(scratch, scratch);
                    fixed (float* exponentials = scratch)
                        Elu(a, exponentials, width);
                    break;
                case Activation.GELU:
                    fixed (float* gaussians = scratch)
                        Gelu(a, derivative == null ? null : derivative + (long)row * width, gaussians, width);
                    break;
            }
        }
    }

    /// <summary>
    /// e ⊙= f′, from the activations (GELU: from the derivative that the forward pass wrote); the sums of the rows go to
    /// <paramref name="sums"/>.
    /// </summary>
    public static void Differentiate(Activation activation, float* e, float* a, float* derivative, float* sums, int rows, int width)
    {
        switch (activation)
        {
            case Activation.ReLU: Differentiate<ReLUDerivative>(e, a, sums, rows, width); return;
            case Activation.LeakyReLU: Differentiate<LeakyReLUDerivative>(e, a, sums, rows, width); return;
            case Activation.Tanh: Differentiate<TanhDerivative>(e, a, sums, rows, width); return;
            case Activation.Sigmoid: Differentiate<SigmoidDerivative>(e, a, sums, rows, width); return;
            case Activation.ELU: Differentiate<EluDerivative>(e, a, sums, rows, width); return;
            case Activation.GELU: Differentiate<GivenDerivative>(e, derivative, sums, rows, width); return;
            default: RowSums(e, sums, rows, width); return;
        }
    }

    /// <summary>The sum of each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RowSums(float* e, float* sums, int rows, int width)
    {
        for (int row = 0; row < rows; row++, e += width)
        {
            Vector<float> sum = Vector<float>.Zero;
            for (int i = 0; i < width; i += Lanes)
                sum += Vector.Load(e + i);
            sums[row] = Vector.Sum(sum);
        }
    }

    /// <summary>product = left ⊙ right.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* left, float* right, float* product, long length)
    {
        for (long i = 0; i < length; i += Lanes)
            Vector.Store(Vector.Load(left + i) * Vector.Load(right + i), product + i);
    }

    /// <summary>Turns numbers uniform in [0, 1) into a dropout mask: 0 below <paramref name="dropout"/>, else 1/(1 − dropout).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MakeMask(float* mask, float dropout, long length)
    {
        Vector<float> share = new(dropout), kept = new(1 / (1 - dropout));
        for (long i = 0; i < length; i += Lanes)
            Vector.Store(Vector.ConditionalSelect(Vector.LessThan(Vector.Load(mask + i), share), Vector<float>.Zero, kept), mask + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<TFunction>(float* a, float* bias, int rows, int width) where TFunction : IFunction
    {
        for (int row = 0; row < rows; row++, a += width)
        {
            Vector<float> shift = bias == null ? Vector<float>.Zero : new(bias[row]);
            for (int i = 0; i < width; i += Lanes)
                Vector.Store(TFunction.Of(Vector.Load(a + i) + shift), a + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate<TDerivative>(float* e, float* a, float* sums, int rows, int width) where TDerivative : IFunction
    {
        for (int row = 0; row < rows; row++, a += width, e += width)
        {
            Vector<float> sum = Vector<float>.Zero;
            for (int i = 0; i < width; i += Lanes)
            {
                Vector<float> error = Vector.Load(e + i) * TDerivative.Of(Vector.Load(a + i));
                sum += error;
                Vector.Store(error, e + i);
            }
            sums[row] = Vector.Sum(sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Elu(float* values, float* exponentials, int width)
    {
        for (int i = 0; i < width; i += Lanes)
        {
            Vector<float> x = Vector.Load(values + i);
            Vector.Store(Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), x, Vector.Load(exponentials + i) - Vector<float>.One),
                values + i);
        }
    }

    /// <summary>The distribution function by Abramowitz and Stegun 7.1.26 (error below 1.5e-7, the rounding of a float).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gelu(float* values, float* derivative, float* gaussians, int width)
    {
        for (int i = 0; i < width; i += Lanes)
        {
            Vector<float> x = Vector.Load(values + i);
            Vector.Store(x * x * new Vector<float>(-0.5f), gaussians + i);
        }
        Span<float> scratch = new(gaussians, width);
        TensorPrimitives.Exp(scratch, scratch);
        Vector<float> half = new(0.5f), one = Vector<float>.One;
        for (int i = 0; i < width; i += Lanes)
        {
            Vector<float> x = Vector.Load(values + i), gaussian = Vector.Load(gaussians + i);
            Vector<float> t = one / (one + new Vector<float>(0.3275911f * 0.70710678f) * Vector.Abs(x));
            Vector<float> tail = half * gaussian * t * (new Vector<float>(0.254829592f) + t * (new Vector<float>(-0.284496736f)
                + t * (new Vector<float>(1.421413741f) + t * (new Vector<float>(-1.453152027f) + t * new Vector<float>(1.061405429f)))));
            Vector<float> distribution = Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), tail, one - tail);
            if (derivative != null)
                Vector.Store(distribution + x * gaussian * new Vector<float>(0.39894228f), derivative + i);
            Vector.Store(x * distribution, values + i);
        }
    }

    private readonly struct ReLUFunction : IFunction
    {
        // Not Max: it would turn NaN into 0 and hide a diverged network.
        public static Vector<float> Of(Vector<float> x) => Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), Vector<float>.Zero, x);
    }

    private readonly struct LeakyReLUFunction : IFunction
    {
        public static Vector<float> Of(Vector<float> x) =>
            Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), x * new Vector<float>(0.01f), x);
    }

    private readonly struct ReLUDerivative : IFunction
    {
        public static Vector<float> Of(Vector<float> a) =>
            Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<float>.Zero), Vector<float>.One, Vector<float>.Zero);
    }

    private readonly struct LeakyReLUDerivative : IFunction
    {
        public static Vector<float> Of(Vector<float> a) =>
            Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<float>.Zero), Vector<float>.One, new Vector<float>(0.01f));
    }

    private readonly struct TanhDerivative : IFunction
    {
        public static Vector<float> Of(Vector<float> a) => Vector<float>.One - a * a;
    }

    private readonly struct SigmoidDerivative : IFunction
    {
        public static Vector<float> Of(Vector<float> a) => a * (Vector<float>.One - a);
    }

    private readonly struct EluDerivative : IFunction
    {
        public static Vector<float> Of(Vector<float> a) =>
            Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<float>.Zero), Vector<float>.One, a + Vector<float>.One);
    }

    private readonly struct GivenDerivative : IFunction
    {
        public static Vector<float> Of(Vector<float> derivative) => derivative;
    }
}
