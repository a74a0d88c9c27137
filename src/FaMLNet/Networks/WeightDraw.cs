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
            Draw(layout.Initialization, layer.FanIn, layer.FanOut, layer == layout.WeightedLayers[0] ? 1 : scale, layer.Weight.In(parameters),
                random);
        foreach (ParameterSlice slice in layout.Scales)
            slice.In(parameters).Fill(1);
        foreach (ParameterSlice slice in layout.Variances)
            slice.In(statistics).Fill(1);
    }

    /// <summary>σ of the Xavier initialisation: √(2/(fan-in + fan-out)).</summary>
    public static float XavierStandardDeviation(int fanIn, int fanOut) => MathF.Sqrt(2f / ((float)fanIn + fanOut));

    private static void Draw(WeightInitialization initialization, int fanIn, int fanOut, float scale, Span<float> weights, RandomGenerator random)
    {
        bool xavier = initialization is WeightInitialization.XavierUniform or WeightInitialization.XavierNormal;
        float deviation = scale * (xavier ? XavierStandardDeviation(fanIn, fanOut) : MathF.Sqrt(2f / fanIn));
        if (initialization is WeightInitialization.XavierUniform or WeightInitialization.KaimingUniform)
            random.FillUniform(weights, -MathF.Sqrt(3) * deviation, MathF.Sqrt(3) * deviation);
        else
            random.FillNormal(weights, 0, deviation);
    }
}
