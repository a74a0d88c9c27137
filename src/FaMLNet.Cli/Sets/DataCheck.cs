using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using FaMLNet.Cli.Images;

namespace FaMLNet.Cli.Sets;

/// <summary>Compares the files of a data set with what its owners publish.</summary>
internal static class DataCheck
{
    /// <summary>What was found, a line a file, and whether everything is as published.</summary>
    /// <param name="set">The set.</param>
    /// <param name="root">Where its files are.</param>
    public static (IReadOnlyList<string> Lines, bool InOrder) Run(PublishedSet set, string root)
    {
        List<string> lines = [];
        bool inOrder = true;
        string folder = set.FolderOf(root) ?? root;
        lines.Add($"{set.Title} in {folder}");
        string? packed = set.Places(root).Select(place => Path.Combine(place, set.Archive?.Name ?? "")).FirstOrDefault(File.Exists);
        if (set.Archive is { } archive && packed != null)
        {
#pragma warning disable CA5351 // what the owners publish; against damage, not against forgery
            bool same = Hash(File.OpenRead(packed), MD5.Create()) == archive.Md5;
#pragma warning restore CA5351
            inOrder &= same;
            string other = $"MD5 is not {archive.Md5}: it is damaged, or another version. Copy it again";
            lines.Add($"{archive.Name}: {(same ? "MD5 as published" : other)}");
        }
        foreach (PublishedFile file in set.Files)
        {
            (string line, bool good) = Check(folder, file);
            lines.Add($"{file.Name}: {line}");
            inOrder &= good;
        }
        if (!inOrder)
        {
            lines.Add($"The files go into {root} (or below it: {string.Join(", ", set.Folders)}). Their owners publish them at {set.Owner}"
                + $"{(set.Archive is { } from ? $" as {from.Name}" : "")}; licence: {set.Licence}. Nothing is downloaded.");
        }
        return (lines, inOrder);
    }

    private static (string Line, bool Good) Check(string folder, PublishedFile file)
    {
        if (PublishedSet.Find(folder, file.Name) is not { } path)
            return ("is not there", false);
        bool compressed = path.EndsWith(".gz", StringComparison.Ordinal);
        try
        {
            // Another program's compression of the same bytes is as good.
            bool published = compressed && file.CompressedSha256 != null && Hash(File.OpenRead(path), SHA256.Create()) == file.CompressedSha256;
            long bytes = Length(path, compressed);
            if (bytes != file.Bytes)
            {
                string unpacked = compressed ? " unpacked" : "";
                return (string.Create(CultureInfo.InvariantCulture, $"has {bytes:N0} bytes{unpacked}; published {file.Bytes:N0}. It is cut off, or "
                    + $"another file: copy it again"), false);
            }
            if (published)
                return ("size and SHA-256 as published", true);
            if (file.Sha256 == null)
                return file.CompressedSha256 != null && compressed
                    ? ("size as published; SHA-256 is not that of the published .gz: it may have been packed anew", true)
                    : ("size as published; no SHA-256 is published of this file", true);
            return Hash(Open(path, compressed), SHA256.Create()) == file.Sha256 ? ("size and SHA-256 as published", true)
                : ($"size as published, but SHA-256 is not {file.Sha256}: it is damaged, or another set's. Copy it again", false);
        }
        catch (InvalidDataException failure)
        {
            return ($"cannot be unpacked: {failure.Message} Copy it again", false);
        }
    }

    private static Stream Open(string path, bool compressed)
    {
        FileStream stream = File.OpenRead(path);
        return compressed ? new GZipStream(stream, CompressionMode.Decompress) : stream;
    }

    private static long Length(string path, bool compressed)
    {
        if (!compressed)
            return new FileInfo(path).Length;
        using Stream stream = Open(path, compressed);
        byte[] buffer = new byte[1 << 16];
        long length = 0;
        for (int read; (read = stream.Read(buffer)) > 0;)
            length += read;
        return length;
    }

    private static string Hash(Stream stream, HashAlgorithm algorithm)
    {
        using (stream)
        using (algorithm)
            return Convert.ToHexStringLower(algorithm.ComputeHash(stream));
    }
}
