using System.Runtime.InteropServices;
using FaMLNet.Tasks.Labels;
using TorchSharp;

namespace FaMLNet.Tasks.Losses;

/// <summary>
/// The sum of losses of single outputs, each of which has a label of its own: labels are rows × outputs. An output whose label is not known has
/// neither error nor loss. Squares are means over the known labels of a row.
/// </summary>
internal sealed unsafe class ManyOutputsLoss : TrainingLoss
{
    private readonly SingleOutputLoss[] _losses;
    private readonly double[] _squareScales;
    private readonly bool _canBeMissing;
    private double[] _shares = [];

    private ManyOutputsLoss(SingleOutputLoss[] losses, double[] squareScales, bool canBeMissing) =>
        (_losses, _squareScales, _canBeMissing) = (losses, squareScales, canBeMissing);

    /// <summary>The loss of several numbers; squares are in standard deviations of each.</summary>
    /// <param name="loss">Of each output.</param>
    /// <param name="targets">One per output.</param>
    public static ManyOutputsLoss OfNumbers(RegressionLoss loss, IReadOnlyList<TargetScale> targets) => new(
        [.. targets.Select(target => new TargetLoss(loss, target))], [.. targets.Select(target => 1 / (target.Deviation * target.Deviation))], true);

    /// <summary>The loss of several labels, each true or false.</summary>
    /// <param name="labels">How many.</param>
    public static ManyOutputsLoss OfLabels(int labels) =>
        new([.. Enumerable.Range(0, labels).Select(_ => new LogisticLoss())], new double[labels], false);

    public override LossSums ReplaceColumnsByError(float* z, float* bias, float* biasGradient, int outputs, int width, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> coefficients, int count, float smoothing)
    {
        CountKnown(labels, count);
        LossSums total = default;
        for (int output = 0; output < outputs; output++)
        {
            Span<float> values = new(z + (long)output * width, width);
            double sum = 0;
            for (int row = 0; row < count; row++)
            {
                values[row] += bias[output];
                total = Replace(ref values[row], row, output, labels[row * outputs + output], coefficients[row], smoothing, total);
                sum += values[row];
            }
            values[count..].Clear();
            biasGradient[output] = (float)sum;
        }
        return total;
    }

    public override LossSums ReplaceRowsByError(torch.Tensor z, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients, int outputs,
        float smoothing)
    {
        int count = labels.Length / outputs;
        CountKnown(labels, count);
        Span<float> values = MemoryMarshal.Cast<byte, float>(z.bytes);
        LossSums total = default;
        for (int i = 0; i < labels.Length; i++)
            total = Replace(ref values[i], i / outputs, i % outputs, labels[i], coefficients[i / outputs], smoothing, total);
        GC.KeepAlive(z);
        return total;
    }

    /// <summary>−coefficient for true and coefficient for false at each output.</summary>
    public override void WriteTargets(Span<float> destination, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients, int outputs, int rowStride,
        int outputStride)
    {
        destination.Clear();
        for (int i = 0; i < labels.Length; i++)
        {
            float coefficient = coefficients[i / outputs];
            destination[i / outputs * rowStride + i % outputs * outputStride] = labels[i] == 0 ? coefficient : -coefficient;
        }
    }

    public override EvaluationResult Evaluate(ReadOnlySpan<float> z, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, int outputs, int k)
    {
        int count = labels.Length / outputs;
        CountKnown(labels, count);
        LossSums total = default;
        double weight = 0;
        for (int row = 0; row < count; row++)
        {
            weight += weights[row];
            for (int output = 0; output < outputs; output++)
            {
                float value = z[row * outputs + output];
                total = Replace(ref value, row, output, labels[row * outputs + output], weights[row], 0, total);
            }
        }
        return new EvaluationResult(total.Loss, weight, total.Correct, total.Correct, count, total.Squares);
    }

    /// <summary>Turns an output into its error, and adds up what it shows.</summary>
    private LossSums Replace(ref float value, int row, int output, int label, float coefficient, float smoothing, LossSums total)
    {
        if (_canBeMissing && LabelBits.IsMissing(label))
        {
            // A network that has diverged must not hide behind a label that is not known.
            value = float.IsFinite(value) ? 0 : float.NaN;
            return float.IsNaN(value) ? total with { Loss = double.NaN } : total;
        }
        SingleOutputLoss.RowLoss found = _losses[output].At(value, label, smoothing);
        value = (float)(coefficient * found.Slope);
        return new LossSums(total.Loss + coefficient * found.Loss, total.Correct + (found.IsRight ? 1 : 0),
            _canBeMissing ? total.Squares + coefficient * found.Square * _squareScales[output] * _shares[row] : 0);
    }

    /// <summary>Of each row, 1 by the number of its labels that are known.</summary>
    private void CountKnown(ReadOnlySpan<int> labels, int count)
    {
        if (!_canBeMissing)
            return;
        int outputs = _losses.Length;
        if (_shares.Length < count)
            _shares = new double[count];
        for (int row = 0; row < count; row++)
        {
            int known = 0;
            foreach (int label in labels.Slice(row * outputs, outputs))
                known += LabelBits.IsMissing(label) ? 0 : 1;
            _shares[row] = 1.0 / Math.Max(1, known);
        }
    }
}
