using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

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

/// <summary>Diagrams over epochs, or over bounds of attacks, side by side, with one legend for all.</summary>
/// <param name="title">Above all.</param>
/// <param name="panels">The diagrams, row by row.</param>
/// <param name="legend">The names of the series, by key.</param>
/// <param name="note">What dashes and bands mean, under the legend; empty for nothing.</param>
internal sealed class CurveFigure(string title, IReadOnlyList<Panel> panels, IReadOnlyList<string> legend, string note) : Figure
{
    private const double PanelWidth = 470, PanelHeight = 330, LegendRow = 24, LegendText = 14, NoteText = 13,
        SampleLength = 44;
    private const int MarkersACurve = 8;

    private readonly int _columns = panels.Count == 1 ? 1 : panels.Count is 2 or 4 ? 2 : 3;

    public override double Width => Math.Max(_columns * PanelWidth, 620) + 2 * Margin;

    public override double Height => TitleHeight + Rows * PanelHeight + (Legend().Count + Note().Count) * LegendRow + Margin;

    private int Rows => (panels.Count + _columns - 1) / _columns;

    protected override void Draw(IRenderContext context)
    {
        DrawTitle(context, title);
        double panelWidth = (Width - 2 * Margin) / _columns;
        for (int i = 0; i < panels.Count; i++)
        {
            IPlotModel plot = Plot(panels[i], context, panelWidth);
            plot.Update(true);
            plot.Render(context, new OxyRect(Margin + i % _columns * panelWidth, TitleHeight + i / _columns * PanelHeight, panelWidth, PanelHeight));
        }
        double y = TitleHeight + Rows * PanelHeight + LegendRow / 2;
        foreach (List<(int Key, string Text, double X)> row in Legend())
        {
            foreach ((int key, string text, double x) in row)
            {
                DrawSample(context, key, x, y);
                context.DrawText(new ScreenPoint(x + SampleLength + 6, y), text, Ink, PictureFont.Family, LegendText, 400, 0,
                    HorizontalAlignment.Left, VerticalAlignment.Middle);
            }
            y += LegendRow;
        }
        foreach (string line in Note())
        {
            context.DrawText(new ScreenPoint(Margin, y), line, Grey, PictureFont.Family, NoteText, 400, 0, HorizontalAlignment.Left,
                VerticalAlignment.Middle);
            y += LegendRow;
        }
    }

    private static PlotModel Plot(Panel panel, IRenderContext context, double width)
    {
        PlotModel plot = new()
        {
            Title = Fit(panel.Title, width - 40, 15, context),
            TitleFontSize = 15,
            TitleFontWeight = 400,
            TitleColor = Ink,
            DefaultFont = PictureFont.Family,
            DefaultFontSize = 13,
            TextColor = Ink,
            PlotAreaBorderColor = Grey,
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
            TicklineColor = Grey,
            MinorTickSize = 0,
        });
        plot.Axes.Add(Vertical(panel));
        if (panel.Chance is { } chance)
        {
            plot.Annotations.Add(new LineAnnotation
            {
                Type = LineAnnotationType.Horizontal,
                Y = chance,
                Color = Grey,
                LineStyle = LineStyle.LongDash,
                StrokeThickness = 1.5,
                Text = "chance",
                TextColor = Grey,
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
        axis.TicklineColor = Grey;
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
        int every = Math.Max(1, (curve.Places.Count + MarkersACurve - 1) / MarkersACurve);
        for (int i = shown.Key % every; i < curve.Places.Count; i += every)
        {
            if (Shows(i))
                markers.Points.Add(new ScatterPoint(curve.Places[i], curve.Mean[i]));
        }
        plot.Series.Add(markers);
    }

    private static void DrawSample(IRenderContext context, int key, double x, double y)
    {
        Style style = Style.Of(key);
        double[]? dashes = style.Line.GetDashArray();
        context.DrawLine([new ScreenPoint(x, y), new ScreenPoint(x + SampleLength, y)], style.Color, 2.2, EdgeRenderingMode.Automatic, dashes,
            LineJoin.Round);
        context.DrawMarker(new ScreenPoint(x + SampleLength / 2, y), style.Marker, null, 4, style.Color, style.Color, 1.6,
            EdgeRenderingMode.Automatic);
    }

    /// <summary>The entries of the legend in rows that are no wider than the figure.</summary>
    private List<List<(int Key, string Text, double X)>> Legend()
    {
        using PictureContext measurer = new(canvas: null);
        List<List<(int, string, double)>> rows = [[]];
        double x = Margin;
        for (int key = 0; key < legend.Count; key++)
        {
            string text = Fit(legend[key], Width - 2 * Margin - SampleLength - 6, LegendText, measurer);
            double length = SampleLength + 6 + Measure(text, LegendText, measurer);
            if (x + length > Width - Margin && rows[^1].Count > 0)
            {
                rows.Add([]);
                x = Margin;
            }
            rows[^1].Add((key, text, x));
            x += length + 22;
        }
        return rows;
    }

    /// <summary>The note in lines that are no wider than the figure.</summary>
    private List<string> Note()
    {
        using PictureContext measurer = new(canvas: null);
        List<string> lines = [];
        foreach (string word in note.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (lines.Count > 0 && Measure($"{lines[^1]} {word}", NoteText, measurer) <= Width - 2 * Margin)
                lines[^1] += " " + word;
            else
                lines.Add(word);
        }
        return lines;
    }
}
