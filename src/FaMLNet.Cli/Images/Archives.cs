using System.IO.Compression;
using FaMLNet.Cli.Naming;

namespace FaMLNet.Cli.Images;

/// <summary>Tells archives from other files, by their content.</summary>
internal static class Archives
{
    // Where the format of tar archives names itself.
    private const int TarMark = 257;

    // Of an archive without names of images.
    private const int EntriesLookedAt = 3;

    /// <summary>Whether a file is a zip archive with image files, which is read in place of a folder.</summary>
    public static bool IsZipOfImages(string path)
    {
        if (!CanBeReadTwice(path) || !Head(path, isPacked: false).AsSpan().StartsWith("PK\x03\x04"u8))
            return false;
        using ZipFiles files = new(path);
        // Documents of offices are archives with pictures among other things.
        string[] names = [.. files.Names.Where(name => !name.EndsWith('/'))];
        return !names.Any(name => name is "[Content_Types].xml" or "mimetype")
            && (names.Any(FileKind.HasImageName) || names.Take(EntriesLookedAt).Any(name => IsImage(files, name)));
    }

    /// <summary>Refuses archives that are not read.</summary>
    /// <exception cref="FormatException">The file is one.</exception>
    public static void RefuseOthers(string path)
    {
        if (!CanBeReadTwice(path))
            return;
        byte[] head = Head(path, isPacked: false);
        bool isPacked = head is [0x1F, 0x8B, ..];
        string? kind = IsTar(isPacked ? Head(path, isPacked: true) : head) ? isPacked ? "a tar archive compressed by gzip" : "a tar archive"
            : head.AsSpan().StartsWith("Rar!"u8) ? "a RAR archive" : null;
        if (kind != null)
        {
            throw new FormatException($"'{path}' is {kind}, which is not read. Expected a table, a folder, or a zip archive of image files with one "
                + "folder per class. Unpack it, and give the folder or the table.");
        }
    }

    private static bool IsImage(ZipFiles files, string name)
    {
        try
        {
            return FileKind.IsDecodable(files.Look(name).Start);
        }
        catch (ImageFileException)
        {
            return false;
        }
    }

    private static bool IsTar(ReadOnlySpan<byte> head) => head.Length > TarMark && head[TarMark..].StartsWith("ustar"u8);

    private static bool CanBeReadTwice(string path) => path != Arguments.StandardInput && File.Exists(path) && !WholeFile.IsSpecial(path);

    private static byte[] Head(string path, bool isPacked)
    {
        byte[] head = new byte[512];
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using Stream content = isPacked ? new GZipStream(file, CompressionMode.Decompress) : file;
        try
        {
            return head[..content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        }
        catch (InvalidDataException)
        {
            return []; // damaged, as reading will say
        }
    }
}
