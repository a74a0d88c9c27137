namespace FaMLNet;

/// <summary>Draws the initial weights of a network.</summary>
internal static class WeightDraw
{
    /// <summary>
    /// Fills the flat parameter buffer and the statistics: weights by the network's distribution, biases 0, normalisation the identity.
    /// </summary>
    /// <param name="layout">Where the parameters lie.</param>
    /// <param name="parameters">Of length <see cref="NetworkLayout.ParameterLength"/>.</param>
    /// <param name="statistics">Of length <see cref="NetworkLayout.StatisticsLength"/>.</param>
    /// <param name="scale">Factor on the weights of every layer but the first.</param>
    /// <param name="random">The stream for initial weights.</param>
    public static void Fill(NetworkLayout layout, Span<float> parameters, Span<float> statistics, float scale, RandomGenerator random)
    {
        parameters.Clear();
        statistics.Clear();
        foreach (WeightedLayer layer in layout.WeightedLayers)
        {
            float deviation = (layer == layout.WeightedLayers[0] ? 1 : scale)
                * StandardDeviation(layout.Initialization, layer.FanIn, layer.FanOut);
            Draw(layout.Initialization, deviation, layer.Weight.In(parameters), random);
            if (layout.Initialization == WeightInitialization.PyTorchDefault && layout.Parameters.Find(slice =>
                slice.Name == $"{layer.Name}.bias") is { } bias)
                Draw(layout.Initialization, StandardDeviation(layout.Initialization, layer.FanIn, layer.FanOut), bias.In(parameters), random);
        }
        foreach (ParameterSlice slice in layout.Scales)
            slice.In(parameters).Fill(1);
        foreach (ParameterSlice slice in layout.Variances)
            slice.In(statistics).Fill(1);
    }

    /// <summary>The standard deviation that a distribution has for a layer.</summary>
    public static float StandardDeviation(WeightInitialization initialization, int fanIn, int fanOut) => initialization switch
    {
        WeightInitialization.XavierUniform or WeightInitialization.XavierNormal => MathF.Sqrt(2f / ((float)fanIn + fanOut)),
        WeightInitialization.PyTorchDefault => MathF.Sqrt(1 / (3f * fanIn)),
        _ => MathF.Sqrt(2f / fanIn),
    };

    /// <summary>Fills weights with numbers of a distribution's kind, normal or uniform, and of this standard deviation.</summary>
    public static void Draw(WeightInitialization initialization, float deviation, Span<float> weights, RandomGenerator random)
    {
        if (initialization is WeightInitialization.XavierNormal or WeightInitialization.KaimingNormal)
            random.FillNormal(weights, 0, deviation);
        else
            random.FillUniform(weights, -MathF.Sqrt(3) * deviation, MathF.Sqrt(3) * deviation);
    }
}
