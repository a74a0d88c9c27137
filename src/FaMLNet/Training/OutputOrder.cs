using FaMLNet.Persistence;

namespace FaMLNet.Training;

/// <summary>Puts a trained network's outputs in another order: the same network, whose classes are numbered otherwise.</summary>
internal static class OutputOrder
{
    /// <summary>The same network with its outputs in the order of <paramref name="from"/>.</summary>
    /// <param name="network">The network.</param>
    /// <param name="from">Of each output, which it is now.</param>
    /// <returns>
    /// Null if it is not known which of its parameters belong to an output: of a module of the user's own, or where layers with parameters follow the
    /// last one with weights.
    /// </returns>
    public static TrainedNetwork? Apply(TrainedNetwork network, int[] from)
    {
        NetworkLayout layout = network.Layout;
        if (!EndsInDense(layout))
            return null;
        WeightedLayer last = layout.WeightedLayers[^1];
        float[] parameters = [.. network.Parameters];
        foreach (ParameterSlice slice in layout.Parameters)
        {
            if (slice == last.Weight || slice == layout.Skip || slice.Name == $"{last.Name}.bias")
                Reorder(slice.In(parameters.AsSpan()), from);
        }
        return network with { Parameters = parameters, Feedback = Feedback(network, from) };
    }

    /// <summary>
    /// The feedback weights: direct ones have a row per output in each layer, others in the last. None, to be drawn anew, of a rule that keeps more
    /// beside them, whose order is its own.
    /// </summary>
    private static float[] Feedback(TrainedNetwork network, int[] from)
    {
        FeedbackLayout places = new(network.Rule, network.Layout);
        if (network.Feedback.Length != places.Length || places.Memory.Any(memory => memory != null))
            return [];
        float[] feedback = [.. network.Feedback];
        for (int layer = 0; layer < places.Slices.Count; layer++)
        {
            if (places.Slices[layer] is { } slice && (!places.Route.ReplacesWeights || layer == places.Slices.Count - 1))
                Reorder(slice.In(feedback.AsSpan()), from);
        }
        return feedback;
    }

    private static bool EndsInDense(NetworkLayout layout)
    {
        if (layout is not GraphLayout graph)
            return layout is DenseLayout;
        GraphNodeSpec? last = graph.Nodes.LastOrDefault(node => node.Weight != null || node.Body.Count > 0 || node.Shortcut.Count > 0);
        return last is { Definition: Layer.Dense } && last.WeightedIndex == graph.WeightedLayers.Count - 1;
    }

    private static void Reorder(Span<float> values, int[] from)
    {
        int row = values.Length / from.Length;
        ReadOnlySpan<float> before = values.ToArray();
        for (int output = 0; output < from.Length; output++)
            before.Slice(from[output] * row, row).CopyTo(values[(output * row)..]);
    }
}
