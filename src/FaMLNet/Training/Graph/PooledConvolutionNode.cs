using System.Buffers;
using static TorchSharp.torch;

namespace FaMLNet.Training.Graph;

/// <summary>
/// A convolution of few input channels, ReLU and 2×2 max-pooling. Behind the pool at most a quarter of the error is not 0, and of that ReLU takes about
/// half: the weight gradient is summed over what is left, which no general convolution can. The gradient of the input is libtorch's.
/// </summary>
internal sealed class PooledConvolutionNode(GraphNodeSpec spec, GraphBuffers buffers) : WeightedNode(spec, buffers)
{
    private const int MostInputChannels = 8;

    private readonly Layer.Conv2d _layer = (Layer.Conv2d)spec.Definition;
    private readonly Convolution _convolution = buffers.Guard.Choose(ConvolutionShape.Of(spec,
        buffers.UseOf(spec) == ConvolutionUse.InputGradient ? ConvolutionUse.InputGradient : ConvolutionUse.Forward, buffers.ChannelsLast));

    private Tensor? _input, _output;
    private byte[]? _choices;
    private long[] _shape = [];

    /// <summary>Whether a convolution, if ReLU and a 2×2 pool follow, is one for this node.</summary>
    public static bool Takes(GraphNodeSpec spec, GraphBuffers buffers) => !buffers.ChannelsLast && spec.Input.Channels <= MostInputChannels
        && spec.Definition is Layer.Conv2d { Stride: 1, Padding: 0, Dilation: 1, Groups: 1, Kernel: <= SparseWeightGradient.LongestRow };

    public override Tensor Forward(Tensor x, bool training)
    {
        using Tensor weight = Weight.detach();
        using Tensor? bias = Bias?.detach();
        Tensor y;
        if (training && Spec.WeightedIndex > 0)
        {
            _input = x.detach();
            _input.requires_grad = true;
            using (enable_grad())
                y = _output = _convolution.Invoke(_input, weight, bias, _layer);
        }
        else
        {
            _input = training ? x.detach() : null;
            using (no_grad())
                y = _convolution.Invoke(x, weight, bias, _layer);
        }
        Tensor pooled;
        byte[] choices;
        using (Tensor values = y.detach())
            pooled = ReLUMaxPool.Forward(values, out choices);
        long[] shape = y.shape;
        if (_output is null || !training)
            y.Dispose();
        if (training)
            (_choices, _shape) = (choices, shape);
        else
            ArrayPool<byte>.Shared.Return(choices);
        return pooled;
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        using Tensor input = _input!, dense = gradient.contiguous();
        using Tensor? output = _output;
        (_input, _output) = (null, null);
        using (Tensor images = input.detach().contiguous())
            SparseWeightGradient.Run(dense, _choices!, images, Spec, Buffers.Gradient);
        Tensor? below = Project(path, input.shape);
        if (PassesError(path))
        {
            using Tensor error = ReLUMaxPool.Backward(dense, _choices!, _shape);
            Tensor[] outputs = [output!], gradients = [error], leaves = [input];
            Substitute(path, () => autograd.backward(outputs, gradients, inputs: leaves));
            below = input.grad;
        }
        ArrayPool<byte>.Shared.Return(_choices!);
        _choices = null;
        return below;
    }
}
