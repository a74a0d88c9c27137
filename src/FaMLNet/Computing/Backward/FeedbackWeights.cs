using FaMLNet.Computing.Kernels;
using TorchSharp;

namespace FaMLNet.Computing.Backward;

/// <summary>The feedback weights of one training: every layer's that an error passes, in one flat buffer, drawn and refreshed by the rule.</summary>
internal sealed class FeedbackWeights : IDisposable
{
    private readonly NetworkLayout _layout;
    private readonly FeedbackLayout _places;
    private readonly RandomGenerator _random;
    private readonly float _scale;
    private readonly WeightInitialization _initialization;
    private readonly torch.Tensor?[] _channelsLast;
    private readonly SparseProjection?[] _sparse;
    private readonly bool[] _isTried;

    public FeedbackWeights(FeedbackRule rule, NetworkLayout layout, float scale, RandomGenerator random,
        WeightInitialization initialization = WeightInitialization.XavierUniform)
    {
        _initialization = initialization;
        Rule = rule;
        _layout = layout;
        _random = random;
        _scale = scale;
        _places = new FeedbackLayout(rule, layout);
        Buffer = new FloatBuffer(_places.Length);
        (_channelsLast, _sparse, _isTried) = (new torch.Tensor?[Slices.Count], new SparseProjection?[Slices.Count], new bool[Slices.Count]);
        if (rule is RuleWithFeedbackWeights { Refreshes: true, Signals: var signals })
            Trace = new StepTrace(signals, layout);
    }

    public FeedbackRule Rule { get; }

    public RandomGenerator Random => _random;

    /// <summary>How the error reaches a layer.</summary>
    public ErrorRoute Route => _places.Route;

    /// <summary>One per layer: null for layers without, and for all under backpropagation.</summary>
    public IReadOnlyList<ParameterSlice?> Slices => _places.Slices;

    /// <summary>What the rule wants to see of a step; null for nothing.</summary>
    public StepTrace? Trace { get; }

    public FloatBuffer Buffer { get; }

    /// <summary>What the rule keeps for a layer beside its feedback weights.</summary>
    public Span<float> MemoryOf(int index) => _places.Memory[index] is { } memory ? memory.In(Buffer.Span) : [];

    public void Draw(FloatBuffer weights)
    {
        Forget();
        for (int i = 0; i < Slices.Count; i++)
            MemoryOf(i).Clear();
        ForEachLayer(weights, FeedbackMoment.Start);
    }

    public void Refresh(FloatBuffer weights)
    {
        if (!Rule.Refreshes)
            return;
        Forget();
        ForEachLayer(weights, FeedbackMoment.Step);
    }

    /// <summary>Whether the rule changes the weights between epochs.</summary>
    public bool WorksBetweenEpochs => Rule is RuleWithFeedbackWeights { WorksBetweenEpochs: true };

    /// <summary>After an epoch.</summary>
    public void EndEpoch(FloatBuffer weights)
    {
        Forget();
        ForEachLayer(weights, FeedbackMoment.Epoch);
    }

    /// <summary>After the buffer has been written to by someone else than the rule.</summary>
    public void Forget()
    {
        foreach (torch.Tensor? copy in _channelsLast)
            copy?.Dispose();
        Array.Clear(_channelsLast);
        foreach (SparseProjection? projection in _sparse)
            projection?.Dispose();
        Array.Clear(_sparse);
        Array.Clear(_isTried);
    }

    /// <summary>A direct rule's projection to a layer where it is a copy; null where it is a product.</summary>
    public SparseProjection? Sparse(int index)
    {
        if (_isTried[index] || Rule.Refreshes)
            return _sparse[index];
        _isTried[index] = true;
        ParameterSlice slice = Slices[index]!;
        return _sparse[index] = SparseProjection.Find(slice.In((ReadOnlySpan<float>)Buffer.Span), slice.Shape[1]);
    }

    /// <summary>A layer's feedback weights as a matrix, owned by the caller; null if it has none.</summary>
    public torch.Tensor? View(int index, int? rows = null, int? columns = null)
    {
        if (Slices[index] is not { } slice)
            return null;
        int height = rows ?? slice.Shape[0];
        return Buffer.Fresh(slice.Offset, height, columns ?? slice.Length / height);
    }

    /// <summary>
    /// A direct rule's feedback weights (outputs × inputs of the layer) for an input that lies with its channels together; owned by this
    /// object.
    /// </summary>
    /// <param name="index">The layer.</param>
    /// <param name="inputShape">Rows × channels × height × width.</param>
    public torch.Tensor ChannelsLastView(int index, long[] inputShape)
    {
        if (_channelsLast[index] is { } known)
            return known;
        using DisposeScope scope = torch.NewDisposeScope();
        long outputs = Slices[index]!.Shape[0];
        torch.Tensor planar = View(index)!.view(outputs, inputShape[1], inputShape[2], inputShape[3]);
        torch.Tensor copy = planar.permute(0, 2, 3, 1).contiguous().view(outputs, -1);
        return _channelsLast[index] = copy.DetachFromDisposeScope();
    }

    public void Dispose()
    {
        Forget();
        Buffer.Dispose();
    }

    /// <summary>σ of a layer's feedback weights, the scale included.</summary>
    public float StandardDeviation(int index) =>
        _scale * Route.DeviationOf(_initialization, _layout.WeightedLayers[index], Slices[index]!.Shape);

    /// <summary>One layer on a device.</summary>
    public DeviceLayer OnDevice(int index, torch.Tensor weights, torch.Tensor feedback, torch.Tensor? update) =>
        new(weights, feedback, update, StandardDeviation(index), _scale, Trace?.Decay ?? 0);

    private void ForEachLayer(FloatBuffer weights, FeedbackMoment moment)
    {
        StepTrace? step = moment == FeedbackMoment.Step ? Trace : null;
        for (int i = 0; i < Slices.Count; i++)
        {
            if (Slices[i] is not { } slice)
                continue;
            WeightedLayer layer = _layout.WeightedLayers[i];
            Rule.Update(new FeedbackLayer(layer.Name, slice.Shape, StandardDeviation(i), layer.Weight.In((ReadOnlySpan<float>)weights.Span),
                slice.In(Buffer.Span), _random)
            {
                Initialization = _initialization,
                Scale = _scale,
                Memory = MemoryOf(i),
                Update = step == null ? [] : step.UpdateOf(layer.Weight),
                Decay = step?.Decay ?? 0,
                LearningRate = step?.LearningRate ?? 0,
                Rows = step?.Rows ?? 0,
                Activations = step == null ? [] : step.Activations(i),
                OutputErrors = step == null ? [] : step.OutputErrors,
            }, moment);
        }
    }
}
