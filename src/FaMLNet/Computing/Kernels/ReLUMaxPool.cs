using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Kernels;

/// <summary>
/// ReLU and 2×2 max-pooling in one pass: ReLU after the pool equals ReLU before it, on a quarter of the data. libtorch's pool is a scalar
/// kernel with 8-byte indices, as dear as the convolutions of LeNet; here an index is a byte: which of the four, row by row, or <see cref="Off"/>.
/// </summary>
internal static unsafe class ReLUMaxPool
{
    /// <summary>The choice where none of the four is positive: no gradient passes.</summary>
    public const int Off = 4;

    private static readonly Vector256<int> EvenThenOdd = Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7);

    /// <summary>Pools images.</summary>
    /// <param name="x">Rows × channels × height × width.</param>
    /// <param name="keeps">Whether choices are wanted.</param>
    /// <param name="choices">One a pooled value, rented from the shared pool: the caller returns it. Null if not wanted.</param>
    public static Tensor Forward(Tensor x, bool keeps, out byte[]? choices)
    {
        using Tensor input = x.contiguous();
        long[] shape = input.shape;
        Tensor output = empty([shape[0], shape[1], shape[2] / 2, shape[3] / 2]);
        choices = keeps ? ArrayPool<byte>.Shared.Rent((int)output.numel() + 8) : null;
        fixed (byte* xBytes = input.bytes, yBytes = output.bytes, choice = choices)
        {
            float* y = (float*)yBytes;
            byte* c = choice;
            int planes = (int)(shape[0] * shape[1]), height = (int)shape[2], width = (int)shape[3];
            for (int plane = 0; plane < planes; plane++)
            {
                float* rows = (float*)xBytes + (long)plane * height * width;
                for (int row = 0; row < height / 2; row++, rows += 2 * width, y += width / 2)
                {
                    Pool(rows, rows + width, y, c, width / 2);
                    c += c == null ? 0 : width / 2;
                }
            }
        }
        return output;
    }

    /// <summary>The gradient before the pool.</summary>
    /// <param name="gradient">After it.</param>
    /// <param name="choices">From the forward pass.</param>
    /// <param name="shape">The shape before the pool.</param>
    public static Tensor Backward(Tensor gradient, byte[] choices, long[] shape)
    {
        using Tensor dense = gradient.contiguous();
        Tensor result = empty(shape);
        int planes = (int)(shape[0] * shape[1]), height = (int)shape[2], width = (int)shape[3];
        fixed (byte* gBytes = dense.bytes, rBytes = result.bytes, choice = choices)
        {
            float* g = (float*)gBytes;
            byte* c = choice;
            for (int plane = 0; plane < planes; plane++)
            {
                float* rows = (float*)rBytes + (long)plane * height * width;
                for (int row = 0; row < height / 2; row++, rows += 2 * width, g += width / 2, c += width / 2)
                    Scatter(g, c, rows, rows + width, width / 2);
                if (width % 2 == 1)
                {
                    for (int row = 0; row < height; row++)
                        *((float*)rBytes + (long)plane * height * width + (long)row * width + width - 1) = 0;
                }
                if (height % 2 == 1)
                    new Span<float>(rows, width).Clear();
            }
        }
        return result;
    }

    /// <summary>One pooled row from two.</summary>
    /// <param name="upper">The upper row.</param>
    /// <param name="lower">The lower row.</param>
    /// <param name="output">Receives <paramref name="count"/> values.</param>
    /// <param name="choices">Receives one a value; null if none are wanted.</param>
    /// <param name="count">Pooled values.</param>
    public static void Pool(float* upper, float* lower, float* output, byte* choices, int count)
    {
        if (choices == null)
        {
            PoolOnly(upper, lower, output, count);
            return;
        }
        int i = 0;
        for (; i <= count - 4; i += 4)
        {
            // Even columns go to the lower half, odd ones to the upper.
            Vector256<float> a = Vector256.Shuffle(Vector256.Load(upper + 2 * i), EvenThenOdd),
                b = Vector256.Shuffle(Vector256.Load(lower + 2 * i), EvenThenOdd);
            Vector256<float> down = Vector256.GreaterThan(b, a);
            Vector256<float> best = Vector256.ConditionalSelect(down, b, a);
            Vector256<int> index = Vector256.ConditionalSelect(down.AsInt32(), Vector256.Create(2, 2, 2, 2, 3, 3, 3, 3),
                Vector256.Create(0, 0, 0, 0, 1, 1, 1, 1));
            Vector128<float> even = best.GetLower(), odd = best.GetUpper(), right = Vector128.GreaterThan(odd, even);
            Vector128<float> most = Vector128.ConditionalSelect(right, odd, even);
            Vector128<int> chosen = Vector128.ConditionalSelect(right.AsInt32(), index.GetUpper(), index.GetLower());
            Vector128<float> off = Vector128.LessThanOrEqual(most, Vector128<float>.Zero);
            Vector128.Store(Vector128.ConditionalSelect(off, Vector128<float>.Zero, most), output + i);
            chosen = Vector128.ConditionalSelect(off.AsInt32(), Vector128.Create(Off), chosen);
            Vector128<short> shorts = Vector128.Narrow(chosen, chosen);
            Unsafe.WriteUnaligned(choices + i, Vector128.Narrow(shorts, shorts).AsUInt32().ToScalar());
        }
        for (; i < count; i++)
        {
            float best = upper[2 * i];
            int choice = 0;
            Take(upper[2 * i + 1], 1, ref best, ref choice);
            Take(lower[2 * i], 2, ref best, ref choice);
            Take(lower[2 * i + 1], 3, ref best, ref choice);
            output[i] = best <= 0 ? 0 : best;
            choices[i] = (byte)(best <= 0 ? Off : choice);
        }
    }

    /// <summary>The same values without the choices.</summary>
    private static void PoolOnly(float* upper, float* lower, float* output, int count)
    {
        int i = 0;
        for (; i <= count - 4; i += 4)
        {
            Vector256<float> a = Vector256.Load(upper + 2 * i), b = Vector256.Load(lower + 2 * i);
            Vector256<float> best = Vector256.Shuffle(Vector256.ConditionalSelect(Vector256.GreaterThan(b, a), b, a), EvenThenOdd);
            Vector128<float> even = best.GetLower(), odd = best.GetUpper(),
                most = Vector128.ConditionalSelect(Vector128.GreaterThan(odd, even), odd, even);
            Vector128.Store(Vector128.ConditionalSelect(Vector128.LessThanOrEqual(most, Vector128<float>.Zero), Vector128<float>.Zero, most), output
                + i);
        }
        for (; i < count; i++)
        {
            float best = upper[2 * i];
            best = upper[2 * i + 1] > best ? upper[2 * i + 1] : best;
            best = lower[2 * i] > best ? lower[2 * i] : best;
            best = lower[2 * i + 1] > best ? lower[2 * i + 1] : best;
            output[i] = best <= 0 ? 0 : best;
        }
    }

    private static void Take(float value, int index, ref float best, ref int choice)
    {
        if (value > best)
            (best, choice) = (value, index);
    }

    /// <summary>One row of errors back to the two that were pooled, each to the place that was chosen; the others become 0.</summary>
    public static void Scatter(float* gradient, byte* choices, float* upper, float* lower, int count)
    {
        int i = 0;
        for (; i <= count - 4; i += 4)
        {
            Vector128<float> g4 = Vector128.Load(gradient + i);
            Vector128<ushort> shorts = Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(choices + i)).AsByte());
            Vector128<int> chosen = Vector128.WidenLower(shorts).AsInt32();
            Vector256.Store(Interleave(Where(chosen, 0, g4), Where(chosen, 1, g4)), upper + 2 * i);
            Vector256.Store(Interleave(Where(chosen, 2, g4), Where(chosen, 3, g4)), lower + 2 * i);
        }
        for (; i < count; i++)
        {
            float g = gradient[i];
            int choice = choices[i];
            upper[2 * i] = choice == 0 ? g : 0;
            upper[2 * i + 1] = choice == 1 ? g : 0;
            lower[2 * i] = choice == 2 ? g : 0;
            lower[2 * i + 1] = choice == 3 ? g : 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Where(Vector128<int> chosen, int choice, Vector128<float> gradient) =>
        Vector128.Equals(chosen, Vector128.Create(choice)).AsSingle() & gradient;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Interleave(Vector128<float> even, Vector128<float> odd) =>
        Vector256.Shuffle(Vector256.Create(even, odd), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7));
}
