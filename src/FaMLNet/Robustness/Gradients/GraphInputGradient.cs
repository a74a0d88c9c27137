using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Robustness;

/// <summary>
/// A network of layers with branches, by the training's own nodes. It always computes as many rows at once, empty ones if there are fewer: kernels
/// may round otherwise for another number.
/// </summary>
internal sealed class GraphInputGradient : InputGradient
{
    private readonly GraphLayout _layout;
    private readonly float[] _statistics;
    private readonly FloatBuffer _weights, _running, _input;
    private readonly FeedbackWeights? _feedback;
    private readonly List<GraphNode> _nodes;
    private readonly float[] _errors;
    private readonly int _block;

    /// <param name="layout">The network.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="statistics">Of input and batch normalisation.</param>
    /// <param name="feedback">The way back; null for the forward weights.</param>
    /// <param name="block">Rows computed at once.</param>
    public GraphInputGradient(GraphLayout layout, float[] parameters, float[] statistics, FeedbackPath? feedback, int block)
    {
        (_layout, _statistics, _block) = (layout, statistics, block);
        LibTorch.EnsureLoaded();
        NativeMemory.Settle();
        using DisposeScope scope = NewDisposeScope();
        _weights = new FloatBuffer(parameters.Length);
        _running = new FloatBuffer(statistics.Length);
        _input = new FloatBuffer((long)block * layout.NetworkInput.Length);
        parameters.CopyTo(_weights.Span);
        statistics.CopyTo(_running.Span);
        _feedback = feedback?.Open(layout);
        _nodes = GraphBuilder.Build(layout.Nodes,
            new GraphBuffers(_weights, _running, gradient: null, dropout: null, ConvolutionGuard.Machine, passesErrors: true, layout.ChannelsLast));
        _errors = new float[block * layout.Outputs];
    }

    public override void Run(ReadOnlySpan<float> x, int count, OutputErrors errors, Span<float> gradients)
    {
        for (int first = 0; first < count; first += _block)
        {
            int rows = Math.Min(_block, count - first);
            RunBlock(x.Slice(first * _layout.Inputs, rows * _layout.Inputs), rows, errors, gradients.Slice(first * _layout.Inputs,
                rows * _layout.Inputs));
        }
    }

    public override void Dispose()
    {
        _feedback?.Dispose();
        _input.Dispose();
        _running.Dispose();
        _weights.Dispose();
    }

    private void RunBlock(ReadOnlySpan<float> x, int rows, OutputErrors errors, Span<float> gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        int length = _layout.NetworkInput.Length, logitsLength = rows * _layout.Outputs;
        for (int row = 0; row < rows; row++)
            ImageBatch.Place(x.Slice(row * _layout.Inputs, _layout.Inputs), _layout, _statistics, _input.Span.Slice(row * length, length));
        _input.Span[(rows * length)..].Clear();
        using Tensor input = ImageBatch.Input(_input, _block, _layout), output = GraphNode.Forward(_nodes, input, Pass.InputGradient),
            logits = output.contiguous();
        Array.Clear(_errors);
        errors(TensorMemory.Read(logits)[..logitsLength], _errors.AsSpan(0, logitsLength));
        using Tensor error = tensor(_errors, [_block, _layout.Outputs]), gradientOfOutput = error.clone();
        using Tensor below = GraphNode.Backward(_nodes, gradientOfOutput, new BackwardPath(_feedback, error))!, planar = below.contiguous();
        ReadOnlySpan<float> found = TensorMemory.Read(planar);
        for (int row = 0; row < rows; row++)
            ImageBatch.PlaceGradient(found.Slice(row * length, length), _layout, _statistics, gradients.Slice(row * _layout.Inputs, _layout.Inputs));
        GC.KeepAlive(planar);
        GC.KeepAlive(logits);
    }
}
