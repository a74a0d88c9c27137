using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace FaMLNet.Reporting.Pictures;

/// <summary>A panel as OxyPlot draws it: axes, curves with bands and markers, and the line of chance.</summary>
internal static class PanelPlot
{
    private const int MarkersPerCurve = 8;

    /// <summary>The plot of a panel.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="context">Measures texts.</param>
    /// <param name="width">The width that the panel has.</param>
    public static PlotModel Of(Panel panel, IRenderContext context, double width)
    {
        PlotModel plot = new()
        {
            Title = Figure.Fit(panel.Title, width - 40, 15, context),
            TitleFontSize = 15,
            TitleFontWeight = 400,
            TitleColor = Figure.Ink,
            DefaultFont = PictureFont.Family,
            DefaultFontSize = 13,
            TextColor = Figure.Ink,
            PlotAreaBorderColor = Figure.Grey,
            PlotAreaBorderThickness = new OxyThickness(1, 0, 0, 1),
            Padding = new OxyThickness(4, 4, 16, 6),
            IsLegendVisible = false,
            Culture = System.Globalization.CultureInfo.InvariantCulture,
        };
        double[] places = [.. panel.Curves.SelectMany(curve => curve.Curve.Places).DefaultIfEmpty(1)];
        bool isWhole = panel.Horizontal is Panel.Epoch or Panel.Pixels;
        // A little more than the curves, for the markers at the ends.
        double least = places.Min(), greatest = isWhole ? Math.Max(places.Max(), least + 1) : places.Max(),
            room = 0.02 * (greatest > least ? greatest - least : 1);
        plot.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Bottom,
            Title = panel.Horizontal,
            Minimum = least - room,
            Maximum = greatest + room,
            MinimumMajorStep = isWhole ? 1 : 0,
            MinimumMinorStep = isWhole ? 1 : 0,
            MajorGridlineStyle = LineStyle.None,
            TicklineColor = Figure.Grey,
            MinorTickSize = 0,
        });
        plot.Axes.Add(Vertical(panel));
        if (panel.Chance is { } chance)
        {
            plot.Annotations.Add(new LineAnnotation
            {
                Type = LineAnnotationType.Horizontal,
                Y = chance,
                Color = Figure.Grey,
                LineStyle = LineStyle.LongDash,
                StrokeThickness = 1.5,
                Text = "chance",
                TextColor = Figure.Grey,
                TextHorizontalAlignment = HorizontalAlignment.Right,
                TextVerticalAlignment = VerticalAlignment.Bottom,
                FontSize = 12,
                Layer = AnnotationLayer.BelowSeries,
            });
        }
        foreach (PanelCurve curve in panel.Curves)
            Add(plot, panel, curve);
        return plot;
    }

    private static Axis Vertical(Panel panel)
    {
        double[] values = [.. panel.Curves.SelectMany(curve => curve.Curve.Low.Concat(curve.Curve.High)).Where(double.IsFinite)];
        if (panel.Range is { } range)
            values = [.. values, range.Least, range.Greatest];
        bool logarithmic = panel.IsLogarithmic && values.Any(value => value > 0);
        Axis axis = logarithmic ? new LogarithmicAxis { UseSuperExponentialFormat = false } : new LinearAxis();
        axis.Position = AxisPosition.Left;
        axis.Title = panel.Unit;
        axis.MajorGridlineStyle = LineStyle.Solid;
        axis.MajorGridlineColor = OxyColor.FromRgb(0xE3, 0xE3, 0xE3);
        axis.TicklineColor = Figure.Grey;
        axis.MinorTickSize = 0;
        axis.AxisTitleDistance = 9;
        if (logarithmic)
        {
            double least = values.Where(value => value > 0).Min(), greatest = values.Max();
            axis.Minimum = Math.Pow(10, Math.Floor(Math.Log10(least)));
            axis.Maximum = Math.Max(Math.Pow(10, Math.Ceiling(Math.Log10(greatest))), 10 * axis.Minimum);
            axis.StringFormat = "0.#####E+0";
            return axis;
        }
        double lower = Math.Min(values.DefaultIfEmpty(0).Min(), panel.Chance ?? double.PositiveInfinity),
            upper = Math.Max(values.DefaultIfEmpty(1).Max(), panel.Chance ?? double.NegativeInfinity);
        double room = upper > lower ? 0.06 * (upper - lower) : Math.Max(0.5, Math.Abs(upper) * 0.1);
        axis.Minimum = lower == 0 ? -room / 3 : lower > 0 && lower < 0.5 * upper ? 0 : lower - room;
        axis.Maximum = upper + room;
        if (panel.Chance != null)
        {
            // Angles: room for the word, and a line at chance.
            axis.Maximum = Math.Max(axis.Maximum, panel.Chance.Value + 10);
            axis.MajorStep = axis.Maximum - axis.Minimum > 60 ? 30 : 10;
        }
        if (Math.Max(Math.Abs(lower), Math.Abs(upper)) is >= 100_000 or > 0 and < 0.001)
            axis.StringFormat = "0.###E+0";
        return axis;
    }

    private static void Add(PlotModel plot, Panel panel, PanelCurve shown)
    {
        Style style = Style.Of(shown.Key);
        Curve curve = shown.Curve;
        // A logarithm has no place for 0.
        bool Shows(int i) => double.IsFinite(curve.Mean[i]) && (!panel.IsLogarithmic || curve.Low[i] > 0);
        if (curve.HasBand && !shown.IsDashed)
        {
            AreaSeries band = new() { Color = OxyColors.Transparent, Fill = OxyColor.FromAColor(48, style.Color), StrokeThickness = 0 };
            for (int i = 0; i < curve.Places.Count; i++)
            {
                if (!Shows(i))
                    continue;
                band.Points.Add(new DataPoint(curve.Places[i], curve.Low[i]));
                band.Points2.Add(new DataPoint(curve.Places[i], curve.High[i]));
            }
            plot.Series.Add(band);
        }
        LineSeries line = new()
        {
            Color = style.Color,
            StrokeThickness = shown.IsDashed ? 1.6 : 2.2,
            LineStyle = shown.IsDashed ? LineStyle.Dash : style.Line,
            LineJoin = LineJoin.Round,
        };
        line.Points.AddRange(Enumerable.Range(0, curve.Places.Count)
            .Select(i => new DataPoint(curve.Places[i], Shows(i) ? curve.Mean[i] : double.NaN)));
        plot.Series.Add(line);
        if (shown.IsDashed)
            return;
        ScatterSeries markers = new()
        {
            MarkerType = style.Marker,
            MarkerSize = 4,
            MarkerFill = style.Color,
            MarkerStroke = style.Color,
            MarkerStrokeThickness = 1.6,
        };
        int every = Math.Max(1, (curve.Places.Count + MarkersPerCurve - 1) / MarkersPerCurve);
        for (int i = shown.Key % every; i < curve.Places.Count; i += every)
        {
            if (Shows(i))
                markers.Points.Add(new ScatterPoint(curve.Places[i], curve.Mean[i]));
        }
        plot.Series.Add(markers);
    }
}
