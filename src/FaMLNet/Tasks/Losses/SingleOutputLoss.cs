using System.Runtime.InteropServices;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet.Tasks.Losses;

/// <summary>A loss of one output, whose values lie one behind the other whichever way a batch is laid out.</summary>
internal abstract unsafe class SingleOutputLoss : TrainingLoss
{
    public override LossSums ReplaceColumnsByError(float* z, float* bias, float* biasGradient, int outputs, int width, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> coefficients, int count, float smoothing)
    {
        Span<float> values = new(z, width);
        for (int i = 0; i < count; i++)
            values[i] += *bias;
        LossSums sums = Replace(values[..count], labels, coefficients, smoothing);
        values[count..].Clear();
        double sum = 0;
        for (int i = 0; i < count; i++)
            sum += values[i];
        *biasGradient = (float)sum;
        return sums;
    }

    public override LossSums ReplaceRowsByError(Tensor z, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients, int outputs, float smoothing)
    {
        LossSums sums = Replace(MemoryMarshal.Cast<byte, float>(z.bytes)[..labels.Length], labels, coefficients, smoothing);
        GC.KeepAlive(z);
        return sums;
    }

    public override EvaluationResult Evaluate(ReadOnlySpan<float> z, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, int outputs, int k)
    {
        double loss = 0, weight = 0, squares = 0;
        int correct = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            RowLoss row = At(z[i], labels[i], smoothing: 0);
            loss += weights[i] * row.Loss;
            weight += weights[i];
            squares += weights[i] * row.Square;
            correct += row.IsRight ? 1 : 0;
        }
        return new EvaluationResult(loss, weight, correct, correct, labels.Length, squares);
    }

    /// <summary>Loss and derivative of one row.</summary>
    internal abstract RowLoss At(float z, int label, float smoothing);

    private LossSums Replace(Span<float> values, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients, float smoothing)
    {
        double loss = 0, squares = 0;
        int correct = 0;
        for (int i = 0; i < values.Length; i++)
        {
            RowLoss row = At(values[i], labels[i], smoothing);
            loss += coefficients[i] * row.Loss;
            squares += coefficients[i] * row.Square;
            correct += row.IsRight ? 1 : 0;
            values[i] = (float)(coefficients[i] * row.Slope);
        }
        return new LossSums(loss, correct, squares);
    }

    /// <summary>Loss, its derivative with respect to the output, whether the row is right, and the squared distance in the label's units.</summary>
    internal readonly record struct RowLoss(double Loss, double Slope, bool IsRight, double Square);
}
