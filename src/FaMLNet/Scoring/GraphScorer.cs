using System.Collections.Concurrent;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Scoring;

/// <summary>Scores images by a convolutional network through libtorch, which is loaded when the first row is scored, not before.</summary>
internal sealed class GraphScorer(IHostEnvironment env, GraphLayout layout, float[] parameters, float[] statistics)
    : NativeScorer<GraphScorer.NativeNetwork>(env, native: null)
{
    protected override NativeNetwork Create()
    {
        LibTorch.EnsureLoaded();
        return new NativeNetwork(layout, parameters, statistics);
    }

    protected override void ComputeLogits(NativeNetwork native, ReadOnlySpan<float> features, int count, Span<float> logits) =>
        native.ComputeLogits(features, count, logits);

    /// <summary>The weights in native memory, the nodes over them, and a batch's memory for each thread that is scoring.</summary>
    internal sealed class NativeNetwork : IDisposable
    {
        private readonly GraphLayout _layout;
        private readonly float[] _statisticsOfInput;
        private readonly FloatBuffer _weights, _statistics;
        private readonly List<GraphNode> _nodes;
        private readonly ConcurrentBag<FloatBuffer> _inputs = [];

        public NativeNetwork(GraphLayout layout, float[] parameters, float[] statistics)
        {
            _layout = layout;
            _statisticsOfInput = statistics;
            using DisposeScope scope = NewDisposeScope();
            _weights = new FloatBuffer(parameters.Length);
            _statistics = new FloatBuffer(statistics.Length);
            parameters.CopyTo(_weights.Span);
            statistics.CopyTo(_statistics.Span);
            _nodes = GraphBuilder.Build(layout.Nodes,
                new GraphBuffers(_weights, _statistics, gradient: null, dropout: null, ConvolutionGuard.Machine, passesErrors: false,
                layout.ChannelsLast));
        }

        public void ComputeLogits(ReadOnlySpan<float> features, int count, Span<float> logits)
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = no_grad();
            int length = _layout.NetworkInput.Length;
            if (!_inputs.TryTake(out FloatBuffer? buffer) || buffer.Length < count * length)
            {
                buffer?.Dispose();
                buffer = new FloatBuffer((long)count * length);
            }
            for (int row = 0; row < count; row++)
                ImageBatch.Place(features.Slice(row * _layout.Inputs, _layout.Inputs), _layout, _statisticsOfInput,
                    buffer.Span.Slice(row * length, length));
            using (Tensor input = ImageBatch.Input(buffer, count, _layout), output = GraphNode.Forward(_nodes, input, Pass.Prediction),
                dense = output.contiguous())
                TensorMemory.Read(dense).CopyTo(logits);
            _inputs.Add(buffer);
        }

        public void Dispose()
        {
            foreach (FloatBuffer input in _inputs)
                input.Dispose();
            _weights.Dispose();
            _statistics.Dispose();
        }
    }
}
