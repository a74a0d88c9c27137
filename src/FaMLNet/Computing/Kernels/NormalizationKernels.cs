using System.Numerics;
using System.Runtime.CompilerServices;

namespace FaMLNet.Computing.Kernels;

/// <summary>Batch and layer normalisation over feature-major memory (a row a unit, a column a row of the batch), forward and backward.</summary>
internal static unsafe class NormalizationKernels
{
    public const float Epsilon = 1e-5f;
    public const float Momentum = 0.1f;
    private static int Lanes => Vector<float>.Count;

    /// <summary>z = scale · x̂ + shift with x̂ standardised over the batch, after adding the bias; running statistics take a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BatchForward(float* z, float* bias, float* scale, float* shift, float* standardized, float* inverse,
        float* runningMean, float* runningVariance, int rows, int width, int count)
    {
        for (int row = 0; row < rows; row++, z += width, standardized += width)
        {
            // Two passes: the variance from the differences to the mean keeps its digits.
            float mean = SumFirst(z, count) / count;
            float squares = SquaresFirst(z, mean, count);
            float variance = squares / count;
            float inv = 1 / MathF.Sqrt(variance + Epsilon);
            inverse[row] = inv;
            runningMean[row] += Momentum * (mean + bias[row] - runningMean[row]);
            runningVariance[row] += Momentum * (squares / (count - 1) - runningVariance[row]);
            Vector<float> means = new(mean), invs = new(inv), scales = new(scale[row]), shifts = new(shift[row]);
            for (int i = 0; i < width; i += Lanes)
            {
                Vector<float> x = (Vector.Load(z + i) - means) * invs;
                Vector.Store(x, standardized + i);
                Vector.Store(x * scales + shifts, z + i);
            }
        }
    }

    /// <summary>z = scale · x̂ + shift with x̂ standardised by the running statistics, after adding the bias: as prediction does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BatchApply(float* z, float* bias, float* scale, float* shift, float* runningMean, float* runningVariance, int rows, int width)
    {
        for (int row = 0; row < rows; row++, z += width)
        {
            float factor = scale[row] / MathF.Sqrt(runningVariance[row] + Epsilon);
            Vector<float> factors = new(factor), shifts = new(shift[row] + (bias[row] - runningMean[row]) * factor);
            for (int i = 0; i < width; i += Lanes)
                Vector.Store(Vector.Load(z + i) * factors + shifts, z + i);
        }
    }

    /// <summary>
    /// Turns the error after the normalisation into the error before it, in place, and writes the gradients of scale and bias (that of
    /// shift is Σe, known already).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BatchBackward(float* e, float* standardized, float* inverse, float* scale, float* scaleGradient, float* shiftGradient,
        float* biasGradient, int rows, int width, int count)
    {
        for (int row = 0; row < rows; row++, e += width, standardized += width)
        {
            Vector<float> products = Vector<float>.Zero;
            for (int i = 0; i < width; i += Lanes)
                products += Vector.Load(e + i) * Vector.Load(standardized + i);
            float product = Vector.Sum(products), sum = shiftGradient[row];
            scaleGradient[row] = product;
            Vector<float> factor = new(scale[row] * inverse[row]), meanError = new(sum / count), meanProduct = new(product / count);
            for (int i = 0; i < width; i += Lanes)
                Vector.Store(factor * (Vector.Load(e + i) - meanError - Vector.Load(standardized + i) * meanProduct), e + i);
            new Span<float>(e + count, width - count).Clear();
            // A shift of the whole batch changes nothing after the normalisation: exactly 0.
            biasGradient[row] = 0;
        }
    }

    /// <summary>z = scale · x̂ + shift with x̂ standardised over the units, after adding the bias.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LayerForward(float* z, float* bias, float* scale, float* shift, float* standardized, float* inverse, int rows, int width)
    {
        DenseKernels.AddBias(z, bias, rows, width);
        for (int column = 0; column < width; column += Lanes)
        {
            Vector<float> sum = Vector<float>.Zero;
            for (int row = 0; row < rows; row++)
                sum += Vector.Load(z + (long)row * width + column);
            Vector<float> mean = sum / new Vector<float>(rows), squares = Vector<float>.Zero;
            for (int row = 0; row < rows; row++)
            {
                Vector<float> difference = Vector.Load(z + (long)row * width + column) - mean;
                squares += difference * difference;
            }
            Vector<float> inv = Vector<float>.One / Vector.SquareRoot(squares / new Vector<float>(rows) + new Vector<float>(Epsilon));
            Vector.Store(inv, inverse + column);
            for (int row = 0; row < rows; row++)
            {
                long at = (long)row * width + column;
                Vector<float> x = (Vector.Load(z + at) - mean) * inv;
                Vector.Store(x, standardized + at);
                Vector.Store(x * new Vector<float>(scale[row]) + new Vector<float>(shift[row]), z + at);
            }
        }
    }

    /// <summary>Turns the error after the normalisation into the error before it, in place, and writes the gradients of scale and bias.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LayerBackward(float* e, float* standardized, float* inverse, float* scale, float* scaleGradient, float* biasGradient, int rows,
        int width)
    {
        for (int row = 0; row < rows; row++)
        {
            Vector<float> products = Vector<float>.Zero;
            for (int i = 0; i < width; i += Lanes)
                products += Vector.Load(e + (long)row * width + i) * Vector.Load(standardized + (long)row * width + i);
            scaleGradient[row] = Vector.Sum(products);
        }
        Vector<float> count = new(rows);
        for (int column = 0; column < width; column += Lanes)
        {
            Vector<float> sum = Vector<float>.Zero, products = Vector<float>.Zero;
            for (int row = 0; row < rows; row++)
            {
                long at = (long)row * width + column;
                Vector<float> scaled = Vector.Load(e + at) * new Vector<float>(scale[row]);
                sum += scaled;
                products += scaled * Vector.Load(standardized + at);
            }
            Vector<float> meanError = sum / count, meanProduct = products / count, inv = Vector.Load(inverse + column);
            for (int row = 0; row < rows; row++)
            {
                long at = (long)row * width + column;
                Vector<float> scaled = Vector.Load(e + at) * new Vector<float>(scale[row]);
                Vector.Store(inv * (scaled - meanError - Vector.Load(standardized + at) * meanProduct), e + at);
            }
        }
        DenseKernels.RowSums(e, biasGradient, rows, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumFirst(float* values, int count)
    {
        Vector<float> sums = Vector<float>.Zero;
        int i = 0;
        for (; i <= count - Lanes; i += Lanes)
            sums += Vector.Load(values + i);
        float sum = Vector.Sum(sums);
        for (; i < count; i++)
            sum += values[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SquaresFirst(float* values, float mean, int count)
    {
        Vector<float> sums = Vector<float>.Zero, means = new(mean);
        int i = 0;
        for (; i <= count - Lanes; i += Lanes)
        {
            Vector<float> difference = Vector.Load(values + i) - means;
            sums += difference * difference;
        }
        float sum = Vector.Sum(sums);
        for (; i < count; i++)
            sum += (values[i] - mean) * (values[i] - mean);
        return sum;
    }
}
