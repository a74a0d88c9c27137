using System.Globalization;
using FaMLNet.Reporting.Pictures;
using OxyPlot;

namespace FaMLNet.Reporting;

/// <summary>One image before and after an attack.</summary>
/// <param name="Clean">The pixels as they were: channel by channel, row by row.</param>
/// <param name="Changed">As the attack has left them.</param>
/// <param name="CleanVerdict">What the model says of the clean image, for example <c>coat: 97 %</c>.</param>
/// <param name="ChangedVerdict">What it says of the changed one.</param>
public sealed record AdversarialImage(ReadOnlyMemory<float> Clean, ReadOnlyMemory<float> Changed, string CleanVerdict, string ChangedVerdict);

/// <summary>Images before and after an attack with the perturbation between them, amplified, and what the model says of both.</summary>
public static class AdversarialSheet
{
    /// <summary>Saves a sheet as PNG.</summary>
    /// <param name="path">The file; replaced if it is there. Its folder is created.</param>
    /// <param name="title">Above everything.</param>
    /// <param name="images">One or more.</param>
    /// <param name="shape">Of each image, of one channel or three.</param>
    /// <param name="range">The values of black and white.</param>
    /// <exception cref="ArgumentException">There is no image, or one does not have the shape.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, string title, IReadOnlyList<AdversarialImage> images, ImageShape shape, (float Lower, float Upper) range)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(shape);
        if (images.Count == 0)
            throw new ArgumentException("There is no image: there is nothing to show.", nameof(images));
        if (shape.Channels is not (1 or 3))
            throw new ArgumentException($"Images of 1 or 3 channels can be shown; found {shape}.", nameof(shape));
        if (images.Any(image => image.Clean.Length != shape.Length || image.Changed.Length != shape.Length))
            throw new ArgumentException($"Every image must have {shape.Length} values, as {shape} has.", nameof(images));
        EncodedPicture picture = new SheetFigure(title, images, shape, range).ToPng();
        WholeFile.Write(path, temporary => File.WriteAllBytes(temporary, picture.Png));
    }

    private sealed class SheetFigure(string title, IReadOnlyList<AdversarialImage> images, ImageShape shape, (float Lower, float Upper) range)
        : Figure
    {
        private const double Tile = 112, Gap = 12, Caption = 24, Heading = 26, Group = 30;

        private readonly int _groups = images.Count > 4 ? 2 : 1;

        /// <summary>How much larger the greatest perturbation of all is shown: to half of the range.</summary>
        private readonly double _gain = Math.Max(1, Math.Floor(0.5 * (range.Upper - range.Lower)
            / Math.Max(1e-9, images.Max(image => Enumerable.Range(0, shape.Length).Max(i =>
                Math.Abs((double)image.Changed.Span[i] - image.Clean.Span[i]))))));

        public override double Width => 2 * Margin + _groups * GroupWidth - Group;

        public override double Height => TitleHeight + Heading + (images.Count + _groups - 1) / _groups * (Tile + Caption + Gap) + Margin;

        private static double GroupWidth => 3 * (Tile + Gap) + Group;

        protected override void Draw(IRenderContext context)
        {
            DrawTitle(context, title);
            string amplified = string.Create(CultureInfo.InvariantCulture, $"change × {_gain:0}");
            for (int group = 0; group < _groups; group++)
            {
                foreach ((int column, string text) in new[] { (0, "clean"), (1, amplified), (2, "attacked") })
                    Write(context, Margin + group * GroupWidth + column * (Tile + Gap) + Tile / 2, TitleHeight + Heading / 2, text, Grey);
            }
            for (int i = 0; i < images.Count; i++)
            {
                AdversarialImage image = images[i];
                double left = Margin + i % _groups * GroupWidth, top = TitleHeight + Heading + i / _groups * (Tile + Caption + Gap);
                Paint(context, left, top, (pixel) => Level(image.Clean.Span[pixel]));
                Paint(context, left + Tile + Gap, top, (pixel) => (byte)Math.Clamp(128 + 255 * _gain
                    * ((double)image.Changed.Span[pixel] - image.Clean.Span[pixel]) / (range.Upper - range.Lower), 0, 255));
                Paint(context, left + 2 * (Tile + Gap), top, (pixel) => Level(image.Changed.Span[pixel]));
                Write(context, left + Tile / 2, top + Tile + Caption / 2, image.CleanVerdict, Ink);
                Write(context, left + 2 * (Tile + Gap) + Tile / 2, top + Tile + Caption / 2, image.ChangedVerdict, Ink);
            }
        }

        private byte Level(float value) => (byte)Math.Clamp(255 * (value - range.Lower) / (range.Upper - range.Lower), 0, 255);

        private void Paint(IRenderContext context, double left, double top, Func<int, byte> level)
        {
            int area = shape.Height * shape.Width;
            double size = Tile / Math.Max(shape.Height, shape.Width);
            for (int pixel = 0; pixel < area; pixel++)
            {
                byte red = level(pixel), green = shape.Channels == 3 ? level(area + pixel) : red,
                    blue = shape.Channels == 3 ? level(2 * area + pixel) : red;
                // A little larger than a pixel: no gaps.
                context.DrawRectangle(new OxyRect(left + pixel % shape.Width * size, top + pixel / shape.Width * size, size + 0.3, size + 0.3),
                    OxyColor.FromRgb(red, green, blue), OxyColors.Transparent, 0, EdgeRenderingMode.Automatic);
            }
        }

        private static void Write(IRenderContext context, double x, double y, string text, OxyColor color) => context.DrawText(new ScreenPoint(x, y),
            Fit(text, Tile + Gap, 13, context), color, PictureFont.Family, 13, 400, 0, HorizontalAlignment.Center, VerticalAlignment.Middle);
    }
}
