using SkiaSharp;

namespace FaMLNet.Cli.Sets;

/// <summary>Decodes image files to planes of red, green and blue.</summary>
internal static class ImageDecoder
{
    /// <summary>Width and height, without decoding.</summary>
    public static (int Width, int Height) SizeOf(byte[] file, string name)
    {
        using SKCodec codec = SKCodec.Create(new SKMemoryStream(file)) ?? throw Unreadable(name);
        return (codec.Info.Width, codec.Info.Height);
    }

    /// <summary>Decodes a file into 3 × size × size bytes: scaled so that its shorter side fits, and cut in the middle to a square.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="size">Height and width.</param>
    /// <param name="pixels">Receives red, green and blue, plane after plane.</param>
    /// <param name="name">For errors.</param>
    /// <exception cref="FormatException">It cannot be decoded, or only in part.</exception>
    public static void Decode(byte[] file, int size, Span<byte> pixels, string name)
    {
        using SKCodec codec = SKCodec.Create(new SKMemoryStream(file)) ?? throw Unreadable(name);
        SKImageInfo info = new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        using SKBitmap decoded = new(info);
        // IncompleteInput leaves the rest of the image grey: a file that was cut in half would be trained on.
        if (codec.GetPixels(info, decoded.GetPixels()) != SKCodecResult.Success)
            throw Unreadable(name);
        SKBitmap bitmap = decoded;
        if (info.Width != size || info.Height != size)
        {
            float scale = (float)size / Math.Min(info.Width, info.Height);
            bitmap = decoded.Resize(new SKImageInfo(Math.Max(size, (int)MathF.Round(info.Width * scale)),
                Math.Max(size, (int)MathF.Round(info.Height * scale)), info.ColorType, info.AlphaType), SKFilterQuality.High) ?? throw Unreadable(name);
        }
        ReadOnlySpan<byte> source = bitmap.GetPixelSpan();
        int left = (bitmap.Width - size) / 2, top = (bitmap.Height - size) / 2, plane = size * size;
        for (int y = 0; y < size; y++)
        {
            ReadOnlySpan<byte> row = source.Slice(((top + y) * bitmap.Width + left) * 4, size * 4);
            for (int x = 0; x < size; x++)
            {
                pixels[y * size + x] = row[4 * x];
                pixels[plane + y * size + x] = row[4 * x + 1];
                pixels[2 * plane + y * size + x] = row[4 * x + 2];
            }
        }
        if (!ReferenceEquals(bitmap, decoded))
            bitmap.Dispose();
    }

    private static FormatException Unreadable(string name) =>
        new($"'{name}' is no image that can be decoded whole: it may be cut off, empty, or of another kind. Copy it again, or remove it.");
}
