using System.Numerics;
using System.Runtime.Intrinsics.X86;
using FaMLNet.Interop;

namespace FaMLNet.Computing.Kernels;

/// <summary>
/// Batch normalisation of images whose channels lie together in memory, with the addition and the ReLU that may follow, in as few passes over
/// memory as there are: one for mean and variance, one for the output; backward one for the sums, one for the gradient.
/// </summary>
/// <remarks>
/// Memory is positions × channels, a position being a pixel of an image of the batch; channels are a multiple of <see cref="Lanes"/>. Work is
/// split in parts that do not depend on the number of threads, and their sums are put together in order: the same results on any number of
/// threads. Sources: Ioffe and Szegedy, "Batch Normalization", 2015; Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
/// computing sample variances", 1979.
/// </remarks>
internal static unsafe class BatchNormKernels
{
    /// <summary>Floats that the first cache holds beside the other arrays.</summary>
    private const int BlockLength = 1024;

    /// <summary>Elements that are worth a part.</summary>
    private const int PartLength = 16384;

    /// <summary>Channels come in such groups.</summary>
    public static int Lanes => Vector<float>.Count;

    /// <summary>Mean and sum of squared differences from it, of each channel.</summary>
    public static void Statistics(float* x, long positions, int channels, float[] mean, float[] squares)
    {
        int parts = Parts(positions, channels);
        float[] means = new float[parts * channels], sums = new float[parts * channels];
        OpenMp.Run(parts, part =>
        {
            fixed (float* m = means, s = sums)
                PartStatistics(x, positions * part / parts, positions * (part + 1) / parts, channels, m + part * channels, s + part * channels);
        });
        Array.Clear(mean);
        Array.Clear(squares);
        fixed (float* m = means, s = sums, total = mean, totalSquares = squares)
        {
            for (int part = 0; part < parts; part++)
            {
                long start = positions * part / parts, count = positions * (part + 1) / parts - start;
                for (int c = 0; c < channels; c += Lanes)
                    Merge(start, count, Vector.Load(m + part * channels + c), Vector.Load(s + part * channels + c), total + c, totalSquares + c);
            }
        }
    }

    /// <summary>y = (x − mean) · factor + shift, plus <paramref name="added"/> if there is such, rectified if asked for.</summary>
    public static void Apply(float* x, float* added, float* y, long positions, int channels, float[] mean, float[] factor, float[] shift,
        bool rectified)
    {
        int parts = Parts(positions, channels);
        OpenMp.Run(parts, part => PartApply(x, added, y, positions * part / parts, positions * (part + 1) / parts, channels, mean, factor, shift,
            rectified));
    }

    private static void PartApply(float* x, float* added, float* y, long start, long end, int channels, float[] mean, float[] factor, float[] shift,
        bool rectified)
    {
        Vector<float> floor = rectified ? Vector<float>.Zero : new Vector<float>(float.NegativeInfinity);
        int block = BlockOf(channels);
        for (; start < end; start += block)
        {
            int count = (int)Math.Min(block, end - start);
            Fetch(x, start, count, channels);
            Fetch(added, start, count, channels);
            Fetch(y, start, count, channels);
            for (int c = 0; c < channels; c += Lanes)
            {
                Vector<float> m = new(mean, c), a = new(factor, c), b = new(shift, c);
                long at = start * channels + c, last = at + (long)count * channels;
                if (added == null)
                {
                    for (; at < last; at += channels)
                        Vector.Store(AtLeast(floor, (Vector.Load(x + at) - m) * a + b), y + at);
                }
                else
                {
                    for (; at < last; at += channels)
                        Vector.Store(AtLeast(floor, (Vector.Load(x + at) - m) * a + b + Vector.Load(added + at)), y + at);
                }
            }
        }
    }

