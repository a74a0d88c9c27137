using System.Numerics;
using System.Runtime.CompilerServices;

namespace FaMLNet.Computing.Kernels;

/// <summary>The product of weights that lie feature by feature with a row of few values: in training and in prediction the same sums.</summary>
internal static unsafe class SparseProduct
{
    /// <summary>Vectors of sums that stay in a processor's registers.</summary>
    private const int Registers = 8;

    /// <summary>Σ value · weights of its feature.</summary>
    /// <param name="weights">Features × stride.</param>
    /// <param name="stride">Elements of a feature, a multiple of a vector's.</param>
    /// <param name="features">Of the values.</param>
    /// <param name="values">The values.</param>
    /// <param name="count">How many.</param>
    /// <param name="result">Receives <paramref name="stride"/> sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* weights, int stride, int* features, float* values, int count, float* result)
    {
        int lanes = Vector<float>.Count, unit = 0;
        for (; unit + Registers * lanes <= stride; unit += Registers * lanes)
        {
            Vector<float> s0 = Vector<float>.Zero, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
            for (int i = 0; i < count; i++)
            {
                float* own = weights + (long)features[i] * stride + unit;
                Vector<float> value = new(values[i]);
                s0 += value * Vector.Load(own);
                s1 += value * Vector.Load(own + lanes);
                s2 += value * Vector.Load(own + 2 * lanes);
                s3 += value * Vector.Load(own + 3 * lanes);
                s4 += value * Vector.Load(own + 4 * lanes);
                s5 += value * Vector.Load(own + 5 * lanes);
                s6 += value * Vector.Load(own + 6 * lanes);
                s7 += value * Vector.Load(own + 7 * lanes);
            }
            float* to = result + unit;
            Vector.Store(s0, to);
            Vector.Store(s1, to + lanes);
            Vector.Store(s2, to + 2 * lanes);
            Vector.Store(s3, to + 3 * lanes);
            Vector.Store(s4, to + 4 * lanes);
            Vector.Store(s5, to + 5 * lanes);
            Vector.Store(s6, to + 6 * lanes);
            Vector.Store(s7, to + 7 * lanes);
        }
        for (; unit < stride; unit += lanes)
        {
            Vector<float> sum = Vector<float>.Zero;
            for (int i = 0; i < count; i++)
                sum += new Vector<float>(values[i]) * Vector.Load(weights + (long)features[i] * stride + unit);
            Vector.Store(sum, result + unit);
        }
    }
}
