using System.Buffers;
using FaMLNet.Computing.Kernels;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>
/// A convolution of few input channels, ReLU and 2×2 max-pooling. Behind the pool at most a quarter of the error is not 0, and of that ReLU
/// takes about half: the weight gradient is summed over what is left, which no general convolution can. The gradient of the input is libtorch's.
/// </summary>
/// <param name="spec">The convolution.</param>
/// <param name="buffers">Where its parameters lie.</param>
/// <param name="units">Its name where activations are watched.</param>
internal sealed class PooledConvolutionNode(GraphNodeSpec spec, GraphBuffers buffers, string units) : WeightedNode(spec, buffers)
{
    private const int MostInputChannels = 8;

    private readonly Layer.Conv2d _layer = (Layer.Conv2d)spec.Definition;
    private readonly Convolution _convolution = buffers.Choose(ConvolutionShape.Of(spec,
        buffers.UseOf(spec) == ConvolutionUse.InputGradient ? ConvolutionUse.InputGradient : ConvolutionUse.Forward, buffers.ChannelsLast));
    private readonly bool _small = SmallConvolution.Takes(spec);
    private Tensor? _input, _output;
    private byte[]? _choices;

    /// <summary>Whether a convolution, if ReLU and a 2×2 pool follow, is one for this node.</summary>
    public static bool Takes(GraphNodeSpec spec, GraphBuffers buffers) => !buffers.ChannelsLast && spec.Input.Channels <= MostInputChannels
        && spec.Definition is Layer.Conv2d { Stride: 1, Padding: 0, Dilation: 1, Groups: 1, Kernel: <= SparseWeightGradient.LongestRow };

    public override Tensor Forward(Tensor x, Pass pass)
    {
        bool keeps = pass != Pass.Prediction, passes = keeps && (Spec.WeightedIndex > 0 || (Buffers.ReachesInput && !_small));
        _input = keeps ? x.detach() : null;
        if (keeps)
            Buffers.Record(Spec.WeightedIndex, x);
        if (_choices != null)
            ArrayPool<byte>.Shared.Return(_choices); // of a pass without a way back
        byte[]? choices;
        Tensor pooled;
        if (!passes && _small)
            pooled = SmallConvolution.Forward(x, Spec.Weight!.In((ReadOnlySpan<float>)Buffers.Weights.Span), Spec.Bias is { } bias
                ? bias.In((ReadOnlySpan<float>)Buffers.Weights.Span) : [], Spec, keeps, out choices);
        else
        {
            Tensor values = Convolve(x, passes);
            using (Tensor plain = values.detach())
                pooled = ReLUMaxPool.Forward(plain, keeps, out choices);
            if (passes)
                _output = values;
            else
                values.Dispose();
        }
        if (keeps)
        {
            _choices = choices;
            // What the pool leaves is 0 where all that it saw was.
            Buffers.Activity?.Observe(units, pooled);
        }
        return pooled;
    }

    protected override Tensor? PassBack(Tensor gradient, in BackwardPath path)
    {
        using Tensor input = _input!, dense = gradient.contiguous();
        using Tensor? output = _output;
        (_input, _output) = (null, null);
        if (Buffers.HasGradient)
        {
            using Tensor images = input.detach().contiguous();
            SparseWeightGradient.Run(dense, _choices!, images, Spec, Buffers.Gradient);
        }
        Tensor? below = Project(path, input.shape);
        if (PassesError(path) && output is null)
            below = SmallConvolution.InputGradient(dense, _choices!, Spec.Weight!.In((ReadOnlySpan<float>)Buffers.Weights.Span), Spec);
        else if (PassesError(path))
        {
            using Tensor error = ReLUMaxPool.Backward(dense, _choices!, output!.shape);
            Tensor[] outputs = [output!], gradients = [error], leaves = [input];
            if (PassesApart(_convolution, path))
                PassErrorApart(_convolution, _layer, input, error, path);
            else
                Substitute(path, () => autograd.backward(outputs, gradients, inputs: leaves));
            below = input.grad;
        }
        ArrayPool<byte>.Shared.Return(_choices!);
        _choices = null;
        return below;
    }

    /// <summary>libtorch's convolution, with a graph back to the input if an error is to pass.</summary>
    private Tensor Convolve(Tensor x, bool passes)
    {
        using Tensor weight = Weight.detach();
        using Tensor? bias = Bias?.detach();
        if (!passes)
        {
            using (no_grad())
                return _convolution.Invoke(x, weight, bias, _layer);
        }
        _input!.requires_grad = true;
        using (enable_grad())
            return _convolution.Invoke(_input, weight, bias, _layer);
    }
}
