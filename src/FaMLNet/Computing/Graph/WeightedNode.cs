using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Kernels;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>What convolutions and dense layers share: parameters as views of the flat buffers, and the rule at their input.</summary>
internal abstract class WeightedNode : GraphNode
{
    private float[] _kept = [];

    protected WeightedNode(GraphNodeSpec spec, GraphBuffers buffers)
    {
        Spec = spec;
        Buffers = buffers;
        Weight = buffers.Parameter(spec.Weight!);
        Bias = spec.Bias == null ? null : buffers.Parameter(spec.Bias);
    }

    protected GraphNodeSpec Spec { get; }

    protected GraphBuffers Buffers { get; }

    protected Tensor Weight { get; }

    protected Tensor? Bias { get; }

    /// <summary>The gradients of the layer, and the error as it leaves the layer.</summary>
    public sealed override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        Tensor? below = PassBack(gradient, path);
        if (below is not null && path.ErrorLimit is { } limit)
            GradientClipping.Clamp(below, limit);
        return below;
    }

    /// <inheritdoc cref="GraphNode.Backward(Tensor, in BackwardPath)"/>
    protected abstract Tensor? PassBack(Tensor gradient, in BackwardPath path);

    /// <summary>
    /// Whether the layer must compute the gradient of its input through weights: direct rules need none, and the first layer only where the
    /// gradient of the network's input is wanted, which passes its forward weights by every rule, for it has no feedback weights.
    /// </summary>
    protected bool PassesError(in BackwardPath path) => Spec.WeightedIndex == 0 ? Buffers.ReachesInput
        : path.Feedback is not { Route.PassesLayers: false };

    /// <summary>
    /// What stands for the error at this layer's input: the signal projected to it by a direct rule, or the difference that modulation makes; null
    /// where the error passes the layer.
    /// </summary>
    protected Tensor? Project(in BackwardPath path, long[] inputShape)
    {
        if (Spec.WeightedIndex == 0)
            return null;
        if (path.Differences != null)
            return path.Differences[Spec.WeightedIndex]!.reshape(inputShape);
        if (path.Feedback is not { Route.StartsAtOutput: true } feedback)
            return null;
        bool together = Buffers.ChannelsLast && inputShape.Length == 4;
        using Tensor flat = Project(feedback, path.Signal, together ? inputShape : null);
        if (!together)
            return flat.reshape(inputShape);
        // It lands in the format of the layer's input if the feedback weights are in that order.
        using Tensor images = flat.view(inputShape[0], inputShape[2], inputShape[3], inputShape[1]);
        return images.permute(0, 3, 1, 2);
    }

    /// <summary>The projected signal, rows × inputs; in the order of an image with its channels together, if a shape is given.</summary>
    private Tensor Project(FeedbackWeights feedback, Tensor signal, long[]? image)
    {
        if (feedback.Sparse(Spec.WeightedIndex) is { } copies)
            return copies.Run(signal, image == null ? null : (image[1], image[2], image[3]));
        if (image != null)
            return signal.mm(feedback.ChannelsLastView(Spec.WeightedIndex, image));
        using Tensor projection = feedback.View(Spec.WeightedIndex)!;
        return signal.mm(projection);
    }

    /// <summary>Where a layer-wise rule's feedback weights for the layer are; null if the error passes the forward weights, or none.</summary>
    protected ParameterSlice? FeedbackOf(in BackwardPath path) =>
        Spec.WeightedIndex == 0 || path.Feedback is not { Route.ReplacesWeights: true } feedback ? null : feedback.Slices[Spec.WeightedIndex];

    /// <summary>
    /// Puts the feedback weights in the place of the forward weights for the duration of a call: the framework's own backward is then the
    /// rule.
    /// </summary>
    protected void Substitute(in BackwardPath path, Action action)
    {
        if (FeedbackOf(path) is not { } slice)
        {
            action();
            return;
        }
        // Writing the bytes of the storage leaves autograd's version counters alone.
        Span<float> weights = Spec.Weight!.In(Buffers.Weights.Span);
        if (_kept.Length != weights.Length)
            _kept = new float[weights.Length];
        weights.CopyTo(_kept);
        slice.In(path.Feedback!.Buffer.Span).CopyTo(weights);
        try
        {
            action();
        }
        finally
        {
            _kept.CopyTo(Spec.Weight!.In(Buffers.Weights.Span));
        }
    }

    /// <summary>Whether the error must pass apart from the gradient of the weights (<see cref="PassErrorApart"/>).</summary>
    protected bool PassesApart(Convolution convolution, in BackwardPath path) => !convolution.KeepsWeight && FeedbackOf(path) != null;

    /// <summary>
    /// The gradient of the input through the feedback weights where autograd keeps a copy of the weight in another form, which nothing can
    /// change: a second convolution, with the feedback weights, for its backward pass alone.
    /// </summary>
    /// <param name="convolution">The way that the layer takes.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="input">Receives the gradient.</param>
    /// <param name="gradient">∂L/∂output.</param>
    /// <param name="path">How the error passes.</param>
    protected void PassErrorApart(Convolution convolution, Layer.Conv2d layer, Tensor input, Tensor gradient, in BackwardPath path)
    {
        ParameterSlice slice = FeedbackOf(path)!;
        using Tensor feedback = path.Feedback!.Buffer.Fresh(slice.Offset, [.. slice.Shape.Select(size => (long)size)]);
        using IDisposable grad = enable_grad();
        using Tensor output = convolution.Invoke(input, feedback, null, layer);
        Tensor[] outputs = [output], gradients = [gradient], leaves = [input];
        autograd.backward(outputs, gradients, inputs: leaves);
    }
}

