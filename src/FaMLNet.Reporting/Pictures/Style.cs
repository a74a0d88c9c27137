using OxyPlot;

namespace FaMLNet.Reporting.Pictures;

/// <summary>
/// How one of several series looks: colours that the colour-blind tell apart (Okabe and Ito 2008, without the yellow, which white swallows), and
/// for grey print a marker of its own; from the eighth series on the dashes differ as well.
/// </summary>
internal readonly record struct Style(OxyColor Color, MarkerType Marker, LineStyle Line)
{
    private static readonly string[] Colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9"];

    private static readonly MarkerType[] Markers =
        [MarkerType.Circle, MarkerType.Square, MarkerType.Triangle, MarkerType.Diamond, MarkerType.Cross, MarkerType.Star, MarkerType.Plus];

    private static readonly LineStyle[] Lines = [LineStyle.Solid, LineStyle.Dash, LineStyle.Dot, LineStyle.DashDot];

    public static Style Of(int series) => new(OxyColor.Parse(Colors[series % Colors.Length]), Markers[series % Markers.Length],
        Lines[series / Colors.Length % Lines.Length]);
}
