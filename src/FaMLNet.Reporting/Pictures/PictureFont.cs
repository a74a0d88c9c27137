using SkiaSharp;

namespace FaMLNet.Reporting.Pictures;

/// <summary>
/// The font of pictures, DejaVu Sans, which the assembly carries: texts are the same on every machine, also on one that has no font at all. A
/// text with characters that it lacks (Chinese, say) is set in a font of the machine's that has them, if there is one.
/// </summary>
internal static class PictureFont
{
    private const string Resource = "DejaVuSans.ttf";

    /// <summary>For SVG files, whose viewer has fonts of its own.</summary>
    public const string Family = "DejaVu Sans, Verdana, sans-serif";

    private static readonly Lazy<SKTypeface> Own = new(() =>
    {
        using Stream stream = typeof(PictureFont).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {Resource}.");
        return SKTypeface.FromStream(stream) ?? throw new InvalidOperationException($"The font {Resource} cannot be read.");
    });

    /// <summary>A paint for a text, owned by the caller.</summary>
    public static SKPaint Paint(string text, float size) => new()
    {
        Typeface = For(text),
        TextSize = size,
        IsAntialias = true,
        SubpixelText = true,
    };

    private static SKTypeface For(string text)
    {
        SKTypeface own = Own.Value;
        if (own.ContainsGlyphs(text))
            return own;
        foreach (System.Text.Rune character in text.EnumerateRunes())
        {
            if (!own.ContainsGlyph(character.Value) && SKFontManager.Default.MatchCharacter(character.Value) is { } other)
                return other;
        }
        return own;
    }
}
