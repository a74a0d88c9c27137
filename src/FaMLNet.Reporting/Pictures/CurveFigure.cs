using OxyPlot;

namespace FaMLNet.Reporting.Pictures;

/// <summary>Diagrams over epochs, or over bounds of attacks, side by side, with one legend for all.</summary>
/// <param name="title">Above all.</param>
/// <param name="panels">The diagrams, row by row.</param>
/// <param name="legend">The names of the series, by key.</param>
/// <param name="note">What dashes and bands mean, under the legend; empty for nothing.</param>
internal sealed class CurveFigure(string title, IReadOnlyList<Panel> panels, IReadOnlyList<string> legend, string note) : Figure
{
    private const double PanelWidth = 470, PanelHeight = 330, LegendRow = 24, LegendText = 14, NoteText = 13,
        SampleLength = 44;

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
            IPlotModel plot = PanelPlot.Of(panels[i], context, panelWidth);
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
