using System.Globalization;
using OxyPlot;

namespace FaMLNet.Reporting.Pictures;

/// <summary>
/// A confusion matrix: the darker a cell, the larger its share of the row's class; counts in the cells where they find room, up to 60 classes.
/// </summary>
internal sealed class ConfusionPicture : Figure
{
    private const double AxisTitle = 26, LabelText = 13, MostLabelWidth = 160;
    private const int MostWithNumbers = 60;

    private readonly string _title;
    private readonly ConfusionTable _table;
    private readonly double _cell, _rowLabels, _columnLabels;
    private readonly bool _numbers, _upright;

    private ConfusionPicture(string title, ConfusionTable table)
    {
        (_title, _table) = (title, table);
        int classes = table.Classes.Count;
        using PictureContext measurer = new(canvas: null);
        double widest = table.Classes.Select(name => Measure(Short(name, measurer), LabelText, measurer)).DefaultIfEmpty(0).Max(),
            count = table.Counts.SelectMany(row => row).Select(value => Measure(Text(value), LabelText, measurer)).DefaultIfEmpty(0).Max();
        _numbers = classes <= MostWithNumbers;
        _cell = _numbers ? Math.Max(Math.Max(32, count + 10), classes < 8 ? 60 : 0) : Math.Max(6, 1400.0 / classes);
        _upright = widest + 8 > _cell;
        _rowLabels = widest + 10;
        _columnLabels = (_upright ? widest : 20) + 10;
    }

    public static ConfusionPicture Of(ConfusionTable table, string title = "Confusion matrix") => new(title, table);

    public override double Width => Math.Max(2 * Margin + AxisTitle + _rowLabels + _cell * _table.Classes.Count, 360);

    public override double Height => TitleHeight + AxisTitle + _columnLabels + _cell * _table.Classes.Count + Margin;

    protected override void Draw(IRenderContext context)
    {
        int classes = _table.Classes.Count;
        double left = Margin + AxisTitle + _rowLabels, top = TitleHeight + AxisTitle + _columnLabels, side = _cell * classes;
        DrawTitle(context, _title);
        context.DrawText(new ScreenPoint(left + side / 2, TitleHeight + AxisTitle / 2), "predicted class", Ink, PictureFont.Family, 14, 400, 0,
            HorizontalAlignment.Center, VerticalAlignment.Middle);
        context.DrawText(new ScreenPoint(Margin + AxisTitle / 2, top + side / 2), "true class", Ink, PictureFont.Family, 14, 400, -90,
            HorizontalAlignment.Center, VerticalAlignment.Middle);
        // Every name where there is room for it, else every so many.
        int every = Math.Max(1, (int)Math.Ceiling((LabelText + 3) / _cell));
        for (int i = 0; i < classes; i++)
        {
            double total = Math.Max(1, _table.Counts[i].Sum()), middle = (i + 0.5) * _cell;
            for (int j = 0; j < classes; j++)
            {
                double value = _table.Counts[i][j], share = Math.Clamp(value / total, 0, 1);
                context.DrawRectangle(new OxyRect(left + j * _cell, top + i * _cell, _cell, _cell), Shade(share), OxyColor.FromRgb(0xD0, 0xD0, 0xD0),
                    _numbers ? 0.7 : 0, EdgeRenderingMode.Automatic);
                if (_numbers)
                {
                    context.DrawText(new ScreenPoint(left + (j + 0.5) * _cell, top + middle), Text(value), share > 0.45 ? OxyColors.White : Ink,
                        PictureFont.Family, LabelText, 400, 0, HorizontalAlignment.Center, VerticalAlignment.Middle);
                }
            }
            if (i % every != 0)
                continue;
            string name = Short(_table.Classes[i], context);
            context.DrawText(new ScreenPoint(left - 6, top + middle), name, Ink, PictureFont.Family, LabelText, 400, 0, HorizontalAlignment.Right,
                VerticalAlignment.Middle);
            context.DrawText(new ScreenPoint(left + middle, top - 6), name, Ink, PictureFont.Family, LabelText, 400, _upright ? -90 : 0,
                _upright ? HorizontalAlignment.Left : HorizontalAlignment.Center, _upright ? VerticalAlignment.Middle : VerticalAlignment.Bottom);
        }
    }

    /// <summary>From white to a dark blue.</summary>
    private static OxyColor Shade(double share) => OxyColor.FromRgb((byte)(255 - 247 * share), (byte)(255 - 207 * share), (byte)(255 - 148 * share));

    private static string Text(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Short(string name, IRenderContext context) => Fit(name, MostLabelWidth, LabelText, context);
}
