namespace FaMLNet.Reporting;

/// <summary>A measurement of layers, as it is shown.</summary>
/// <param name="Tag">Its name in event files.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Unit">The axis: what and in which unit.</param>
/// <param name="Of">Its values.</param>
/// <param name="Chance">A value that marks chance; null for none.</param>
/// <param name="IsLogarithmic">Whether it spans orders of magnitude.</param>
internal sealed record LayerMeasure(string Tag, string Title, string Unit, Func<LayerMetrics, IReadOnlyDictionary<string, double>> Of,
    double? Chance = null, bool IsLogarithmic = false)
{
    /// <summary>The mean of the layers; null where none was measured.</summary>
    public double? MeanOf(LayerMetrics metrics) => Of(metrics) is { Count: > 0 } layers ? layers.Values.Average() : null;

    public static LayerMeasure Alignment { get; } =
        new("alignment angle", "Alignment angle", "degrees between W and B", metrics => metrics.AlignmentAngle, Chance: 90);

    public static LayerMeasure UpdateAngle { get; } =
        new("update angle", "Update angle", "degrees from backpropagation", metrics => metrics.UpdateAngle, Chance: 90);

    public static IReadOnlyList<LayerMeasure> All { get; } =
    [
        Alignment,
        new("norm ratio", "Norm ratio", "‖B‖/‖W‖", metrics => metrics.NormRatio),
        UpdateAngle,
        new("weight norm", "Weight norm", "‖W‖", metrics => metrics.WeightNorm),
        new("gradient norm", "Gradient norm", "‖∂L/∂W‖", metrics => metrics.GradientNorm, IsLogarithmic: true),
        new("update ratio", "Update ratio", "‖ΔW‖/‖W‖", metrics => metrics.UpdateRatio, IsLogarithmic: true),
        new("dead units", "Dead units", "share of units", metrics => metrics.DeadUnits),
    ];
}
