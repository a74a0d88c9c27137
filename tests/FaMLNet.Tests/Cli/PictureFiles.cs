using System.IO.Compression;
using SkiaSharp;

namespace FaMLNet.Tests.Cli;

/// <summary>Makes image files as people have them.</summary>
internal static class PictureFiles
{
    /// <summary>A CMYK JPEG of 8 × 8 pixels of (200, 40, 40), by Pillow.</summary>
    public static byte[] Cmyk { get; } = Convert.FromBase64String(
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB/8AAFAgACAAIBEMRAE0R"
        + "AFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYX"
        + "GBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh"
        + "4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD+kCv5P6/k/r+/iv/Z");

    /// <summary>An animation of two pictures of one pixel, (200, 40, 40) and blue, by Pillow.</summary>
    public static byte[] Animation { get; } = Convert.FromBase64String(
        "R0lGODlhAQABAIEAAMgoKAAAAAAAAAAAACH5BAAKAAAALAAAAAABAAEAAAgEAAEEBAAh+QQACgAAACwAAAAAAQABAIEAAP8AAAAAAAAAAAAIBAABBAQAOw==");

    /// <summary>A PNG of 2 × 2 pixels of 16 bits of grey, all 40000 of 65535, by Pillow.</summary>
    public static byte[] Grey16 { get; } = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACEAAAAAAHTY67AAAAEklEQVR4nGOc48DAwMTAwMAAAAeaAOBZmLDcAAAAAElFTkSuQmCC");

    /// <summary>The head of a TIFF file, and bytes.</summary>
    public static byte[] Tiff { get; } = [.. "II*\0"u8, .. new byte[100]];

    /// <summary>A picture of one colour.</summary>
    public static byte[] Plain(SKColor colour, int width = 8, int height = 8, SKEncodedImageFormat format = SKEncodedImageFormat.Png) =>
        Encode(width, height, (_, _) => colour, format);

    /// <summary>A picture that differs from pixel to pixel, so that no turn and no mirroring leaves it as it is.</summary>
    public static byte[] Varied(int width, int height, SKEncodedImageFormat format = SKEncodedImageFormat.Png, int seed = 1)
    {
        Random random = new(seed);
        return Encode(width, height, (_, _) => new SKColor((uint)random.Next() | 0xFF000000), format);
    }

    /// <summary>A picture, pixel by pixel.</summary>
    public static byte[] Encode(int width, int height, Func<int, int, SKColor> colour, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        SKColor[] colours = [.. Enumerable.Range(0, width * height).Select(i => colour(i % width, i / width))];
        // A PNG has an alpha channel where it is needed alone.
        using SKBitmap bitmap = new(width, height, SKColorType.Rgba8888, colours.All(each => each.Alpha == 255) ? SKAlphaType.Opaque
            : SKAlphaType.Unpremul);
        for (int i = 0; i < colours.Length; i++)
            bitmap.SetPixel(i % width, i / width, colours[i]);
        return bitmap.Encode(format, 100).ToArray();
    }

    /// <summary>A file with an EXIF orientation: a JPEG or a PNG.</summary>
    public static byte[] WithOrientation(byte[] file, int orientation, bool isLittle = true)
    {
        byte[] tiff = isLittle ? [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0]
            : [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        if (file[0] == 0xFF)
        {
            byte[] content = [.. "Exif\0\0"u8, .. tiff];
            return [.. file[..2], 0xFF, 0xE1, 0, (byte)(content.Length + 2), .. content, .. file[2..]];
        }
        // Behind the header chunk.
        return [.. file[..33], 0, 0, 0, (byte)tiff.Length, .. "eXIf"u8, .. tiff, .. Checksum([.. "eXIf"u8, .. tiff]), .. file[33..]];
    }

    /// <summary>A WebP file with an EXIF orientation: the simple file's picture in the extended format.</summary>
    public static byte[] WebpWithOrientation(byte[] file, int width, int height, int orientation)
    {
        const byte hasExif = 8;
        byte[] tiff = [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0];
        byte[] chunks = [.. "WEBP"u8, .. "VP8X"u8, 10, 0, 0, 0, hasExif, 0, 0, 0, (byte)(width - 1), 0, 0, (byte)(height - 1), 0, 0, .. file[12..],
            .. "EXIF"u8, (byte)tiff.Length, 0, 0, 0, .. tiff];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(chunks.Length), .. chunks];
    }

    /// <summary>A PNG of 2 × 2 pixels whose columns have the two colours of a palette.</summary>
    public static byte[] Palette(int bits, SKColor[] colours)
    {
        byte row = (byte)(1 << 8 - 2 * bits); // the colours 0 and 1, from the upper bits on
        byte[] pixels = bits == 8 ? [0, 0, 1, 0, 0, 1] : [0, row, 0, row];
        using MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Fastest))
            zlib.Write(pixels);
        byte[] alphas = colours.Any(colour => colour.Alpha < 255) ? Chunk("tRNS", [.. colours.Select(colour => colour.Alpha)]) : [];
        return [0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', .. Chunk("IHDR", [0, 0, 0, 2, 0, 0, 0, 2, (byte)bits, 3, 0, 0, 0]),
            .. Chunk("PLTE", [.. colours.SelectMany(colour => new[] { colour.Red, colour.Green, colour.Blue })]), .. alphas,
            .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string name, byte[] content)
    {
        byte[] named = [.. System.Text.Encoding.ASCII.GetBytes(name), .. content];
        return [0, 0, 0, (byte)content.Length, .. named, .. Checksum(named)];
    }

    /// <summary>Writes a file, with its folders.</summary>
    public static void Write(string root, string name, byte[] bytes)
    {
        string path = Path.Combine(root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Writes an archive whose entries have the very names given.</summary>
    public static void WriteZip(string path, IEnumerable<(string Name, byte[] Bytes)> entries)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach ((string name, byte[] bytes) in entries)
        {
            using Stream stream = zip.CreateEntry(name).Open();
            stream.Write(bytes);
        }
    }

    /// <summary>The checksum of a chunk of a PNG: of its name and content.</summary>
    public static byte[] Checksum(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        return [(byte)(~crc >> 24), (byte)(~crc >> 16), (byte)(~crc >> 8), (byte)~crc];
    }
}
