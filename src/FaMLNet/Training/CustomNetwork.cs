using FaMLNet.Interop;
using FaMLNet.Training.Devices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>A module of the user's own in training: the general way, by autograd over the whole module.</summary>
/// <remarks>
/// A layer-wise rule puts its feedback weights in the place of the forward weights for the duration of the backward pass, which is then the
/// rule. A direct rule cuts the graph at the input of every weighted layer but the first (a hook hands on the detached tensor) and starts backward at all
/// those tensors at once with the projected output error, and at the output with the error itself.
/// </remarks>
internal sealed class CustomNetwork : TrainingNetwork
{
    private readonly CustomLayout _layout;
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly List<(Tensor Leaf, ParameterSlice Slice)> _leaves = [];
    private readonly List<Action> _hooks = [];
    private readonly List<(int Layer, Tensor Input)> _cuts = [];
    private readonly FloatBuffer _input;
    private readonly bool _withoutOneDnn;
    private readonly float[] _kept, _black = [];
    private readonly Augmenter? _augmenter;
    private bool _cutting;
    private int _count;
    private int[] _labels = [];
    private float[] _coefficients = [];

    /// <summary>Whether oneDNN is wrong for the module on this machine, and switched off while it runs.</summary>
    public bool IsRerouted => _withoutOneDnn;

    public CustomNetwork(CustomLayout layout, nn.Module<Tensor, Tensor> module, FeedbackRule rule, float initialWeightScale, float feedbackScale, OptimizerOptions optimizer, int seed, int batchSize, Augmentation? augmentation = null)
        : base(layout, rule, initialWeightScale, feedbackScale, optimizer, seed)
    {
        _layout = layout;
        _module = module;
        _withoutOneDnn = ModuleGuard.NeedsOneDnnOff(module, layout.Shape);
        _input = new FloatBuffer((long)batchSize * layout.Inputs);
        _kept = new float[layout.WeightedLayers.Max(layer => layer.Weight.Length)];
        if (augmentation != null && layout.Shape.Input is [int channels, int height, int width])
            (_augmenter, _black) = (new Augmenter(augmentation, new ImageShape(channels, height, width), seed), new float[channels]);
        using DisposeScope scope = NewDisposeScope();
        Attach();
        Dictionary<string, nn.Module<Tensor, Tensor>> modules = CustomLayout.WeightedModules(module);
        for (int i = 1; i < layout.WeightedLayers.Count; i++)
        {
            int layer = i;
            _hooks.Add(modules[layout.WeightedLayers[i].Name].register_forward_pre_hook((_, input) => Cut(layer, input)).remove);
        }
    }

    public override RandomGenerator? AugmentationRandom => _augmenter?.Random;

    public override BatchResult ComputeGradient(TrainingData data, ReadOnlySpan<int> rows)
    {
        double weightSum = Load(data, rows, augment: true);
        Clock?.End(StepPhase.Data);
        (double loss, int correct) = Run(Gradient, byRule: true);
        return new BatchResult(loss * rows.Length, weightSum, correct, rows.Length);
    }

    public override EvaluationResult Evaluate(TrainingData data, ReadOnlySpan<int> rows, int k)
    {
        Load(data, rows, augment: false);
        using IDisposable? oneDnn = OneDnn.Off(_withoutOneDnn);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        _module.eval();
        Tensor logits = _module.call(Input()).contiguous();
        for (int i = 0; i < _count; i++)
            _coefficients[i] *= _count; // the weights themselves
        return SoftmaxCrossEntropy.Evaluate(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(logits.bytes), _labels.AsSpan(0, _count), _coefficients, _layout.Outputs, k);
    }

    private Tensor Input() => _input.Fresh(0, [_count, .. _layout.Shape.Input.Select(size => (long)size)]);

