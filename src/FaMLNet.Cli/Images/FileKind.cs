using System.Text;

namespace FaMLNet.Cli.Images;

/// <summary>What a file that cannot be decoded is, by its content, and what its owner can do.</summary>
/// <param name="Reason">For example "TIFF, which is not decoded: convert to PNG or JPEG".</param>
/// <param name="IsImage">Whether somebody will miss it: an image of another format, a damaged one, or what only has an image's name.</param>
internal readonly record struct FileKind(string Reason, bool IsImage)
{
    private const string Convert = "which is not decoded: convert to PNG or JPEG";

    private static readonly string[] Extensions =
        [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif"];

    /// <summary>Whether a name is one of an image file.</summary>
    public static bool HasImageName(string name) => Extensions.Contains(Path.GetExtension(name).ToLowerInvariant());

    /// <summary>Tells the kind of a file.</summary>
    /// <param name="start">Its first bytes.</param>
    /// <param name="name">Its name.</param>
    public static FileKind Of(ReadOnlySpan<byte> start, string name)
    {
        bool isNamedImage = HasImageName(name);
        if (start.IsEmpty)
            return new FileKind("empty: copy again, or remove", isNamedImage);
        if (OtherFormat(start) is { } format)
            return new FileKind($"{format}, {Convert}", IsImage: true);
        if (start.StartsWith("version https://git-lfs"u8))
            return new FileKind("Git LFS pointers instead of the files: run 'git lfs pull'", isNamedImage);
        if (IsDecodable(start))
            return new FileKind("no image that can be decoded whole: cut off or damaged. Copy again, or remove", IsImage: true);
        string kind = Document(start);
        return new FileKind(isNamedImage ? $"{kind} with the name of an image: remove, or copy again" : kind, isNamedImage);
    }

    /// <summary>Whether a file begins as those of the formats that are decoded.</summary>
    public static bool IsDecodable(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) || IsPng(start) || start.StartsWith("GIF8"u8)
        || IsBitmap(start) || (start.Length >= 12 && start.StartsWith("RIFF"u8) && start.Slice(8, 4).SequenceEqual("WEBP"u8));

    private static bool IsPng(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']);

    /// <summary>Two letters begin many a text: the size of the header behind them tells a bitmap.</summary>
    private static bool IsBitmap(ReadOnlySpan<byte> start) =>
        start.Length >= 18 && start.StartsWith("BM"u8) && start[14] is 12 or 40 or 52 or 56 or 64 or 108 or 124 && start[15] == 0;

    /// <summary>Image formats that the tool does not decode; null for none of them.</summary>
    private static string? OtherFormat(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith("II*\0"u8) || start.StartsWith("MM\0*"u8) || start.StartsWith("II+\0"u8) || start.StartsWith("MM\0+"u8))
            return "TIFF (or a camera's raw format)";
        if (start.Length >= 12 && start.Slice(4, 4).SequenceEqual("ftyp"u8))
        {
            string brand = Encoding.ASCII.GetString(start.Slice(8, 4));
            return brand switch
            {
                "avif" or "avis" => "AVIF",
                "heic" or "heix" or "hevc" or "heim" or "heis" or "mif1" or "msf1" => "HEIC",
                _ => null,
            };
        }
        if (start.StartsWith("\0\0\0\x0CjP  "u8) || start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51]))
            return "JPEG 2000";
        if (start.StartsWith("\0\0\0\x0CJXL "u8) || start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A]))
            return "JPEG XL";
        if (start.StartsWith("8BPS"u8))
            return "Photoshop";
        if (start.StartsWith((ReadOnlySpan<byte>)[0, 0, 1, 0]))
            return "an icon";
        if (start.StartsWith((ReadOnlySpan<byte>)[0x76, 0x2F, 0x31, 0x01]))
            return "OpenEXR";
        if (start.Length > 132 && start.Slice(128, 4).SequenceEqual("DICM"u8))
            return "DICOM";
        if (start.Length > 2 && start[0] == 'P' && start[1] is >= (byte)'1' and <= (byte)'6' && start[2] is (byte)'\n' or (byte)' ' or (byte)'\r')
            return "Netpbm (PPM, PGM, PBM)";
        return IsText(start) && Encoding.ASCII.GetString(start[..Math.Min(1024, start.Length)]).Contains("<svg", StringComparison.OrdinalIgnoreCase)
            ? "SVG" : null;
    }

    private static string Document(ReadOnlySpan<byte> start)
    {
        if (start.Length >= 8 && start.Slice(4, 4).SequenceEqual("ftyp"u8))
            return "videos";
        if (start.StartsWith("%PDF"u8))
            return "PDF documents";
        if (start.StartsWith("PK\x03\x04"u8) || start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return "archives: unpack them first if they hold images";
        if (start.StartsWith((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M']))
            return "NumPy arrays";
        return IsText(start) ? "texts" : "of an unknown format";
    }

    private static bool IsText(ReadOnlySpan<byte> start) =>
        start[..Math.Min(512, start.Length)].IndexOfAnyInRange((byte)0, (byte)8) < 0;
}
