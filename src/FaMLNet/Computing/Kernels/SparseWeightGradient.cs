using System.Buffers;
using System.Runtime.Intrinsics;
using static FaMLNet.Computing.Kernels.SmallConvolution;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Kernels;

/// <summary>
/// The gradient of a convolution's weights and bias where the error comes through ReLU and a 2×2 pool, by summing over the windows through which
/// any error passes: ∂L/∂W[o,c,i,j] = Σ e · x[c, y+i, x+j] over images and windows, with the place (y, x) that the pool chose.
/// </summary>
internal static unsafe class SparseWeightGradient
{
    /// <summary>The longest row of a kernel that fits a vector.</summary>
    public const int LongestRow = 8;

    /// <summary>Writes the gradients of a layer.</summary>
    /// <param name="error">Behind the pool, rows × outputs × height × width, contiguous.</param>
    /// <param name="choices">Which of its four places each window chose.</param>
    /// <param name="input">The convolution's input, contiguous.</param>
    /// <param name="spec">The convolution: stride 1, no padding.</param>
    /// <param name="gradient">The flat gradient.</param>
    public static void Run(Tensor error, byte[] choices, Tensor input, GraphNodeSpec spec, FloatBuffer gradient)
    {
        long[] pooled = error.shape;
        int rows = (int)pooled[0], outputs = (int)pooled[1], height = (int)pooled[2], width = (int)pooled[3], windows = height * width;
        int channels = spec.Input.Channels, plane = spec.Input.Height * spec.Input.Width, kernel = ((Layer.Conv2d)spec.Definition).Kernel,
            image = channels * plane;
        // A vector at the end of the last row reaches past the image: the last image is read from a copy with room behind it.
        float[] last = ArrayPool<float>.Shared.Rent(image + LongestRow),
            sums = ArrayPool<float>.Shared.Rent(outputs * channels * kernel * LongestRow), values = ArrayPool<float>.Shared.Rent(windows);
        int[] places = ArrayPool<int>.Shared.Rent(windows);
        sums.AsSpan(0, outputs * channels * kernel * LongestRow).Clear();
        Span<float> bias = spec.Bias == null ? [] : spec.Bias.In(gradient.Span);
        bias.Clear();
        fixed (byte* errorBytes = error.bytes, inputBytes = input.bytes, choice = choices)
        fixed (float* lastImage = last, sum = sums, value = values)
        fixed (int* place = places)
        {
            float* x = (float*)inputBytes;
            new Span<float>(x + (long)(rows - 1) * image, image).CopyTo(last);
            last.AsSpan(image, LongestRow).Clear();
            for (int row = 0; row < rows; row++)
            {
                float* pixels = row == rows - 1 ? lastImage : x + (long)row * image;
                for (int output = 0; output < outputs; output++)
                {
                    long start = ((long)row * outputs + output) * windows;
                    int count = Collect((float*)errorBytes + start, choice + start, height, width, spec.Input.Width, value, place, out float total);
                    if (!bias.IsEmpty)
                        bias[output] += total;
                    for (int channel = 0; channel < channels; channel++)
                    {
                        float* target = sum + (output * channels + channel) * kernel * LongestRow;
                        if (kernel == 5)
                            AddFiveRows(pixels + channel * plane, spec.Input.Width, value, place, count, target);
                        else
                            AddRows(pixels + channel * plane, spec.Input.Width, value, place, count, target, kernel);
                    }
                }
            }
        }
        Span<float> weights = spec.Weight!.In(gradient.Span);
        for (int line = 0; line < outputs * channels * kernel; line++)
            sums.AsSpan(line * LongestRow, kernel).CopyTo(weights[(line * kernel)..]);
        ArrayPool<float>.Shared.Return(last);
        ArrayPool<float>.Shared.Return(sums);
        ArrayPool<float>.Shared.Return(values);
        ArrayPool<int>.Shared.Return(places);
    }

