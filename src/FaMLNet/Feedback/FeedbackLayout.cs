namespace FaMLNet;

/// <summary>
/// Where the feedback weights of a rule lie for a network, in one flat buffer: the shapes of the forward weights, outputs × inputs of the layer, or
/// outputs × inputs of the network; and behind them what the rule keeps beside them.
/// </summary>
internal sealed class FeedbackLayout
{
    private readonly int _length;

    public FeedbackLayout(FeedbackRule rule, NetworkLayout layout)
    {
        Route = rule.Route;
        ParameterSlice?[] slices = new ParameterSlice?[layout.WeightedLayers.Count], memory = new ParameterSlice?[slices.Length];
        for (int i = 0; i < slices.Length; i++)
        {
            WeightedLayer layer = layout.WeightedLayers[i];
            if (Route.ShapeOf(layout, i) is { } shape)
                slices[i] = NetworkLayout.Place(NameOf(layer.Name), ref _length, shape);
        }
        for (int i = 0; i < slices.Length; i++)
        {
            if (slices[i] is { } slice && rule is RuleWithFeedbackWeights own && own.MemoryLength(slice.Shape) is > 0 and int kept)
                memory[i] = NetworkLayout.Place(MemoryNameOf(layout.WeightedLayers[i].Name), ref _length, kept);
        }
        (Slices, Memory) = (slices, memory);
    }

    /// <summary>How the error reaches a layer.</summary>
    public ErrorRoute Route { get; }

    /// <summary>One per layer: null for layers that have no feedback weights, and for all under backpropagation.</summary>
    public IReadOnlyList<ParameterSlice?> Slices { get; }

    /// <summary>What the rule keeps for each layer; null for nothing.</summary>
    public IReadOnlyList<ParameterSlice?> Memory { get; }

    /// <summary>Of the buffer.</summary>
    public int Length => _length;

    /// <summary>The name of a layer's feedback weights, in files too.</summary>
    public static string NameOf(string layer) => $"{layer}.feedback";

    /// <summary>The name of what the rule keeps for a layer beside its feedback weights.</summary>
    public static string MemoryNameOf(string layer) => $"{layer}.feedback.memory";
}
