using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using FaMLNet.Interop;
using FaMLNet.Training;
using FaMLNet.Training.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Scoring;

/// <summary>Scores images by a convolutional network through libtorch, which is loaded when the first row is scored, not before.</summary>
internal sealed class GraphScorer(GraphLayout layout, float[] parameters, float[] statistics) : NetworkScorer
{
    private readonly object _gate = new();
    private NativeNetwork? _network;

    public override bool GainsFromBatches => true;

    public override IScoringSession Open() => new Session(this);

    private NativeNetwork Network()
    {
        lock (_gate)
        {
            LibTorch.EnsureLoaded();
            return _network ??= new NativeNetwork(layout, parameters, statistics);
        }
    }

    /// <summary>The weights in native memory and the nodes over them; freed by the finalisers of its tensors when the model goes.</summary>
    [SuppressMessage("Design", "CA1001", Justification = "A model is not disposable in ML.NET; tensors have finalisers.")]
    private sealed class NativeNetwork
    {
        private readonly FloatBuffer _weights, _statistics;

        public NativeNetwork(GraphLayout layout, float[] parameters, float[] statistics)
        {
            using DisposeScope scope = NewDisposeScope();
            _weights = new FloatBuffer(parameters.Length);
            _statistics = new FloatBuffer(statistics.Length);
            parameters.CopyTo(_weights.Span);
            statistics.CopyTo(_statistics.Span);
            Nodes = GraphBuilder.Build(layout.Nodes, new GraphBuffers(_weights, _statistics, gradient: null, dropout: null, ConvolutionGuard.Machine, passesErrors: false, layout.ChannelsLast));
        }

        public List<GraphNode> Nodes { get; }
    }

    private sealed class Session(GraphScorer owner) : IScoringSession
    {
        private readonly GraphLayout _layout = owner.Layout;
        private FloatBuffer? _input;

        public void Score(ReadOnlySpan<float> features, int count, Span<float> scores)
        {
            NativeNetwork network = owner.Network();
            using DisposeScope scope = NewDisposeScope();
            using (no_grad())
            {
                int length = _layout.NetworkInput.Length;
                if (_input == null || _input.Length < count * length)
                {
                    _input?.Dispose();
                    _input = new FloatBuffer((long)count * length);
                }
                for (int row = 0; row < count; row++)
                    ImageBatch.Place(features.Slice(row * _layout.Inputs, _layout.Inputs), _layout, owner.Statistics, _input.Span.Slice(row * length, length));
                using torch.Tensor input = ImageBatch.Input(_input, count, _layout);
                using torch.Tensor output = GraphNode.Forward(network.Nodes, input, training: false), logits = output.contiguous();
                MemoryMarshal.Cast<byte, float>(logits.bytes).CopyTo(scores);
            }
            for (int row = 0; row < count; row++)
                DenseScorer.Softmax(scores.Slice(row * _layout.Outputs, _layout.Outputs));
        }

        public void Dispose() => _input?.Dispose();
    }

    private GraphLayout Layout => layout;

    private float[] Statistics => statistics;
}
