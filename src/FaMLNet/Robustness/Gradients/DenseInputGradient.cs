using System.Numerics.Tensors;
using FaMLNet.Computing.Kernels;
using FaMLNet.Scoring;

namespace FaMLNet.Robustness;

/// <summary>
/// A chain of dense layers in managed SIMD code: no native library is loaded. Each weight row serves a block of rows while it is in the cache;
/// sums have the same order for every row, wherever it stands.
/// </summary>
internal sealed unsafe class DenseInputGradient : InputGradient
{
    private const int Block = 16;

    private readonly DenseLayout _layout;
    private readonly float[] _parameters, _sums = new float[1];
    private readonly FeedbackPath? _feedback;
    private readonly FoldedNormalization _folded;
    private readonly int _stride;
    private readonly float[][] _activations, _derivatives, _standardized;
    private readonly float[] _inverse;
    private readonly float[] _logits, _errors;
    private float[] _above, _below;

    /// <param name="layout">The network.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="statistics">Of batch normalisation.</param>
    /// <param name="feedback">The way back; null for the forward weights.</param>
    public DenseInputGradient(DenseLayout layout, float[] parameters, float[] statistics, FeedbackPath? feedback)
    {
        (_layout, _parameters, _feedback) = (layout, parameters, feedback);
        _folded = new FoldedNormalization(layout, parameters, statistics);
        int hidden = layout.Layers.Count - 1, widest = Math.Max(layout.Inputs, layout.Layers.Max(layer => layer.Outputs));
        _stride = NetworkLayout.Padded(widest);
        _activations = Buffers(hidden, wanted: true);
        _derivatives = Buffers(hidden, layout.Network.Activation == Activation.GELU);
        _standardized = Buffers(hidden, layout.Network.Normalization == Normalization.Layer);
        _inverse = new float[hidden * Block];
        (_logits, _errors) = (new float[Block * layout.Outputs], new float[Block * layout.Outputs]);
        (_above, _below) = (new float[Block * _stride], new float[Block * _stride]);
    }

    public override void Run(ReadOnlySpan<float> x, int count, OutputErrors errors, Span<float> gradients)
    {
        int inputs = _layout.Inputs;
        for (int first = 0; first < count; first += Block)
        {
            int rows = Math.Min(Block, count - first);
            Forward(x.Slice(first * inputs, rows * inputs), rows);
            int length = rows * _layout.Outputs;
            errors(_logits.AsSpan(0, length), _errors.AsSpan(0, length));
            Backward(rows, gradients.Slice(first * inputs, rows * inputs));
        }
    }

    public override void Dispose() { }

    private float[][] Buffers(int count, bool wanted) => [.. Enumerable.Range(0, count).Select(_ => wanted ? new float[Block * _stride] : [])];

    private void Forward(ReadOnlySpan<float> x, int rows)
    {
        ReadOnlySpan<float> below = x;
        int belowStride = _layout.Inputs, top = _layout.Layers.Count - 1;
        for (int i = 0; i <= top; i++)
        {
            DenseLayer layer = _layout.Layers[i];
            Span<float> above = i == top ? _logits : _activations[i];
            int stride = i == top ? layer.Outputs : _stride;
            ReadOnlySpan<float> weights = layer.Weight.In((ReadOnlySpan<float>)_parameters);
            for (int unit = 0; unit < layer.Outputs; unit++)
            {
                ReadOnlySpan<float> own = weights.Slice(unit * layer.Inputs, layer.Inputs);
                for (int row = 0; row < rows; row++)
                    above[row * stride + unit] = TensorPrimitives.Dot(own, below.Slice(row * belowStride, layer.Inputs));
            }
            for (int row = 0; row < rows; row++)
            {
                Span<float> values = above.Slice(row * stride, layer.Outputs);
                if (i == top)
                    TensorPrimitives.Add(values, layer.Bias.In((ReadOnlySpan<float>)_parameters), values);
                else
                {
                    Normalize(i, layer, values, row);
                    Activate(i, row);
                }
            }
            below = above;
            belowStride = stride;
        }
        if (_layout.Skip is not { } skip)
            return;
        for (int output = 0; output < _layout.Outputs; output++)
        {
            ReadOnlySpan<float> own = WeightsOf(skip, output);
            for (int row = 0; row < rows; row++)
                _logits[row * _layout.Outputs + output] += TensorPrimitives.Dot(own, x.Slice(row * _layout.Inputs, _layout.Inputs));
        }
    }