/// <summary>A convolution: libtorch's, with autograd around it alone.</summary>
internal sealed class ConvolutionNode(GraphNodeSpec spec, GraphBuffers buffers) : WeightedNode(spec, buffers)
{
    private readonly Layer.Conv2d _layer = (Layer.Conv2d)spec.Definition;
    private readonly Convolution _convolution = buffers.Choose(ConvolutionShape.Of(spec, buffers.UseOf(spec), buffers.ChannelsLast));
    private Tensor? _input, _output;

    public override Tensor Forward(Tensor x, Pass pass)
    {
        if (pass == Pass.Prediction)
            return _convolution.Invoke(x, Weight, Bias, _layer);
        Buffers.Record(Spec.WeightedIndex, x);
        _input = x.detach();
        _input.requires_grad = Spec.WeightedIndex > 0 || Buffers.ReachesInput;
        using (enable_grad())
            _output = _convolution.Invoke(_input, Weight, Bias, _layer);
        return _output.detach();
    }

    protected override Tensor? PassBack(Tensor gradient, in BackwardPath path)
    {
        Tensor output = _output!, input = _input!;
        _output = _input = null;
        Tensor? below = Project(path, input.shape);
        bool passes = PassesError(path);
        // With the input left out of the inputs, autograd skips its gradient.
        bool apart = PassesApart(_convolution, path);
        Tensor[] leaves = [.. Buffers.HasGradient ? [Weight, .. Bias is null ? Array.Empty<Tensor>() : [Bias]] : Array.Empty<Tensor>(),
            .. passes && !apart ? [input] : Array.Empty<Tensor>()];
        Tensor[] outputs = [output], gradients = [gradient];
        if (apart)
        {
            if (leaves.Length > 0)
                autograd.backward(outputs, gradients, inputs: leaves);
            PassErrorApart(_convolution, _layer, input, gradient, path);
        }
        else if (leaves.Length > 0)
            Substitute(path, () => autograd.backward(outputs, gradients, inputs: leaves));
        output.Dispose();
        if (passes)
            below = input.grad;
        input.Dispose();
        return below;
    }
}

/// <summary>
/// A dense layer, or a convolution whose kernel covers its whole input, which is one: matrix products, without autograd.
/// </summary>
internal sealed class DenseNode : WeightedNode
{
    private readonly Tensor _matrix;
    private readonly int _outputs, _inputs;
    private readonly long[] _outputShape;
    private Tensor? _input;
    private long[] _inputShape = [];

    public DenseNode(GraphNodeSpec spec, GraphBuffers buffers) : base(spec, buffers)
    {
        (_outputs, _inputs) = (spec.Weight!.Shape[0], spec.Weight.Length / spec.Weight.Shape[0]);
        _matrix = buffers.Weights.Matrix(spec.Weight.Offset, _outputs, _inputs);
        _outputShape = spec.Definition is Layer.Dense ? [-1, _outputs] : [-1, _outputs, 1, 1];
    }

    public override Tensor Forward(Tensor x, Pass pass)
    {
        Tensor flat = x.reshape(x.shape[0], -1);
        using Tensor y = nn.functional.linear(flat, _matrix, Bias);
        _inputShape = pass == Pass.Prediction ? _inputShape : x.shape;
        if (pass == Pass.Training)
            Buffers.Record(Spec.WeightedIndex, x);
        if (pass == Pass.Training)
            _input = flat;
        else
            flat.Dispose();
        using Tensor detached = y.detach();
        return detached.view(_outputShape);
    }

    protected override Tensor? PassBack(Tensor gradient, in BackwardPath path)
    {
        using Tensor error = gradient.reshape(gradient.shape[0], -1);
        if (Buffers.HasGradient)
            SetGradients(error);
        if (Project(path, _inputShape) is { } projected)
            return projected;
        if (!PassesError(path))
            return null;
        using Tensor? feedback = path.Feedback?.View(Spec.WeightedIndex, _outputs, _inputs);
        using Tensor flat = error.mm(feedback ?? _matrix);
        return flat.reshape(_inputShape);
    }

    private void SetGradients(Tensor error)
    {
        using Tensor input = _input!, transposed = error.t();
        _input = null;
        Buffers.GradientMatrix(Spec.Weight!.Offset, _outputs, _inputs).addmm_(transposed, input, beta: 0);
        if (Spec.Bias is not { } bias)
            return;
        using Tensor sum = error.sum(0, keepdim: true);
        Buffers.GradientMatrix(bias.Offset, 1, _outputs).copy_(sum);
    }
}
