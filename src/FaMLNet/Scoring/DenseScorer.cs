using System.Numerics.Tensors;
using FaMLNet.Training.Dense;

namespace FaMLNet.Scoring;

/// <summary>
/// Scores rows by a dense network in managed SIMD code: no native library is loaded. Thread-safe; scratch memory belongs to the caller.
/// </summary>
internal sealed class DenseScorer : NetworkScorer
{
    private readonly DenseLayout _layout;
    private readonly float[] _parameters;
    private readonly int _scratchLength;

    // Batch normalisation at prediction is a scale and a shift a unit, folded here.
    private readonly float[][] _scales, _shifts;

    public DenseScorer(DenseLayout layout, float[] parameters, float[] statistics)
    {
        _layout = layout;
        _parameters = parameters;
        _scales = new float[layout.Layers.Count][];
        _shifts = new float[layout.Layers.Count][];
        for (int i = 0; i < layout.Layers.Count; i++)
        {
            if (layout.Layers[i] is not
                {
                    RunningMean: { } mean, RunningVariance: { } variance, NormScale: { } scale, NormShift: { } shift,
                    Bias: { } bias, Outputs: int units
                })
                continue;
            _scales[i] = new float[units];
            _shifts[i] = new float[units];
            for (int unit = 0; unit < units; unit++)
            {
                float factor = parameters[scale.Offset + unit] / MathF.Sqrt(statistics[variance.Offset + unit] + NormalizationKernels.Epsilon);
                _scales[i][unit] = factor;
                _shifts[i][unit] = parameters[shift.Offset + unit] + (parameters[bias.Offset + unit] - statistics[mean.Offset + unit]) * factor;
            }
        }
        _scratchLength = layout.Layers.Max(layer =>
            (layer.Outputs + NetworkLayout.Alignment - 1) / NetworkLayout.Alignment * NetworkLayout.Alignment);
    }

    public override bool GainsFromBatches => false;

    public override IScoringSession Open() => new Session(this);

    public override void Dispose() { }

    /// <summary>Class probabilities of one row.</summary>
    /// <param name="features">As many as the network has inputs.</param>
    /// <param name="scores">Receives one a class.</param>
    /// <param name="first">Scratch memory as wide as the widest layer, padded.</param>
    /// <param name="second">Another.</param>
    private void Score(ReadOnlySpan<float> features, Span<float> scores, Span<float> first, Span<float> second)
    {
        ReadOnlySpan<float> below = features;
        int top = _layout.Layers.Count - 1;
        for (int i = 0; i <= top; i++)
        {
            DenseLayer layer = _layout.Layers[i];
            Span<float> above = i == top ? scores : first;
            Multiply(layer, below, above);
            if (i < top)
            {
                Normalize(i, layer, above[..layer.Outputs]);
                Activate(above, layer.Outputs);
            }
            below = above[..layer.Outputs];
            Span<float> swap = first;
            first = second;
            second = swap;
        }
        Add(layer: _layout.Layers[top], scores);
        Softmax(scores);
    }

    /// <summary>The maximum is subtracted first: TensorPrimitives.SoftMax is NaN for a logit above 88.</summary>
    internal static void Softmax(Span<float> values)
    {
        TensorPrimitives.Subtract(values, TensorPrimitives.Max(values), values);
        TensorPrimitives.Exp(values, values);
        TensorPrimitives.Multiply(values, 1 / TensorPrimitives.Sum<float>(values), values);
    }

    private void Multiply(DenseLayer layer, ReadOnlySpan<float> below, Span<float> above)
    {
        ReadOnlySpan<float> weights = layer.Weight.In(_parameters);
        for (int unit = 0; unit < layer.Outputs; unit++)
            above[unit] = TensorPrimitives.Dot(weights.Slice(unit * layer.Inputs, layer.Inputs), below);
    }

    private void Add(DenseLayer layer, Span<float> values) => TensorPrimitives.Add(values, layer.Bias.In((ReadOnlySpan<float>)_parameters), values);

    private void Normalize(int index, DenseLayer layer, Span<float> values)
    {
        switch (_layout.Network.Normalization)
        {
            case Normalization.Batch:
                TensorPrimitives.MultiplyAdd(values, _scales[index], _shifts[index], values);
                break;
            case Normalization.Layer:
                Add(layer, values);
                TensorPrimitives.Subtract(values, TensorPrimitives.Sum<float>(values) / values.Length, values);
                float variance = TensorPrimitives.SumOfSquares<float>(values) / values.Length;
                TensorPrimitives.Multiply(values, 1 / MathF.Sqrt(variance + NormalizationKernels.Epsilon), values);
                TensorPrimitives.MultiplyAdd(values, layer.NormScale!.In((ReadOnlySpan<float>)_parameters),
                    layer.NormShift!.In((ReadOnlySpan<float>)_parameters), values);
                break;
            default:
                Add(layer, values);
                break;
        }
    }

    /// <summary>The training's own kernel on a padded row; what it writes past the units is not read.</summary>
    private unsafe void Activate(Span<float> values, int units)
    {
        int width = (units + NetworkLayout.Alignment - 1) / NetworkLayout.Alignment * NetworkLayout.Alignment;
        values[units..width].Clear();
        fixed (float* start = values)
            DenseKernels.Activate(_layout.Network.Activation, start, null, null, 1, width);
    }

    private sealed class Session(DenseScorer scorer) : IScoringSession
    {
        private readonly float[] _first = new float[scorer._scratchLength], _second = new float[scorer._scratchLength];

        public void Score(ReadOnlySpan<float> features, int count, Span<float> scores)
        {
            int inputs = scorer._layout.Inputs, outputs = scorer._layout.Outputs;
            for (int row = 0; row < count; row++)
                scorer.Score(features.Slice(row * inputs, inputs), scores.Slice(row * outputs, outputs), _first, _second);
        }
    }
}
