using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Kernels;

/// <summary>
/// The forward pass of a convolution whose kernels have few weights (the first layer of a network), with bias, ReLU and 2×2 pool: two rows at a
/// time, which stay in the first cache until they are pooled. libtorch's general kernels make nothing of so few channels.
/// </summary>
internal static unsafe class SmallConvolution
{
    private const int MostWeights = 32, Lanes = 8, Block = 4 * Lanes;

    /// <summary>Whether a convolution (stride 1, no padding) is small enough.</summary>
    public static bool Takes(GraphNodeSpec spec) => Vector256.IsHardwareAccelerated && spec.Weight!.Length / spec.Output.Channels <= MostWeights
        && spec.Output.Height >= 2 && spec.Output.Width >= 2;

    /// <summary>Convolves, rectifies and pools.</summary>
    /// <param name="x">Rows × channels × height × width.</param>
    /// <param name="weights">Outputs × channels × kernel × kernel.</param>
    /// <param name="bias">One per output; empty for none.</param>
    /// <param name="spec">The convolution.</param>
    /// <param name="keeps">Whether choices are wanted.</param>
    /// <param name="choices">One a pooled value, rented from the shared pool: the caller returns it. Null if not wanted.</param>
    public static Tensor Forward(Tensor x, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, GraphNodeSpec spec, bool keeps,
        out byte[]? choices)
    {
        using Tensor input = x.contiguous();
        int rows = (int)input.shape[0], outputs = spec.Output.Channels, height = spec.Output.Height, width = spec.Output.Width;
        int image = spec.Input.Length, kernel = ((Layer.Conv2d)spec.Definition).Kernel, padded = (width + Block - 1) / Block * Block;
        Tensor output = empty([rows, outputs, height / 2, width / 2]);
        choices = keeps ? ArrayPool<byte>.Shared.Rent((int)output.numel() + Lanes) : null;
        float[] two = ArrayPool<float>.Shared.Rent(outputs * 2 * padded), last = ArrayPool<float>.Shared.Rent(image + padded);
        fixed (byte* inputBytes = input.bytes, outputBytes = output.bytes, choice = choices)
        fixed (float* w = weights, b = bias, band = two, lastImage = last)
        {
            // Vectors reach past the end of a row: the last image is read from a copy with room behind it.
            new Span<float>((float*)inputBytes + (long)(rows - 1) * image, image).CopyTo(last);
            last.AsSpan(image, padded).Clear();
            for (int row = 0; row < rows; row++)
            {
                float* pixels = row == rows - 1 ? lastImage : (float*)inputBytes + (long)row * image;
                for (int pair = 0; pair < height / 2; pair++)
                {
                    for (int line = 0; line < 2; line++)
                        Line(pixels + (2 * pair + line) * spec.Input.Width, spec.Input, kernel, w, b, outputs, band + line * padded, padded);
                    for (int o = 0; o < outputs; o++)
                    {
                        float* upper = band + o * 2 * padded;
                        long place = (((long)row * outputs + o) * (height / 2) + pair) * (width / 2);
                        ReLUMaxPool.Pool(upper, upper + padded, (float*)outputBytes + place, choice == null ? null : choice + place, width / 2);
                    }
                }
            }
        }
        ArrayPool<float>.Shared.Return(two);
        ArrayPool<float>.Shared.Return(last);
        return output;
    }

    /// <summary>
    /// The gradient of the input: the errors with a border of zeros, convolved with the kernels turned round, whose outputs are the input's
    /// channels.
    /// </summary>
    /// <param name="gradient">∂L/∂pooled, without gaps.</param>
    /// <param name="choices">From the forward pass.</param>
    /// <param name="weights">Outputs × channels × kernel × kernel.</param>
    /// <param name="spec">The convolution.</param>
    public static Tensor InputGradient(Tensor gradient, byte[] choices, ReadOnlySpan<float> weights, GraphNodeSpec spec)
    {
        int rows = (int)gradient.shape[0], outputs = spec.Output.Channels, channels = spec.Input.Channels,
            kernel = ((Layer.Conv2d)spec.Definition).Kernel;
        int border = kernel - 1, width = spec.Output.Width + 2 * border, height = spec.Output.Height + 2 * border;
        int padded = (spec.Input.Width + Block - 1) / Block * Block, area = kernel * kernel;
        ImageShape errors = new(outputs, height, width);
        float[] turned = new float[channels * outputs * area];
        for (int c = 0; c < channels; c++)
        {
            for (int o = 0; o < outputs; o++)
            {
                for (int i = 0; i < area; i++)
                    turned[(c * outputs + o) * area + i] = weights[(o * channels + c) * area + area - 1 - i];
            }
        }
        Tensor result = empty([rows, channels, spec.Input.Height, spec.Input.Width]);
        // Vectors reach past the end of a row, at most as far as this.
        float[] bordered = ArrayPool<float>.Shared.Rent(errors.Length + padded), line = ArrayPool<float>.Shared.Rent(2 * padded * channels);
        bordered.AsSpan(0, errors.Length + padded).Clear();
        fixed (byte* gradientBytes = gradient.bytes, resultBytes = result.bytes, choice = choices)
        fixed (float* w = turned, error = bordered, band = line)
        {
            float* g = (float*)gradientBytes, target = (float*)resultBytes;
            byte* c = choice;
            for (int row = 0; row < rows; row++)
            {
                for (int o = 0; o < outputs; o++)
                {
                    float* plane = error + (o * height + border) * width + border;
                    for (int pair = 0; pair < spec.Output.Height / 2; pair++, g += spec.Output.Width / 2, c += spec.Output.Width / 2)
                        ReLUMaxPool.Scatter(g, c, plane + 2 * pair * width, plane + (2 * pair + 1) * width, spec.Output.Width / 2);
                }
                for (int y = 0; y < spec.Input.Height; y++)
                {
                    Line(error + y * width, errors, kernel, w, null, channels, band, padded);
                    for (int channel = 0; channel < channels; channel++)
                        new Span<float>(band + channel * 2 * padded, spec.Input.Width).CopyTo(new Span<float>(
                            target + (((long)row * channels + channel) * spec.Input.Height + y) * spec.Input.Width, spec.Input.Width));
                }
            }
        }
        ArrayPool<float>.Shared.Return(bordered);
        ArrayPool<float>.Shared.Return(line);
        return result;
    }