    private double Load(TrainingData data, ReadOnlySpan<int> rows, bool augment)
    {
        if (_labels.Length < rows.Length)
            (_labels, _coefficients) = (new int[rows.Length], new float[rows.Length]);
        double weightSum = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            Span<float> row = _input.Span.Slice(i * _layout.Inputs, _layout.Inputs);
            data.CopyRow(rows[i], row);
            if (augment && _augmenter != null)
                _augmenter.Change(row, _black).CopyTo(row);
            float weight = data.Weights.IsEmpty ? 1 : data.Weights[rows[i]];
            _labels[i] = data.Labels[rows[i]];
            _coefficients[i] = weight / rows.Length;
            weightSum += weight;
        }
        _count = rows.Length;
        return weightSum;
    }

    protected override void ComputeBackpropagationGradient(FloatBuffer gradient)
    {
        // A second pass over the batch at hand; the module's own dropout draws anew, which the angle then contains.
        float[] statistics = Statistics.Span.ToArray();
        PointGradientsTo(gradient);
        try
        {
            Run(gradient, byRule: false);
        }
        finally
        {
            PointGradientsTo(Gradient);
            statistics.CopyTo(Statistics.Span);
        }
    }

    protected override void DisposeNetwork()
    {
        _hooks.ForEach(remove => remove());
        _module.Dispose();
        _input.Dispose();
    }

    /// <summary>Moves the module's parameters and buffers into the flat ones, so that one pass over those updates them all.</summary>
    private void Attach()
    {
        ModuleForward.TakeInitialValues(_layout, _module, this);
        Dictionary<string, Parameter> parameters = _module.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        Dictionary<string, Tensor> buffers = _module.named_buffers().ToDictionary(pair => pair.name, pair => pair.buffer);
        using IDisposable grad = no_grad();
        foreach (ParameterSlice slice in _layout.Parameters)
        {
            Parameter parameter = parameters[slice.Name];
            parameter.set_(Weights.View(slice));
            parameter.requires_grad = true;
            parameter.grad = Gradient.View(slice);
            _leaves.Add((parameter, slice));
        }
        foreach (ParameterSlice slice in _layout.Statistics)
            buffers[slice.Name].set_(Statistics.View(slice));
    }

    private void PointGradientsTo(FloatBuffer buffer)
    {
        foreach ((Tensor leaf, ParameterSlice slice) in _leaves)
            leaf.grad = buffer.View(slice);
    }

    private (double Loss, int Correct) Run(FloatBuffer gradient, bool byRule)
    {
        using IDisposable? oneDnn = OneDnn.Off(_withoutOneDnn);
        using DisposeScope scope = NewDisposeScope();
        gradient.Span.Clear();
        _cuts.Clear();
        _cutting = byRule && Feedback.IsDirect;
        _module.train();
        Tensor output = _module.call(Input());
        Tensor error = output.detach().contiguous().clone();
        (double loss, int correct) = SoftmaxCrossEntropy.ReplaceRowsByError(error, _labels.AsSpan(0, _count), _coefficients, _layout.Outputs, LabelSmoothing);
        Clock?.End(StepPhase.Forward);
        List<Tensor> roots = [output], gradients = [error];
        foreach ((int layer, Tensor input) in _cuts)
        {
            roots.Add(input);
            gradients.Add(error.mm(Feedback.View(layer)!).reshape(input.shape));
        }
        bool substitutes = byRule && !Feedback.IsDirect;
        if (substitutes)
            Exchange();
        try
        {
            autograd.backward(roots, gradients);
        }
        finally
        {
            if (substitutes)
                Exchange();
            _cuts.Clear();
        }
        Clock?.End(StepPhase.Backward);
        return (loss, correct);
    }

    /// <summary>Hands on the detached tensor and remembers the other; the hook's input is disposed after the call, an alias is not.</summary>
    private Tensor Cut(int layer, Tensor input)
    {
        if (!_cutting || !input.requires_grad)
            return input;
        _cuts.Add((layer, input.alias()));
        return input.detach();
    }

    /// <summary>Forward and feedback weights change places. Writing the bytes of the storage leaves autograd's version counters alone.</summary>
    private void Exchange()
    {
        for (int i = 1; i < _layout.WeightedLayers.Count; i++)
        {
            if (Feedback.Slices[i] is not { } slice)
                continue;
            Span<float> weights = _layout.WeightedLayers[i].Weight.In(Weights.Span), feedback = slice.In(Feedback.Buffer.Span), kept = _kept.AsSpan(0, weights.Length);
            weights.CopyTo(kept);
            feedback.CopyTo(weights);
            kept.CopyTo(feedback);
        }
    }
}
