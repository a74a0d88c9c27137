using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Kernels;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>A network of layers with branches in training.</summary>
/// <remarks>
/// The backward pass is the library's own walk over the layers, with libtorch's autograd around single layers only. So a rule acts where it
/// belongs, at the input of a layer with weights: a layer-wise rule puts its feedback weights there for the duration of that layer's
/// backward; a direct rule returns the projected output error instead and asks for no input gradient at all; branches add up by themselves; and
/// what a layer kept is freed as soon as its gradient is done.
/// </remarks>
internal sealed class GraphNetwork : TrainingNetwork
{
    private readonly GraphLayout _layout;
    private readonly GraphBuffers _buffers;
    private readonly List<GraphNode> _nodes;
    private readonly ImageBatch _batch;

    /// <param name="layout">The layers.</param>
    /// <param name="plan">Decides weights and gradient.</param>
    /// <param name="guard">Knows which convolutions libtorch computes wrongly; null for this machine's.</param>
    public GraphNetwork(GraphLayout layout, GradientPlan plan, ConvolutionGuard? guard = null) : base(layout, plan)
    {
        _layout = layout;
        NativeMemory.Settle();
        using DisposeScope scope = NewDisposeScope();
        _buffers = new GraphBuffers(Weights, Statistics, Gradient, Dropout, guard ?? ConvolutionGuard.Machine, passesErrors: true,
            layout.ChannelsLast, plan.CheckCancelled);
        _batch = new ImageBatch(layout, Statistics, plan.Augmentation == null ? null
            : new Augmenter(plan.Augmentation, layout.Image, plan.Seed));
        try
        {
            _nodes = GraphBuilder.Build(layout.Nodes, _buffers);
        }
        catch
        {
            CleanUp.Dispose(this);
            throw;
        }
    }

    public override BatchResult ComputeGradient(TrainingData data, ReadOnlySpan<int> rows)
    {
        _batch.Load(data, rows);
        Clock?.End(StepPhase.Data);
        return Run(Gradient, Feedback, Plan.ErrorLimit);
    }

    public override UnitActivity? Activity
    {
        get => _buffers.Activity;
        set => _buffers.Activity = value;
    }

    public override RandomGenerator? AugmentationRandom => _batch.AugmentationRandom;

    public override EvaluationResult Evaluate(TrainingData data, ReadOnlySpan<int> rows, int k)
    {
        _batch.Load(data, rows, augment: false);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        using Tensor input = _batch.Input(), output = GraphNode.Forward(_nodes, input, Pass.Prediction), logits = output.contiguous();
        return _batch.Evaluate(Loss, logits, _layout.Outputs, k);
    }

    protected override void ComputeBackpropagationGradient(FloatBuffer gradient)
    {
        using SecondPass pass = new(this, _batch.DropoutState);
        _buffers.PointGradientsTo(gradient);
        try
        {
            Run(gradient, feedback: null, errorLimit: null);
        }
        finally
        {
            _buffers.PointGradientsTo(Gradient);
        }
    }

    protected override void DisposeNetwork() => _batch.Dispose();

    private BatchResult Run(FloatBuffer gradient, FeedbackWeights? feedback, float? errorLimit)
    {
        using DisposeScope scope = NewDisposeScope();
        gradient.Span.Clear();
        _batch.DropoutState = Dropout.GetState();
        using Tensor input = _batch.Input();
        using Tensor output = Forward(input, feedback is { Route.RunsTwice: true } or { Trace.WantsActivations: true }, out Tensor?[]? inputs);
        // A copy: the last layer may need its output again.
        using Tensor dense = output.contiguous(), error = dense.clone();
        BatchResult result = _batch.ReplaceLogitsByError(Loss, error, _layout.Outputs, Plan.LabelSmoothing);
        Clock?.End(StepPhase.Forward);
        // Layers may overwrite the error that they get; direct rules project it further down as it was.
        using Tensor gradientOfOutput = error.clone();
        Tensor signal = feedback is { Rule.SendsTarget: true } ? _batch.Targets(Loss, _layout.Outputs) : error;
        Tensor?[]? differences = feedback is { Route.RunsTwice: true } ? Modulate(feedback, input, error, inputs!) : null;
        GraphNode.Backward(_nodes, gradientOfOutput, new BackwardPath(feedback, signal, errorLimit, differences))?.Dispose();
        if (feedback is { Trace: { WantsActivations: true } trace })
            trace.Take(error, inputs!);
        Clock?.End(StepPhase.Backward);
        return result;
    }

    private Tensor Forward(Tensor input, bool records, out Tensor?[]? inputs)
    {
        _buffers.Inputs = inputs = records ? new Tensor?[_layout.WeightedLayers.Count] : null;
        Tensor output = GraphNode.Forward(_nodes, input, Pass.Training);
        _buffers.Inputs = null;
        return output;
    }

    /// <summary>
    /// The second pass, of an input that the error has modulated: the same dropout, and running statistics are those of the first.
    /// </summary>
    /// <returns>What each layer was given less what it is given now, of the mean over the batch.</returns>
    private Tensor?[] Modulate(FeedbackWeights feedback, Tensor input, Tensor error, Tensor?[] first)
    {
        using SecondPass pass = new(this, _batch.DropoutState);
        long rows = error.shape[0];
        Tensor modulated = error.mm(feedback.View(0)!).Scale(rows).view(input.shape).add(input, Scalars.One);
        if (_layout.ChannelsLast)
            modulated = ChannelsLast.Of(modulated);
        Forward(modulated, records: true, out Tensor?[]? second).Dispose();
        return [.. first.Zip(second!, (before, after) => before is null ? null : before.sub(after!).Scale(1f / rows))];
    }
}
