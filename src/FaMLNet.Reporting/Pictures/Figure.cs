using OxyPlot;
using SkiaSharp;

namespace FaMLNet.Reporting.Pictures;

/// <summary>A picture in memory.</summary>
/// <param name="Png">The file.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
internal sealed record EncodedPicture(byte[] Png, int Width, int Height);

/// <summary>A picture that can be drawn in pixels and as a vector graphic, from the same commands.</summary>
internal abstract class Figure
{
    /// <summary>Units of 1/96 inch.</summary>
    public abstract double Width { get; }

    public abstract double Height { get; }

    protected const double Margin = 14, TitleHeight = 44, TitleText = 19;

    internal static OxyColor Ink { get; } = OxyColor.FromRgb(0x22, 0x22, 0x22);

    internal static OxyColor Grey { get; } = OxyColor.FromRgb(0x76, 0x76, 0x76);

    public EncodedPicture ToPng(double scale = 2)
    {
        int width = (int)Math.Ceiling(Width * scale), height = (int)Math.Ceiling(Height * scale);
        using SKBitmap bitmap = new(width, height);
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(SKColors.White);
        canvas.Scale((float)scale);
        using (PictureContext context = new(canvas))
            Draw(context);
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return new EncodedPicture(data.ToArray(), width, height);
    }

    public void WriteSvg(string path)
    {
        using FileStream file = File.Create(path);
        using PictureContext measurer = new(canvas: null);
        using SvgRenderContext context = new(file, Width, Height, isDocument: true, measurer, OxyColors.White);
        Draw(context);
        context.Complete();
    }

    protected abstract void Draw(IRenderContext context);

    protected void DrawTitle(IRenderContext context, string title) => context.DrawText(new ScreenPoint(Margin, Margin),
        Fit(title, Width - 2 * Margin, TitleText, context), Ink, PictureFont.Family, TitleText, 700);

    /// <summary>A text that ends in an ellipsis where it would not fit.</summary>
    internal static string Fit(string text, double width, double size, IRenderContext context)
    {
        text = text.ReplaceLineEndings(" ");
        if (Measure(text, size, context) <= width)
            return text;
        while (text.Length > 1 && Measure(text + "…", size, context) > width)
            text = text[..^1];
        return text + "…";
    }

    protected static double Measure(string text, double size, IRenderContext context) =>
        context.MeasureText(text, PictureFont.Family, size, 400).Width;
}