    /// <summary>
    /// Sums over the positions, for each channel, of the error and of the error times (x − mean); with ReLU of the error that passes it.
    /// </summary>
    /// <param name="error">∂L/∂output.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="output">What came out, where something was added before ReLU: it says what passed. Null: the input says it, or there is
    /// no ReLU.</param>
    /// <param name="passed">With <paramref name="output"/>, where the error that passes ReLU is written; may be <paramref name="error"/>.</param>
    /// <param name="positions">Pixels of all images.</param>
    /// <param name="channels">A multiple of <see cref="Lanes"/>.</param>
    /// <param name="mean">Of the input.</param>
    /// <param name="factor">As in <see cref="Apply"/>.</param>
    /// <param name="shift">As in <see cref="Apply"/>.</param>
    /// <param name="rectified">Whether ReLU follows without anything added before it.</param>
    /// <param name="errors">Takes Σ error.</param>
    /// <param name="products">Takes Σ error · (x − mean).</param>
    public static void Sums(float* error, float* x, float* output, float* passed, long positions, int channels, float[] mean, float[] factor,
        float[] shift, bool rectified, float[] errors, float[] products)
    {
        int parts = Parts(positions, channels);
        float[] partErrors = new float[parts * channels], partProducts = new float[parts * channels];
        OpenMp.Run(parts, part => PartSums(error, x, output, passed, positions * part / parts, positions * (part + 1) / parts, channels, mean, factor,
            shift, rectified, partErrors, partProducts, part * channels));
        for (int c = 0; c < channels; c++)
        {
            double sum = 0, product = 0;
            for (int part = 0; part < parts; part++)
                (sum, product) = (sum + partErrors[part * channels + c], product + partProducts[part * channels + c]);
            (errors[c], products[c]) = ((float)sum, (float)product);
        }
    }

    private static void PartSums(float* error, float* x, float* output, float* passed, long start, long end, int channels, float[] mean,
        float[] factor, float[] shift, bool rectified, float[] errors, float[] products, int slot)
    {
        int block = BlockOf(channels);
        for (; start < end; start += block)
        {
            int count = (int)Math.Min(block, end - start);
            Fetch(x, start, count, channels);
            Fetch(error, start, count, channels);
            Fetch(output, start, count, channels);
            for (int c = 0; c < channels; c += Lanes)
            {
                Vector<float> m = new(mean, c), a = new(factor, c), b = new(shift, c), zero = Vector<float>.Zero, sum = zero, product = zero;
                long at = start * channels + c, last = at + (long)count * channels;
                if (output != null)
                {
                    for (; at < last; at += channels)
                    {
                        Vector<float> e = Vector.ConditionalSelect(Vector.GreaterThan(Vector.Load(output + at), zero), Vector.Load(error + at), zero);
                        Vector.Store(e, passed + at);
                        sum += e;
                        product += e * (Vector.Load(x + at) - m);
                    }
                }
                else if (rectified)
                {
                    for (; at < last; at += channels)
                    {
                        // The same expression as forward: the same sign.
                        Vector<float> d = Vector.Load(x + at) - m,
                            e = Vector.ConditionalSelect(Vector.GreaterThan(d * a + b, zero), Vector.Load(error + at), zero);
                        sum += e;
                        product += e * d;
                    }
                }
                else
                {
                    for (; at < last; at += channels)
                    {
                        Vector<float> e = Vector.Load(error + at);
                        sum += e;
                        product += e * (Vector.Load(x + at) - m);
                    }
                }
                (new Vector<float>(errors, slot + c) + sum).CopyTo(errors, slot + c);
                (new Vector<float>(products, slot + c) + product).CopyTo(products, slot + c);
            }
        }
    }

    /// <summary>∂L/∂x = factor · (error − meanError − (x − mean) · slope), with ReLU of the error that passes it.</summary>
    /// <param name="error">∂L/∂output; with something added before ReLU, what <see cref="Sums"/> let pass.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="result">∂L/∂x; may be <paramref name="error"/>.</param>
    /// <param name="positions">Pixels of all images.</param>
    /// <param name="channels">A multiple of <see cref="Lanes"/>.</param>
    /// <param name="mean">Of the input.</param>
    /// <param name="factor">As in <see cref="Apply"/>.</param>
    /// <param name="shift">As in <see cref="Apply"/>.</param>
    /// <param name="rectified">Whether ReLU follows without anything added before it.</param>
    /// <param name="meanError">Σ error / positions.</param>
    /// <param name="slope">Σ error · (x − mean) / (positions · (variance + ε)).</param>
    public static void InputGradient(float* error, float* x, float* result, long positions, int channels, float[] mean, float[] factor, float[] shift,
        bool rectified, float[] meanError, float[] slope)
    {
        int parts = Parts(positions, channels);
        OpenMp.Run(parts, part => PartInputGradient(error, x, result, positions * part / parts, positions * (part + 1) / parts, channels, mean,
            factor, shift, rectified, meanError, slope));
    }

