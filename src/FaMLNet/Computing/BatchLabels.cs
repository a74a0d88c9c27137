using System.Runtime.InteropServices;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using static TorchSharp.torch;

namespace FaMLNet.Computing;

/// <summary>Labels and weights of the rows of a mini-batch whose logits lie row by row.</summary>
internal sealed class BatchLabels
{
    private int[] _labels = [];
    private float[] _weights = [], _coefficients = [];
    private int _count, _length;
    private double _weightSum;

    public void Load(TrainingData data, ReadOnlySpan<int> rows)
    {
        if (_weights.Length < rows.Length)
            (_weights, _coefficients) = (new float[rows.Length], new float[rows.Length]);
        _length = rows.Length * data.LabelWidth;
        if (_labels.Length < _length)
            _labels = new int[_length];
        data.CopyLabels(rows, _labels);
        _weightSum = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            float weight = data.Weights.IsEmpty ? 1 : data.Weights[rows[i]];
            _weights[i] = weight;
            _coefficients[i] = weight / rows.Length;
            _weightSum += weight;
        }
        _count = rows.Length;
    }

    /// <summary>Turns logits into the error of the mean loss, in place.</summary>
    public BatchResult ReplaceLogitsByError(TrainingLoss loss, Tensor logits, int outputs, float smoothing)
    {
        LossSums sums = loss.ReplaceRowsByError(logits, _labels.AsSpan(0, _length), _coefficients, outputs, smoothing);
        return new BatchResult(sums.Loss * _count, _weightSum, sums.Correct, _count, sums.Squares * _count);
    }

    /// <summary>The targets in the error's place, rows × outputs.</summary>
    public Tensor Targets(TrainingLoss loss, int outputs)
    {
        float[] targets = new float[_count * outputs];
        loss.WriteTargets(targets, _labels.AsSpan(0, _length), _coefficients, outputs, outputs, 1);
        return TensorMemory.Matrix(targets, _count, outputs);
    }

    public EvaluationResult Evaluate(TrainingLoss loss, Tensor logits, int outputs, int k) =>
        loss.Evaluate(MemoryMarshal.Cast<byte, float>(logits.bytes), _labels.AsSpan(0, _length), _weights, outputs, k);
}