    /// <summary>The errors that pass the pool and the places, in the input, where their windows begin.</summary>
    private static int Collect(float* error, byte* choices, int height, int width, int inputWidth, float* values, int* places, out float total)
    {
        int count = 0;
        total = 0;
        for (int row = 0; row < height; row++)
        {
            for (int column = 0; column < width; column++, error++, choices++)
            {
                // Written always, kept if something passes: no branch to guess.
                int choice = *choices;
                values[count] = *error;
                places[count] = (2 * row + (choice >> 1)) * inputWidth + 2 * column + (choice & 1);
                int passes = choice < ReLUMaxPool.Off ? 1 : 0;
                total += passes * *error;
                count += passes;
            }
        }
        return count;
    }

    private static void AddFiveRows(float* pixels, int width, float* values, int* places, int count, float* target)
    {
        Vector256<float> a0 = Vector256.Load(target), a1 = Vector256.Load(target + 8), a2 = Vector256.Load(target + 16),
            a3 = Vector256.Load(target + 24), a4 = Vector256.Load(target + 32);
        Vector256<float> b0 = default, b1 = default, b2 = default, b3 = default, b4 = default;
        int i = 0;
        // Two sets of sums: each addition need not wait for the one before.
        for (; i <= count - 2; i += 2)
        {
            Vector256<float> e = Vector256.Create(values[i]), f = Vector256.Create(values[i + 1]);
            float* p = pixels + places[i], q = pixels + places[i + 1];
            a0 = MultiplyAdd(e, Vector256.Load(p), a0);
            b0 = MultiplyAdd(f, Vector256.Load(q), b0);
            a1 = MultiplyAdd(e, Vector256.Load(p + width), a1);
            b1 = MultiplyAdd(f, Vector256.Load(q + width), b1);
            a2 = MultiplyAdd(e, Vector256.Load(p + 2 * width), a2);
            b2 = MultiplyAdd(f, Vector256.Load(q + 2 * width), b2);
            a3 = MultiplyAdd(e, Vector256.Load(p + 3 * width), a3);
            b3 = MultiplyAdd(f, Vector256.Load(q + 3 * width), b3);
            a4 = MultiplyAdd(e, Vector256.Load(p + 4 * width), a4);
            b4 = MultiplyAdd(f, Vector256.Load(q + 4 * width), b4);
        }
        if (i < count)
        {
            Vector256<float> e = Vector256.Create(values[i]);
            float* p = pixels + places[i];
            a0 = MultiplyAdd(e, Vector256.Load(p), a0);
            a1 = MultiplyAdd(e, Vector256.Load(p + width), a1);
            a2 = MultiplyAdd(e, Vector256.Load(p + 2 * width), a2);
            a3 = MultiplyAdd(e, Vector256.Load(p + 3 * width), a3);
            a4 = MultiplyAdd(e, Vector256.Load(p + 4 * width), a4);
        }
        (a0 + b0).Store(target);
        (a1 + b1).Store(target + 8);
        (a2 + b2).Store(target + 16);
        (a3 + b3).Store(target + 24);
        (a4 + b4).Store(target + 32);
    }

    private static void AddRows(float* pixels, int width, float* values, int* places, int count, float* target, int kernel)
    {
        for (int line = 0; line < kernel; line++, pixels += width, target += LongestRow)
        {
            Vector256<float> a = Vector256.Load(target), b = default;
            int i = 0;
            for (; i <= count - 2; i += 2)
            {
                a = MultiplyAdd(Vector256.Create(values[i]), Vector256.Load(pixels + places[i]), a);
                b = MultiplyAdd(Vector256.Create(values[i + 1]), Vector256.Load(pixels + places[i + 1]), b);
            }
            if (i < count)
                a = MultiplyAdd(Vector256.Create(values[i]), Vector256.Load(pixels + places[i]), a);
            (a + b).Store(target);
        }
    }
}