    private static void PartInputGradient(float* error, float* x, float* result, long start, long end, int channels, float[] mean, float[] factor,
        float[] shift, bool rectified, float[] meanError, float[] slope)
    {
        int block = BlockOf(channels);
        for (; start < end; start += block)
        {
            int count = (int)Math.Min(block, end - start);
            Fetch(x, start, count, channels);
            Fetch(error, start, count, channels);
            Fetch(result, start, count, channels);
            for (int c = 0; c < channels; c += Lanes)
            {
                Vector<float> m = new(mean, c), a = new(factor, c), b = new(shift, c), constant = new(meanError, c), k = new(slope, c),
                    zero = Vector<float>.Zero;
                long at = start * channels + c, last = at + (long)count * channels;
                if (rectified)
                {
                    for (; at < last; at += channels)
                    {
                        Vector<float> d = Vector.Load(x + at) - m,
                            e = Vector.ConditionalSelect(Vector.GreaterThan(d * a + b, zero), Vector.Load(error + at), zero);
                        Vector.Store((e - constant - d * k) * a, result + at);
                    }
                }
                else
                {
                    for (; at < last; at += channels)
                        Vector.Store((Vector.Load(error + at) - constant - (Vector.Load(x + at) - m) * k) * a, result + at);
                }
            }
        }
    }

    /// <summary>Asks for a block in the order of memory, before it is worked on channel by channel: the processor foresees no other order.</summary>
    private static void Fetch(float* array, long start, int count, int channels)
    {
        if (array == null || !Sse.IsSupported)
            return;
        float* last = array + (start + count) * channels;
        for (float* line = array + start * channels; line < last; line += 16)
            Sse.Prefetch0(line);
    }

    private static int Parts(long positions, int channels) => OpenMp.Parts(positions * channels, PartLength);

    /// <summary>The larger of the two; NaN stays, so that a divergence shows.</summary>
    private static Vector<float> AtLeast(Vector<float> floor, Vector<float> value) =>
        Vector.ConditionalSelect(Vector.LessThan(value, floor), floor, value);

    private static int BlockOf(int channels) => Math.Max(8, BlockLength / channels);

    private static void PartStatistics(float* x, long start, long end, int channels, float* mean, float* squares)
    {
        int block = BlockOf(channels);
        for (long first = start; first < end; first += block)
        {
            int count = (int)Math.Min(block, end - first);
            Fetch(x, first, count, channels);
            for (int c = 0; c < channels; c += Lanes)
            {
                // Twice over a block that stays in the cache: the variance from the differences to the mean keeps its digits.
                float* p = x + first * channels + c, last = p + (long)count * channels;
                Vector<float> sum = Vector<float>.Zero;
                for (float* at = p; at < last; at += channels)
                    sum += Vector.Load(at);
                Vector<float> average = sum * new Vector<float>(1f / count), sumOfSquares = Vector<float>.Zero;
                for (float* at = p; at < last; at += channels)
                {
                    Vector<float> difference = Vector.Load(at) - average;
                    sumOfSquares += difference * difference;
                }
                Merge(first - start, count, average, sumOfSquares, mean + c, squares + c);
            }
        }
    }

    /// <summary>Takes the statistics of further positions into those of the ones before.</summary>
    private static void Merge(long before, long count, Vector<float> mean, Vector<float> squares, float* totalMean, float* totalSquares)
    {
        Vector<float> known = Vector.Load(totalMean), difference = mean - known;
        double all = before + count;
        Vector.Store(known + difference * new Vector<float>((float)(count / all)), totalMean);
        Vector.Store(Vector.Load(totalSquares) + squares + difference * difference * new Vector<float>((float)(before * (count / all))),
            totalSquares);
    }
}
