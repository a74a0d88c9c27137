using System.Buffers.Binary;
using SkiaSharp;

namespace FaMLNet.Cli.Images;

/// <summary>The EXIF orientation of a PNG file, which SkiaSharp 2.88 does not read.</summary>
internal static class PngOrientation
{
    private const int Orientation = 0x0112;

    /// <summary>The orientation in the eXIf chunk before the pixels; null where there is none.</summary>
    /// <param name="file">The file, or its first bytes.</param>
    public static SKEncodedOrigin? Of(ReadOnlySpan<byte> file)
    {
        // A chunk: length, name, content, checksum. All numbers are big-endian.
        for (long at = 8; at + 12 <= file.Length;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[(int)at..]);
            ReadOnlySpan<byte> name = file.Slice((int)at + 4, 4);
            if (name.SequenceEqual("IDAT"u8) || at + 12 + length > file.Length)
                return null;
            if (name.SequenceEqual("eXIf"u8))
                return InExif(file.Slice((int)at + 8, (int)length));
            at += 12 + length;
        }
        return null;
    }

    /// <summary>The tag in the first directory of a TIFF header.</summary>
    private static SKEncodedOrigin? InExif(ReadOnlySpan<byte> exif)
    {
        if (exif.Length < 10 || !(exif.StartsWith("II*\0"u8) || exif.StartsWith("MM\0*"u8)))
            return null;
        bool isLittle = exif[0] == 'I';
        uint directory = isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(exif[4..]) : BinaryPrimitives.ReadUInt32BigEndian(exif[4..]);
        if (directory > exif.Length - 2)
            return null;
        ReadOnlySpan<byte> entries = exif[((int)directory + 2)..];
        for (int i = Short(exif[(int)directory..]); i > 0 && entries.Length >= 12; i--, entries = entries[12..])
        {
            if (Short(entries) == Orientation)
                return Short(entries[8..]) is >= 1 and <= 8 and var value ? (SKEncodedOrigin)value : null;
        }
        return null;

        ushort Short(ReadOnlySpan<byte> at) =>
            isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);
    }
}
