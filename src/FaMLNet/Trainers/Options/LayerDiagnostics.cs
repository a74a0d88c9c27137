namespace FaMLNet;

/// <summary>What is measured of a network's layers while it trains. docs/diagnostics.md has the definitions, docs/performance.md the costs.</summary>
[Flags]
public enum LayerDiagnostics
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><see cref="LayerMetrics.AlignmentAngle"/> and <see cref="LayerMetrics.NormRatio"/>.</summary>
    Alignment = 1,

    /// <summary>
    /// <see cref="LayerMetrics.UpdateAngle"/> and <see cref="LayerMetrics.TotalUpdateAngle"/>: a second backward pass a measurement.
    /// </summary>
    UpdateAngle = 2,

    /// <summary><see cref="LayerMetrics.WeightNorm"/>, <see cref="LayerMetrics.GradientNorm"/> and <see cref="LayerMetrics.UpdateRatio"/>.</summary>
    Norms = 4,

    /// <summary><see cref="LayerMetrics.DeadUnits"/>.</summary>
    DeadUnits = 8,

    /// <summary><see cref="LayerMetrics.Histograms"/>: for callbacks only; a model does not keep them.</summary>
    Histograms = 16,

    /// <summary>Everything.</summary>
    All = Alignment | UpdateAngle | Norms | DeadUnits | Histograms,
}
