using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace FaMLNet.Cli.Images;

/// <summary>What an image's header says.</summary>
/// <param name="Width">Pixels from left to right, as the image is seen.</param>
/// <param name="Height">Pixels from top to bottom, as the image is seen.</param>
/// <param name="IsTurned">Whether it is seen otherwise than it is stored (EXIF orientation).</param>
/// <param name="HasAlpha">Whether it may be transparent.</param>
internal readonly record struct ImageHeader(int Width, int Height, bool IsTurned, bool HasAlpha);

/// <summary>Decodes image files to planes of red, green and blue, as people see them.</summary>
/// <remarks>
/// The EXIF orientation is applied. What is transparent is laid on white before anything is scaled, so that it is the same at every size. Of an
/// animation the first picture counts. Greys, palettes, 16 bits and CMYK become 8 bits of red, green and blue.
/// </remarks>
internal static unsafe class ImageDecoder
{
    // 512 MB when decoded.
    private const long MostPixels = 1 << 27;

    // Up to here a header is believed; beyond, a file must have a byte for so many pixels at least.
    private const long UnquestionedPixels = 1 << 24, PixelsPerByte = 10_000;

    /// <summary>What the header says, without decoding; null if it cannot be read.</summary>
    /// <param name="start">The file, or its first bytes.</param>
    public static ImageHeader? HeaderOf(byte[] start)
    {
        // Skia takes formats of nearly no signature for images, such as WBMP: IDX files begin like those.
        using SKCodec? codec = FileKind.IsDecodable(start) ? SKCodec.Create(new SKMemoryStream(start)) : null;
        if (codec == null)
            return null;
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        SKEncodedOrigin origin = OriginOf(codec, start);
        bool isTurned = origin != SKEncodedOrigin.TopLeft;
        return IsSideways(origin) ? new ImageHeader(height, width, isTurned, codec.Info.AlphaType != SKAlphaType.Opaque)
            : new ImageHeader(width, height, isTurned, codec.Info.AlphaType != SKAlphaType.Opaque);
    }

    /// <summary>Why an image of a size is not decoded; null if it is.</summary>
    /// <param name="width">Its width.</param>
    /// <param name="height">Its height.</param>
    /// <param name="fileBytes">The length of its file.</param>
    public static string? RefusalOf(int width, int height, long fileBytes)
    {
        long pixels = (long)width * height;
        return pixels > MostPixels ? string.Create(CultureInfo.InvariantCulture,
                $"{width} × {height} pixels, more than {MostPixels / 1_000_000} million: scale down first")
            : pixels > UnquestionedPixels && pixels / PixelsPerByte > fileBytes ? string.Create(CultureInfo.InvariantCulture,
                $"{width} × {height} pixels claimed by {fileBytes} bytes, which cannot be: damaged, remove") : null;
    }

