using System.Buffers;
using FaMLNet.Computing.Kernels;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>ReLU followed by 2×2 max-pooling.</summary>
/// <param name="buffers">Of the network.</param>
/// <param name="units">Its name where activations are watched.</param>
internal sealed class ReLUMaxPoolNode(GraphBuffers buffers, string units) : GraphNode
{
    private byte[]? _choices;
    private long[] _shape = [];

    public override Tensor Forward(Tensor x, Pass pass)
    {
        Tensor output = ReLUMaxPool.Forward(x, pass != Pass.Prediction, out byte[]? choices);
        if (pass != Pass.Prediction)
        {
            if (_choices != null)
                ArrayPool<byte>.Shared.Return(_choices); // of a pass without a way back
            (_choices, _shape) = (choices, x.shape);
            buffers.Activity?.Observe(units, output);
        }
        return output;
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        Tensor result = ReLUMaxPool.Backward(gradient, _choices!, _shape);
        ArrayPool<byte>.Shared.Return(_choices!);
        _choices = null;
        return result;
    }
}
