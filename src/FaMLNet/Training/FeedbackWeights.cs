using TorchSharp;

namespace FaMLNet.Training;

/// <summary>The feedback weights of one training: every layer's that an error passes, in one flat buffer, drawn and refreshed by the rule.</summary>
internal sealed class FeedbackWeights : IDisposable
{
    private readonly NetworkLayout _layout;
    private readonly RandomGenerator _random;
    private readonly float _scale;
    private readonly WeightInitialization _initialization;
    private readonly torch.Tensor?[] _channelsLast;

    public FeedbackWeights(FeedbackRule rule, NetworkLayout layout, float scale, RandomGenerator random,
        WeightInitialization initialization = WeightInitialization.XavierUniform)
    {
        _initialization = initialization;
        Rule = rule;
        _layout = layout;
        _random = random;
        _scale = scale;
        Slices = SlicesOf(rule, layout, out int length);
        Buffer = new FloatBuffer(length);
        _channelsLast = new torch.Tensor?[Slices.Count];
    }

    public FeedbackRule Rule { get; }

    public RandomGenerator Random => _random;

    /// <summary>Whether the output's error goes straight to every layer.</summary>
    public bool IsDirect => Rule is DirectFeedbackRule;

    /// <summary>One a layer: null for the first, and for all under backpropagation.</summary>
    public IReadOnlyList<ParameterSlice?> Slices { get; }

    public FloatBuffer Buffer { get; }

    /// <summary>
    /// Where the feedback weights of a rule lie for a network: the shapes of the forward weights, or outputs × inputs of the layer.
    /// </summary>
    public static IReadOnlyList<ParameterSlice?> SlicesOf(FeedbackRule rule, NetworkLayout layout, out int length)
    {
        ParameterSlice?[] slices = new ParameterSlice?[layout.WeightedLayers.Count];
        length = 0;
        for (int i = layout.FirstWithFeedback; i < slices.Length; i++)
        {
            WeightedLayer layer = layout.WeightedLayers[i];
            string name = $"{layer.Name}.feedback";
            slices[i] = rule switch
            {
                LayerwiseFeedbackRule => NetworkLayout.Place(name, ref length, layer.Weight.Shape),
                DirectFeedbackRule => NetworkLayout.Place(name, ref length, layout.Outputs, layer.InputLength),
                _ => null,
            };
        }
        return slices;
    }

    public void Draw(FloatBuffer weights)
    {
        Forget();
        ForEachLayer(weights, first: true);
    }

    public void Refresh(FloatBuffer weights)
    {
        if (!Rule.Refreshes)
            return;
        Forget();
        ForEachLayer(weights, first: false);
    }

    /// <summary>After the buffer has been written to by someone else than the rule.</summary>
    public void Forget()
    {
        foreach (torch.Tensor? copy in _channelsLast)
            copy?.Dispose();
        Array.Clear(_channelsLast);
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
        _scale * (IsDirect ? WeightDraw.StandardDeviation(_initialization, Slices[index]!.Shape[1], Slices[index]!.Shape[0])
            : WeightDraw.StandardDeviation(_initialization, _layout.WeightedLayers[index].FanIn, _layout.WeightedLayers[index].FanOut));

    private void ForEachLayer(FloatBuffer weights, bool first)
    {
        for (int i = _layout.FirstWithFeedback; i < Slices.Count; i++)
        {
            if (Slices[i] is not { } slice)
                continue;
            WeightedLayer layer = _layout.WeightedLayers[i];
            Rule.Update(new FeedbackLayer(layer.Name, slice.Shape, StandardDeviation(i), layer.Weight.In((ReadOnlySpan<float>)weights.Span),
                slice.In(Buffer.Span), _random, _initialization), first);
        }
    }
}