    /// <summary>Decodes a file into 3 × size × size bytes: scaled so that its shorter side fits, and cut in the middle to a square.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="size">Height and width.</param>
    /// <param name="pixels">Receives red, green and blue, plane after plane.</param>
    /// <param name="name">For errors.</param>
    /// <exception cref="ImageFileException">It cannot be decoded, or only in part.</exception>
    public static void Decode(byte[] file, int size, Span<byte> pixels, string name)
    {
        using SKCodec codec = (FileKind.IsDecodable(file) ? SKCodec.Create(new SKMemoryStream(file)) : null) ?? throw Unreadable(name);
        SKImageInfo info = new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        if (RefusalOf(info.Width, info.Height, file.Length) is { } refusal)
            throw new ImageFileException(name, refusal, isImage: true);
        byte[] decoded = ArrayPool<byte>.Shared.Rent(info.BytesSize);
        byte[]? turned = null;
        try
        {
            fixed (byte* memory = decoded)
            {
                // IncompleteInput leaves the rest of the image grey: a file that was cut in half would be trained on.
                if (codec.GetPixels(info, (nint)memory) != SKCodecResult.Success)
                    throw Unreadable(name);
            }
            Span<uint> seen = MemoryMarshal.Cast<byte, uint>(decoded.AsSpan(0, info.BytesSize));
            if (codec.Info.AlphaType != SKAlphaType.Opaque)
                LayOnWhite(seen);
            SKEncodedOrigin origin = OriginOf(codec, file);
            if (origin != SKEncodedOrigin.TopLeft)
            {
                // At full size, so that a turned picture gives the very pixels of an upright one.
                turned = ArrayPool<byte>.Shared.Rent(info.BytesSize);
                Span<uint> upright = MemoryMarshal.Cast<byte, uint>(turned.AsSpan(0, info.BytesSize));
                Turn(seen, info.Width, info.Height, origin, upright);
                if (IsSideways(origin))
                    info = info.WithSize(info.Height, info.Width);
            }
            byte[] source = turned ?? decoded;
            if (info.Width == size && info.Height == size)
                Cut(source, info.Width, info.Height, size, pixels);
            else
            {
                fixed (byte* memory = source)
                    ScaleAndCut(info, (nint)memory, size, pixels, name);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(decoded);
            if (turned != null)
                ArrayPool<byte>.Shared.Return(turned);
        }
    }

    private static SKEncodedOrigin OriginOf(SKCodec codec, ReadOnlySpan<byte> file) =>
        codec.EncodedFormat == SKEncodedImageFormat.Png ? PngOrientation.Of(file) ?? SKEncodedOrigin.TopLeft : codec.EncodedOrigin;

    private static bool IsSideways(SKEncodedOrigin origin) => origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop
        or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;

    private static void LayOnWhite(Span<uint> pixels)
    {
        foreach (ref uint pixel in pixels)
        {
            uint alpha = pixel >> 24;
            if (alpha != 255)
                pixel = 0xFF000000 | On(pixel & 255, alpha) | On(pixel >> 8 & 255, alpha) << 8 | On(pixel >> 16 & 255, alpha) << 16;
        }

        static uint On(uint value, uint alpha) => (value * alpha + 255 * (255 - alpha) + 127) / 255;
    }

    /// <summary>Moves each stored pixel to where it is seen. The origin names the sides of the seen picture at which the stored one's first row
    /// and first column lie.</summary>
    private static void Turn(ReadOnlySpan<uint> stored, int width, int height, SKEncodedOrigin origin, Span<uint> seen)
    {
        int seenWidth = IsSideways(origin) ? height : width;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                (int column, int row) = origin switch
                {
                    SKEncodedOrigin.TopRight => (width - 1 - x, y),
                    SKEncodedOrigin.BottomRight => (width - 1 - x, height - 1 - y),
                    SKEncodedOrigin.BottomLeft => (x, height - 1 - y),
                    SKEncodedOrigin.LeftTop => (y, x),
                    SKEncodedOrigin.RightTop => (height - 1 - y, x),
                    SKEncodedOrigin.RightBottom => (height - 1 - y, width - 1 - x),
                    SKEncodedOrigin.LeftBottom => (y, width - 1 - x),
                    _ => (x, y),
                };
                seen[row * seenWidth + column] = stored[y * width + x];
            }
        }
    }

    private static void ScaleAndCut(SKImageInfo info, nint memory, int size, Span<byte> pixels, string name)
    {
        float scale = (float)size / Math.Min(info.Width, info.Height);
        using SKBitmap bitmap = new();
        bitmap.InstallPixels(info, memory);
        using SKBitmap scaled = bitmap.Resize(new SKImageInfo(Math.Max(size, (int)MathF.Round(info.Width * scale)),
            Math.Max(size, (int)MathF.Round(info.Height * scale)), info.ColorType, info.AlphaType), SKFilterQuality.High) ?? throw Unreadable(name);
        Cut(scaled.GetPixelSpan(), scaled.Width, scaled.Height, size, pixels);
    }

    /// <summary>The square in the middle, as planes.</summary>
    private static void Cut(ReadOnlySpan<byte> source, int width, int height, int size, Span<byte> pixels)
    {
        int left = (width - size) / 2, top = (height - size) / 2, plane = size * size;
        Span<byte> red = pixels[..plane], green = pixels.Slice(plane, plane), blue = pixels.Slice(2 * plane, plane);
        for (int y = 0; y < size; y++)
        {
            ReadOnlySpan<uint> row = MemoryMarshal.Cast<byte, uint>(source.Slice(((top + y) * width + left) * 4, size * 4));
            int at = y * size;
            for (int x = 0; x < row.Length; x++)
            {
                uint pixel = row[x];
                red[at + x] = (byte)pixel;
                green[at + x] = (byte)(pixel >> 8);
                blue[at + x] = (byte)(pixel >> 16);
            }
        }
    }

    private static ImageFileException Unreadable(string name) =>
        new(name, "no image that can be decoded whole: cut off or damaged. Copy again, or remove", isImage: true);
}
