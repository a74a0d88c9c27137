using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>Labels and weights of the rows of a mini-batch whose logits lie row by row.</summary>
internal sealed class BatchLabels
{
    private int[] _labels = [];
    private float[] _weights = [], _coefficients = [];
    private int _count;
    private double _weightSum;

    public void Load(TrainingData data, ReadOnlySpan<int> rows)
    {
        if (_labels.Length < rows.Length)
            (_labels, _weights, _coefficients) = (new int[rows.Length], new float[rows.Length], new float[rows.Length]);
        _weightSum = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            float weight = data.Weights.IsEmpty ? 1 : data.Weights[rows[i]];
            _labels[i] = data.Labels[rows[i]];
            _weights[i] = weight;
            _coefficients[i] = weight / rows.Length;
            _weightSum += weight;
        }
        _count = rows.Length;
    }

    /// <summary>Turns logits into the error of the mean loss, in place.</summary>
    public BatchResult ReplaceLogitsByError(Tensor logits, int classes, float smoothing)
    {
        (double loss, int correct) = SoftmaxCrossEntropy.ReplaceRowsByError(logits, _labels.AsSpan(0, _count), _coefficients, classes, smoothing);
        return new BatchResult(loss * _count, _weightSum, correct, _count);
    }

    public EvaluationResult Evaluate(Tensor logits, int classes, int k) =>
        SoftmaxCrossEntropy.Evaluate(MemoryMarshal.Cast<byte, float>(logits.bytes), _labels.AsSpan(0, _count), _weights, classes, k);
}
