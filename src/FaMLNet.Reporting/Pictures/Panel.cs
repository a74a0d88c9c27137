namespace FaMLNet.Reporting.Pictures;

/// <summary>A curve in a panel.</summary>
/// <param name="Key">The index of its entry in the legend.</param>
/// <param name="Curve">Its values.</param>
/// <param name="IsDashed">Dashed and without markers: beside another of the same key.</param>
internal sealed record PanelCurve(int Key, Curve Curve, bool IsDashed = false);

/// <summary>One diagram of a figure.</summary>
/// <param name="Title">Above it.</param>
/// <param name="Unit">The vertical axis.</param>
/// <param name="Curves">What it shows.</param>
/// <param name="Chance">A value to be marked as chance; null for none.</param>
/// <param name="IsLogarithmic">Whether the vertical axis is.</param>
internal sealed record Panel(string Title, string Unit, IReadOnlyList<PanelCurve> Curves, double? Chance = null, bool IsLogarithmic = false)
{
    /// <summary>The title of the horizontal axis where it counts epochs.</summary>
    public const string Epoch = "epoch";

    /// <summary>The same where it counts pixels.</summary>
    public const string Pixels = "pixels";

    /// <summary>The horizontal axis.</summary>
    public string Horizontal { get; init; } = Epoch;

    /// <summary>Least and greatest value that the vertical axis shall show; null for those of the curves.</summary>
    public (double Least, double Greatest)? Range { get; init; }
}
