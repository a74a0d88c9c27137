using System.Buffers;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace FaMLNet.Cli.Sets;

/// <summary>Decodes image files to planes of red, green and blue.</summary>
internal static unsafe class ImageDecoder
{
    private const long MostPixels = 1 << 28;

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
        if ((long)info.Width * info.Height > MostPixels)
            throw new FormatException($"'{name}' has {info.Width} × {info.Height} pixels, which is too many. Scale it down first.");
        byte[] decoded = ArrayPool<byte>.Shared.Rent(info.BytesSize);
        try
        {
            fixed (byte* memory = decoded)
            {
                // IncompleteInput leaves the rest of the image grey: a file that was cut in half would be trained on.
                if (codec.GetPixels(info, (nint)memory) != SKCodecResult.Success)
                    throw Unreadable(name);
                if (info.Width == size && info.Height == size)
                    Cut(decoded, info.Width, info.Height, size, pixels);
                else
                    ScaleAndCut(info, (nint)memory, size, pixels, name);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(decoded);
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

    private static FormatException Unreadable(string name) =>
        new($"'{name}' is no image that can be decoded whole: it may be cut off, empty, or of another kind. Copy it again, or remove it.");
}