    /// <summary>One row of every output; outputs lie two padded rows apart.</summary>
    private static void Line(float* pixels, ImageShape input, int kernel, float* weights, float* bias, int outputs, float* target, int padded)
    {
        int perOutput = input.Channels * kernel * kernel;
        for (int x = 0; x < padded; x += Block)
        {
            int o = 0;
            for (; o <= outputs - 3; o += 3)
                Three(pixels + x, input, kernel, weights + o * perOutput, perOutput, bias == null ? null : bias + o, target + o * 2 * padded + x,
                    2 * padded);
            for (; o < outputs; o++)
                One(pixels + x, input, kernel, weights + o * perOutput, bias == null ? 0 : bias[o], target + o * 2 * padded + x);
        }
    }

    private static void Three(float* pixels, ImageShape input, int kernel, float* weights, int perOutput, float* bias, float* target, int apart)
    {
        Vector256<float> a0 = Vector256.Create(bias == null ? 0 : bias[0]), a1 = a0, a2 = a0, a3 = a0;
        Vector256<float> b0 = Vector256.Create(bias == null ? 0 : bias[1]), b1 = b0, b2 = b0, b3 = b0;
        Vector256<float> c0 = Vector256.Create(bias == null ? 0 : bias[2]), c1 = c0, c2 = c0, c3 = c0;
        float* second = weights + perOutput, third = second + perOutput;
        for (int channel = 0; channel < input.Channels; channel++)
        {
            for (int i = 0; i < kernel; i++)
            {
                float* p = pixels + (channel * input.Height + i) * input.Width;
                for (int j = 0; j < kernel; j++, p++, weights++, second++, third++)
                {
                    Vector256<float> x0 = Vector256.Load(p), x1 = Vector256.Load(p + Lanes), x2 = Vector256.Load(p + 2 * Lanes),
                        x3 = Vector256.Load(p + 3 * Lanes);
                    Vector256<float> w = Vector256.Create(*weights);
                    a0 = MultiplyAdd(w, x0, a0);
                    a1 = MultiplyAdd(w, x1, a1);
                    a2 = MultiplyAdd(w, x2, a2);
                    a3 = MultiplyAdd(w, x3, a3);
                    w = Vector256.Create(*second);
                    b0 = MultiplyAdd(w, x0, b0);
                    b1 = MultiplyAdd(w, x1, b1);
                    b2 = MultiplyAdd(w, x2, b2);
                    b3 = MultiplyAdd(w, x3, b3);
                    w = Vector256.Create(*third);
                    c0 = MultiplyAdd(w, x0, c0);
                    c1 = MultiplyAdd(w, x1, c1);
                    c2 = MultiplyAdd(w, x2, c2);
                    c3 = MultiplyAdd(w, x3, c3);
                }
            }
        }
        Store(target, a0, a1, a2, a3);
        Store(target + apart, b0, b1, b2, b3);
        Store(target + 2 * apart, c0, c1, c2, c3);
    }

    private static void One(float* pixels, ImageShape input, int kernel, float* weights, float bias, float* target)
    {
        Vector256<float> a0 = Vector256.Create(bias), a1 = a0, a2 = a0, a3 = a0;
        for (int channel = 0; channel < input.Channels; channel++)
        {
            for (int i = 0; i < kernel; i++)
            {
                float* p = pixels + (channel * input.Height + i) * input.Width;
                for (int j = 0; j < kernel; j++, p++, weights++)
                {
                    Vector256<float> w = Vector256.Create(*weights);
                    a0 = MultiplyAdd(w, Vector256.Load(p), a0);
                    a1 = MultiplyAdd(w, Vector256.Load(p + Lanes), a1);
                    a2 = MultiplyAdd(w, Vector256.Load(p + 2 * Lanes), a2);
                    a3 = MultiplyAdd(w, Vector256.Load(p + 3 * Lanes), a3);
                }
            }
        }
        Store(target, a0, a1, a2, a3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* target, Vector256<float> v0, Vector256<float> v1, Vector256<float> v2, Vector256<float> v3)
    {
        v0.Store(target);
        v1.Store(target + Lanes);
        v2.Store(target + 2 * Lanes);
        v3.Store(target + 3 * Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Fma.IsSupported
        ? Fma.MultiplyAdd(a, b, c) : a * b + c;
}
