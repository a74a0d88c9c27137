using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FaMLNet.Computing.Kernels;

namespace FaMLNet.Tasks.Losses;

/// <summary>Softmax with cross-entropy over feature-major logits (a row a class), forward and backward.</summary>
internal sealed unsafe class SoftmaxCrossEntropy(int width)
{
    private static int Lanes => Vector<float>.Count;
    private readonly float[] _maximum = new float[width], _sum = new float[width], _target = new float[width];
    private readonly int[] _argument = new int[width];

    /// <summary>
    /// Turns logits (before the bias) into the error ∂L/∂logits = (softmax − one-hot)·coefficient, in place, where L = Σ coefficient·loss.
    /// </summary>
    /// <param name="z">Logits, classes × width.</param>
    /// <param name="bias">One per class.</param>
    /// <param name="biasGradient">Receives the sums of the error over the batch, one per class.</param>
    /// <param name="classes">The number of rows.</param>
    /// <param name="labels">The class of each column, from 0.</param>
    /// <param name="coefficients">Each column's weight in the loss; 0 beyond the batch.</param>
    /// <param name="count">Columns that hold rows of the batch.</param>
    /// <param name="smoothing">Share of the target that goes to all classes alike.</param>
    /// <returns>Σ coefficient·loss, and how many of the batch's largest logits are those of their labels.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public (double Loss, int Correct) Run(float* z, float* bias, float* biasGradient, int classes, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> coefficients, int count, float smoothing = 0)
    {
        fixed (float* maximum = _maximum, sum = _sum, coefficient = coefficients)
        fixed (int* argument = _argument)
        {
            AddBiasAndFindMaximum(z, bias, classes, maximum, argument);
            int correct = 0;
            for (int i = 0; i < count; i++)
            {
                _target[i] = z[(long)labels[i] * width + i] - maximum[i];
                correct += argument[i] == labels[i] ? 1 : 0;
            }

            if (smoothing > 0)
                MixTargets(z, classes, count, smoothing / classes);

            // The maximum is subtracted first: TensorPrimitives.SoftMax is NaN for a logit above 88.
            new Span<float>(sum, width).Clear();
            for (int row = 0; row < classes; row++)
            {
                Span<float> values = new(z + (long)row * width, width);
                TensorPrimitives.Subtract(values, _maximum, values);
                TensorPrimitives.Exp(values, values);
                TensorPrimitives.Add(_sum, values, _sum);
            }
            double loss = 0;
            for (int i = 0; i < count; i++)
                loss += coefficient[i] * (Math.Log(sum[i]) - _target[i]);
            for (int i = 0; i < width; i += Lanes)
                Vector.Store(Vector.Load(coefficient + i) / Vector.Load(sum + i), sum + i);
            for (int row = 0; row < classes; row++)
            {
                float* values = z + (long)row * width;
                for (int i = 0; i < width; i += Lanes)
                    Vector.Store(Vector.Load(values + i) * Vector.Load(sum + i), values + i);
            }
            for (int i = 0; i < count; i++)
                z[(long)labels[i] * width + i] -= (1 - smoothing) * coefficient[i];
            if (smoothing > 0)
                SubtractFromAll(z, coefficient, classes, smoothing / classes);
            DenseKernels.RowSums(z, biasGradient, classes, width);
            return (loss, correct);
        }
    }

    /// <summary>
    /// What the loss subtracts from the logarithm of the sum: with smoothing, a mean of the logits of the label and of all classes.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MixTargets(float* z, int classes, int count, float share)
    {
        for (int i = 0; i < count; i++)
        {
            float sum = 0;
            for (int row = 0; row < classes; row++)
                sum += z[(long)row * width + i] - _maximum[i];
            _target[i] = (1 - share * classes) * _target[i] + share * sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SubtractFromAll(float* z, float* coefficient, int classes, float share)
    {
        Vector<float> shares = new(share);
        for (int row = 0; row < classes; row++)
        {
            float* values = z + (long)row * width;
            for (int i = 0; i < width; i += Lanes)
                Vector.Store(Vector.Load(values + i) - shares * Vector.Load(coefficient + i), values + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddBiasAndFindMaximum(float* z, float* bias, int classes, float* maximum, int* argument)
    {
        for (int i = 0; i < width; i += Lanes)
        {
            Vector<float> best = new(float.NegativeInfinity);
            Vector<int> bestRow = Vector<int>.Zero;
            float* column = z + i;
            for (int row = 0; row < classes; row++, column += width)
            {
                Vector<float> logit = Vector.Load(column) + new Vector<float>(bias[row]);
                Vector.Store(logit, column);
                Vector<int> larger = Vector.GreaterThan(logit, best);
                best = Vector.ConditionalSelect(larger, logit, best);
                bestRow = Vector.ConditionalSelect(larger, new Vector<int>(row), bestRow);
            }
            Vector.Store(best, maximum + i);
            Vector.Store(bestRow, argument + i);
        }
    }

    /// <summary>The same for row-major logits (a row a row of the batch, bias included): turns them into the error, in place.</summary>
    /// <returns>Σ coefficient·loss, and how many rows' largest logits are those of their labels.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (double Loss, int Correct) ReplaceRowsByError(TorchSharp.torch.Tensor logits, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> coefficients, int classes, float smoothing = 0)
    {
        Span<float> values = MemoryMarshal.Cast<byte, float>(logits.bytes);
        double loss = 0;
        int correct = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            Span<float> row = values.Slice(i * classes, classes);
            float maximum = TensorPrimitives.Max<float>(row), target = row[labels[i]] - maximum;
            correct += TensorPrimitives.IndexOfMax<float>(row) == labels[i] ? 1 : 0;
            TensorPrimitives.Subtract(row, maximum, row);
            if (smoothing > 0)
                target = (1 - smoothing) * target + smoothing / classes * TensorPrimitives.Sum<float>(row);
            TensorPrimitives.Exp(row, row);
            float sum = TensorPrimitives.Sum<float>(row);
            loss += coefficients[i] * (Math.Log(sum) - target);
            TensorPrimitives.Multiply(row, coefficients[i] / sum, row);
            row[labels[i]] -= (1 - smoothing) * coefficients[i];
            if (smoothing > 0)
                TensorPrimitives.Subtract(row, smoothing / classes * coefficients[i], row);
        }
        return (loss, correct);
    }

    /// <summary>Loss and hits of row-major logits, which stay as they are.</summary>
    /// <param name="logits">Rows × classes.</param>
    /// <param name="labels">One per row.</param>
    /// <param name="weights">One per row.</param>
    /// <param name="classes">Classes.</param>
    /// <param name="k">How many of the likeliest classes count as a hit for the top-k accuracy.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static EvaluationResult Evaluate(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, int classes, int k)
    {
        double loss = 0, weight = 0;
        int correct = 0, among = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            ReadOnlySpan<float> row = logits.Slice(i * classes, classes);
            float maximum = TensorPrimitives.Max(row), own = row[labels[i]];
            double sum = 0;
            int above = 0;
            for (int c = 0; c < classes; c++)
            {
                sum += Math.Exp(row[c] - maximum);
                // Of equal logits the first counts as the larger, as for ML.NET's predicted label.
                above += row[c] > own || (row[c] == own && c < labels[i]) ? 1 : 0;
            }
            loss += weights[i] * (Math.Log(sum) + maximum - own);
            weight += weights[i];
            correct += above == 0 ? 1 : 0;
            among += above < k ? 1 : 0;
        }
        return new EvaluationResult(loss, weight, correct, among, labels.Length);
    }
}
