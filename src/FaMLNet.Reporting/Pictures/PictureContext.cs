using OxyPlot;
using OxyPlot.SkiaSharp;
using SkiaSharp;

namespace FaMLNet.Reporting.Pictures;

/// <summary>OxyPlot's drawing on a canvas of Skia, with texts in <see cref="PictureFont"/>.</summary>
internal sealed class PictureContext : SkiaRenderContext, IRenderContext
{
    /// <param name="canvas">Where to draw; null to measure texts only.</param>
    public PictureContext(SKCanvas? canvas)
    {
        SkCanvas = canvas!;
        RenderTarget = RenderTarget.PixelGraphic;
        UseTextShaping = false;
    }

    void IRenderContext.DrawText(ScreenPoint p, string text, OxyColor fill, string? fontFamily, double fontSize, double fontWeight, double rotation,
        HorizontalAlignment horizontalAlignment, VerticalAlignment verticalAlignment, OxySize? maxSize)
    {
        if (string.IsNullOrEmpty(text) || !fill.IsVisible())
            return;
        using SKPaint paint = Paint(text, fontSize, fontWeight);
        paint.Color = new SKColor(fill.R, fill.G, fill.B, fill.A);
        string[] lines = text.Split('\n');
        double lineHeight = paint.FontSpacing, height = lines.Length * lineHeight;
        SkCanvas.Save();
        SkCanvas.Translate((float)p.X, (float)p.Y);
        SkCanvas.RotateDegrees((float)rotation);
        double y = verticalAlignment switch { VerticalAlignment.Top => 0, VerticalAlignment.Middle => -height / 2, _ => -height };
        foreach (string line in lines)
        {
            double width = paint.MeasureText(line);
            double x = horizontalAlignment switch { HorizontalAlignment.Left => 0, HorizontalAlignment.Center => -width / 2, _ => -width };
            SkCanvas.DrawText(line, (float)x, (float)(y - paint.FontMetrics.Ascent), paint);
            y += lineHeight;
        }
        SkCanvas.Restore();
    }

    OxySize IRenderContext.MeasureText(string text, string? fontFamily, double fontSize, double fontWeight)
    {
        if (string.IsNullOrEmpty(text))
            return OxySize.Empty;
        using SKPaint paint = Paint(text, fontSize, fontWeight);
        string[] lines = text.Split('\n');
        return new OxySize(lines.Max(line => paint.MeasureText(line)), lines.Length * paint.FontSpacing);
    }

    private static SKPaint Paint(string text, double size, double weight)
    {
        SKPaint paint = PictureFont.Paint(text, (float)size);
        paint.FakeBoldText = weight > 500;
        return paint;
    }
}