    private ReadOnlySpan<float> WeightsOf(ParameterSlice weights, int unit) =>
        weights.In((ReadOnlySpan<float>)_parameters).Slice(unit * _layout.Inputs, _layout.Inputs);

    private void Normalize(int index, DenseLayer layer, Span<float> values, int row)
    {
        if (_layout.Network.Normalization == Normalization.Layer)
            _inverse[index * Block + row] = _folded.NormalizeLayer(layer, values, _standardized[index].AsSpan(row * _stride, values.Length));
        else
            _folded.Normalize(index, layer, values);
    }

    /// <summary>The training's own kernel on a padded row.</summary>
    private void Activate(int index, int row)
    {
        int width = Pad(index, _activations[index], row);
        fixed (float* a = &_activations[index][row * _stride])
        fixed (float* derivative = _derivatives[index])
            DenseKernels.Activate(_layout.Network.Activation, a, null, derivative == null ? null : derivative + row * _stride, 1, width);
    }

    private int Pad(int index, float[] values, int row)
    {
        int units = _layout.Layers[index].Outputs, width = NetworkLayout.Padded(units);
        values.AsSpan(row * _stride + units, width - units).Clear();
        return width;
    }

    private void Backward(int rows, Span<float> gradients)
    {
        Span<float> errors = _errors;
        int stride = _layout.Outputs;
        // A direct rule projects the output's error to the first layer that has feedback weights: what lies above does not reach the input.
        int first = _feedback is { Rule.Route.StartsAtOutput: true } ? Math.Min(1, _layout.Layers.Count - 1) : _layout.Layers.Count - 1;
        for (int i = first; i >= 0; i--)
        {
            DenseLayer layer = _layout.Layers[i];
            ParameterSlice? slice = _feedback?.Slices[i];
            ReadOnlySpan<float> matrix = slice is null ? layer.Weight.In((ReadOnlySpan<float>)_parameters)
                : slice.In((ReadOnlySpan<float>)_feedback!.Values);
            int units = matrix.Length / layer.Inputs, belowStride = i == 0 ? layer.Inputs : _stride;
            Span<float> below = i == 0 ? gradients : _below;
            for (int row = 0; row < rows; row++)
                below.Slice(row * belowStride, layer.Inputs).Clear();
            for (int unit = 0; unit < units; unit++)
            {
                ReadOnlySpan<float> own = matrix.Slice(unit * layer.Inputs, layer.Inputs);
                for (int row = 0; row < rows; row++)
                {
                    // Behind ReLU half of the errors are 0.
                    if (errors[row * stride + unit] is not 0 and float error)
                    {
                        Span<float> target = below.Slice(row * belowStride, layer.Inputs);
                        TensorPrimitives.MultiplyAdd(own, error, target, target);
                    }
                }
            }
            if (i == 0)
                break;
            for (int row = 0; row < rows; row++)
                Differentiate(i - 1, row);
            (_above, _below) = (_below, _above);
            errors = _above;
            stride = _stride;
        }
        if (_layout.Skip is not { } skip)
            return;
        // By its own weights, whatever the rule: they need no others.
        for (int output = 0; output < _layout.Outputs; output++)
        {
            ReadOnlySpan<float> own = WeightsOf(skip, output);
            for (int row = 0; row < rows; row++)
            {
                Span<float> target = gradients.Slice(row * _layout.Inputs, _layout.Inputs);
                TensorPrimitives.MultiplyAdd(own, _errors[row * _layout.Outputs + output], target, target);
            }
        }
    }

    /// <summary>From the error of a layer's activations to that of its products.</summary>
    private void Differentiate(int index, int row)
    {
        DenseLayer layer = _layout.Layers[index];
        int width = Pad(index, _below, row), start = row * _stride;
        fixed (float* e = &_below[start], a = &_activations[index][start], sum = _sums)
        fixed (float* derivative = _derivatives[index])
            DenseKernels.Differentiate(_layout.Network.Activation, e, a, derivative == null ? null : derivative + start, sum, 1, width);
        Span<float> error = _below.AsSpan(start, layer.Outputs);
        if (_layout.Network.Normalization == Normalization.Layer)
            _folded.BackwardLayer(layer, error, _standardized[index].AsSpan(start, layer.Outputs), _inverse[index * Block + row]);
        else
            _folded.Backward(index, error);
    }
}
