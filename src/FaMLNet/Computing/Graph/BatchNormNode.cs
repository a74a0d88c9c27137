using FaMLNet.Computing.Kernels;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>Batch normalisation of images whose channels lie together in memory, with the ReLU that follows it, if one does.</summary>
/// <remarks>A residual layer hands in the other branch, to be added before ReLU.</remarks>
/// <param name="spec">The layer.</param>
/// <param name="buffers">Where scale, shift and running statistics lie.</param>
/// <param name="units">Where ReLU follows: the name of its units; else null.</param>
/// <param name="ownsGradient">Whether the gradient may be overwritten.</param>
internal sealed unsafe class BatchNormNode(GraphNodeSpec spec, GraphBuffers buffers, string? units, bool ownsGradient) : GraphNode
{
    private readonly bool _rectified = units != null;
    private readonly int _channels = spec.Input.Channels;
    private readonly float[] _mean = new float[spec.Input.Channels], _factor = new float[spec.Input.Channels],
        _inverse = new float[spec.Input.Channels];
    private Tensor? _input, _output;

    /// <summary>Whether a layer is one for this node.</summary>
    public static bool Takes(GraphNodeSpec spec, GraphBuffers buffers) => buffers.ChannelsLast && spec.Definition is Layer.BatchNorm
        && spec.Input.Channels % BatchNormKernels.Lanes == 0;

    public override Tensor Forward(Tensor x, Pass pass) => Forward(x, added: null, pass);

    /// <summary>The layer's output with something added to it, before ReLU.</summary>
    public Tensor Forward(Tensor x, Tensor? added, Pass pass)
    {
        using Tensor plain = x.detach();
        Tensor input = ChannelsLast.InFormat(plain);
        using Tensor? other = added is null ? null : ChannelsLast.InFormat(added);
        Tensor output = LikeInput(input);
        long positions = Positions(input);
        float[] shift = Shift.ToArray(), mean = _mean, factor = _factor;
        if (pass == Pass.Training)
            Standardize(Pointer(input), positions);
        else
        {
            // Threads that predict may share the node.
            (mean, factor) = (spec.RunningMean!.In(buffers.Statistics.Span).ToArray(), spec.RunningVariance!.In(buffers.Statistics.Span).ToArray());
            for (int c = 0; c < _channels; c++)
                factor[c] = Scale[c] / MathF.Sqrt(factor[c] + NormalizationKernels.Epsilon);
        }
        BatchNormKernels.Apply(Pointer(input), other is null ? null : Pointer(other), Pointer(output), positions, _channels, mean, factor, shift,
            _rectified);
        if (pass != Pass.Prediction)
        {
            mean.CopyTo(_mean, 0);
            factor.CopyTo(_factor, 0);
            (_input, _output) = (input, _rectified && added is not null ? output.alias() : null);
            if (units != null)
                buffers.Activity?.Observe(units, output);
        }
        else
            input.Dispose();
        return output;
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        (Tensor below, Tensor? passed) = BackwardBoth(gradient);
        passed?.Dispose();
        return below;
    }

    /// <summary>
    /// Gradients of the layer's input and of what was added to its output; the latter null if nothing was added, or no ReLU follows: then
    /// it is <paramref name="gradient"/> itself.
    /// </summary>
    public (Tensor Input, Tensor? Added) BackwardBoth(Tensor gradient)
    {
        using Tensor input = _input!;
        using Tensor? output = _output;
        (_input, _output) = (null, null);
        bool inFormat = ChannelsLast.IsInFormat(gradient), writable = ownsGradient || !inFormat; // a copy may be written to
        using Tensor error = inFormat ? gradient.alias() : ChannelsLast.Of(gradient);
        long positions = Positions(input);
        float[] shift = Shift.ToArray(), errors = new float[_channels], products = new float[_channels], meanError = new float[_channels],
            slope = new float[_channels];
        float* x = Pointer(input);
        bool masks = _rectified && output is null;
        Tensor? passed = output is null ? null : writable ? error.alias() : LikeInput(input);
        if (buffers.HasGradient || passed is not null)
            BatchNormKernels.Sums(Pointer(error), x, output is null ? null : Pointer(output), passed is null ? null : Pointer(passed), positions,
                _channels, _mean, _factor, shift, masks, errors, products);
        // By running statistics, which do not depend on the input, the last two stay 0.
        if (buffers.HasGradient)
        {
            errors.CopyTo(spec.Bias!.In(buffers.Gradient.Span));
            Span<float> scaleGradient = spec.Weight!.In(buffers.Gradient.Span);
            for (int c = 0; c < _channels; c++)
            {
                scaleGradient[c] = products[c] * _inverse[c];
                meanError[c] = errors[c] / positions;
                slope[c] = products[c] / positions * _inverse[c] * _inverse[c];
            }
        }
        // What passes to the other branch, or belongs to it, must stay as it is.
        Tensor result = writable && passed is null ? error.alias() : LikeInput(input);
        BatchNormKernels.InputGradient(Pointer(passed ?? error), x, Pointer(result), positions, _channels, _mean, _factor, shift, masks, meanError,
            slope);
        return (result, passed);
    }

    private Span<float> Scale => spec.Weight!.In(buffers.Weights.Span);

    private Span<float> Shift => spec.Bias!.In(buffers.Weights.Span);

    /// <summary>Mean and inverse deviation of the batch; the running ones take a step.</summary>
    private void Standardize(float* x, long positions)
    {
        float[] squares = new float[_channels];
        BatchNormKernels.Statistics(x, positions, _channels, _mean, squares);
        Span<float> runningMean = spec.RunningMean!.In(buffers.Statistics.Span), runningVariance = spec.RunningVariance!.In(buffers.Statistics.Span);
        for (int c = 0; c < _channels; c++)
        {
            _inverse[c] = 1 / MathF.Sqrt(squares[c] / positions + NormalizationKernels.Epsilon);
            _factor[c] = Scale[c] * _inverse[c];
            runningMean[c] += NormalizationKernels.Momentum * (_mean[c] - runningMean[c]);
            runningVariance[c] += NormalizationKernels.Momentum * (squares[c] / (positions - 1) - runningVariance[c]);
        }
    }

    private static Tensor LikeInput(Tensor images)
    {
        long[] shape = images.shape;
        using Tensor memory = empty(shape[0], shape[2], shape[3], shape[1]);
        return memory.permute(0, 3, 1, 2);
    }

    private static long Positions(Tensor images) => images.numel() / images.shape[1];

    /// <summary>The first element; the caller keeps the tensor.</summary>
    private static float* Pointer(Tensor images)
    {
        using Tensor flat = images.permute(0, 2, 3, 1);
        fixed (byte* bytes = flat.bytes)
            return (float*)bytes;
    }
}
