using System.IO.Compression;
using System.Text;

namespace FaMLNet.Cli.Images;

/// <summary>What a look at a file shows without reading all of it.</summary>
/// <param name="Start">Its first bytes; all of them if the file is not longer.</param>
/// <param name="End">Its last bytes; null where they are not known without reading all.</param>
/// <param name="Length">Its length in bytes.</param>
internal sealed record FileLook(byte[] Start, byte[]? End, long Length)
{
    /// <summary>Whether the start is the whole file.</summary>
    public bool IsWhole => Start.Length == Length;
}

/// <summary>The bytes of image files, for threads side by side.</summary>
internal interface IImageFiles : IDisposable
{
    /// <summary>How many bytes of a file's start are looked at.</summary>
    protected const int StartBytes = 1 << 16;

    /// <summary>How many bytes of a file's end are looked at.</summary>
    protected const int EndBytes = 16;

    /// <summary>The largest file that is read.</summary>
    protected const long MostBytes = 1 << 29;

    /// <summary>All files and folders below the root, with / between folders; a folder's name ends with /.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>A whole file.</summary>
    /// <exception cref="ImageFileException">It is too large or, in an archive, damaged.</exception>
    public byte[] Read(string name);

    /// <summary>The start and the end of a file.</summary>
    /// <exception cref="ImageFileException">In an archive, it is damaged.</exception>
    public FileLook Look(string name);
}

/// <summary>Files of a folder.</summary>
internal sealed class FolderFiles(string folder) : IImageFiles
{
    /// <summary>The names are read anew each time.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            List<string> names = [];
            Add(new DirectoryInfo(folder), "", names);
            return names;
        }
    }

    public byte[] Read(string name)
    {
        string path = Path.Combine(folder, name);
        long length = new FileInfo(path).Length;
        return length <= IImageFiles.MostBytes ? File.ReadAllBytes(path)
            : throw new ImageFileException(path, $"{length >> 20} MB, more than the {IImageFiles.MostBytes >> 20} MB that an image file may have");
    }

    public FileLook Look(string name)
    {
        using FileStream file = new(Path.Combine(folder, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        long length = file.Length;
        byte[] start = new byte[Math.Min(length, IImageFiles.StartBytes)], end = new byte[Math.Min(length, IImageFiles.EndBytes)];
        file.ReadExactly(start);
        file.Position = length - end.Length;
        file.ReadExactly(end);
        return new FileLook(start, end, length);
    }

    public void Dispose() { }

    private static void Add(DirectoryInfo folder, string prefix, List<string> names)
    {
        foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos())
        {
            // Names that begin with a point have this attribute on Linux and macOS.
            if ((entry.Attributes & (FileAttributes.Hidden | FileAttributes.System)) != 0 || ImageLayout.IsPassedOver(entry.Name))
                continue;
            string name = prefix + entry.Name;
            if (entry is not DirectoryInfo below)
                names.Add(name);
            else if (!LeadsBack(below))
            {
                names.Add(name + "/");
                Add(below, name + "/", names);
            }
        }
    }

    /// <summary>Whether a folder is a link to one of those that it lies in, so that walking down would never end.</summary>
    private static bool LeadsBack(DirectoryInfo folder)
    {
        if (folder.LinkTarget == null)
            return false;
        string? target = folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName;
        return target != null && (folder.FullName + Path.DirectorySeparatorChar)
            .StartsWith(target.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }
}

/// <summary>Entries of a zip archive, which gives one at a time.</summary>
internal sealed class ZipFiles : IImageFiles
{
    // Deflate makes a byte of at most 1,032.
    private const long MostRatio = 1100;

    // An entry of at most this length is read whole when it is looked at.
    private const long SmallEntry = 1 << 20;

    private readonly string _path;
    private readonly ZipArchive _zip;
    private readonly long _archiveBytes;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <exception cref="FormatException">It is no zip archive, or is damaged.</exception>
    public ZipFiles(string path)
    {
        _path = path;
        _archiveBytes = new FileInfo(path).Length;
        try
        {
            _zip = ZipFile.OpenRead(path);
            // Names that are not UTF-8 are in the encoding of the format's first days.
            if (_zip.Entries.Any(entry => entry.FullName.Contains('\uFFFD', StringComparison.Ordinal)))
            {
                _zip.Dispose();
                Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
                _zip = ZipFile.Open(path, ZipArchiveMode.Read, Encoding.GetEncoding(437));
            }
            foreach (ZipArchiveEntry entry in _zip.Entries)
                _entries[entry.FullName.Replace('\\', '/')] = entry; // of two of one name the later counts, as for other programs
        }
        catch (InvalidDataException failure)
        {
            _zip?.Dispose();
            throw new FormatException($"'{path}' is no zip archive, or is cut off: {failure.Message} Copy it again.", failure);
        }
        Names = [.. _entries.Keys];
    }

    public IReadOnlyList<string> Names { get; }

    public byte[] Read(string name) => Unpack(name, long.MaxValue);

    public FileLook Look(string name)
    {
        long length = Entry(name).Length;
        byte[] bytes = Unpack(name, length <= SmallEntry ? long.MaxValue : IImageFiles.StartBytes);
        return new FileLook(bytes, bytes.Length == length ? bytes[Math.Max(0, bytes.Length - IImageFiles.EndBytes)..] : null, length);
    }

    public void Dispose() => _zip.Dispose();

    private ZipArchiveEntry Entry(string name) => _entries.GetValueOrDefault(name)
        ?? throw new FormatException($"'{_path}' has lost its entry '{name}'.");

    /// <summary>The first bytes of an entry. The length that it claims is checked before memory is asked for.</summary>
    private byte[] Unpack(string name, long most)
    {
        lock (_gate)
        {
            ZipArchiveEntry entry = Entry(name);
            if (entry.IsEncrypted)
                throw Damaged(name, "encrypted: pack without a password");
            if (entry.Length > IImageFiles.MostBytes)
                throw Damaged(name, $"claims {entry.Length >> 20} MB, more than the {IImageFiles.MostBytes >> 20} MB that an image file may have");
            if (entry.CompressedLength > _archiveBytes || entry.Length > MostRatio * Math.Max(1, entry.CompressedLength))
                throw Damaged(name, $"claims {entry.Length} bytes, packed in {entry.CompressedLength}, which cannot be: damaged, remove");
            try
            {
                byte[] bytes = new byte[Math.Min(entry.Length, most)];
                using Stream stream = entry.Open();
                stream.ReadExactly(bytes);
                return bytes.Length < entry.Length || stream.ReadByte() < 0 ? bytes
                    : throw Damaged(name, "longer than the archive says: damaged, pack again");
            }
            catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException)
            {
                throw Damaged(name, $"cannot be unpacked ({failure.Message.TrimEnd('.')}): pack again by deflate or without compression", failure);
            }
        }
    }

    private ImageFileException Damaged(string name, string reason, Exception? cause = null) => new($"{_path}: {name}", reason, cause: cause);
}

/// <summary>An image file that cannot be read.</summary>
/// <param name="name">The file, with its archive.</param>
/// <param name="reason">Why, and what its owner can do, without the file's name: many files may have the same.</param>
/// <param name="isImage">Whether its content shows that it is, or was, an image.</param>
/// <param name="cause">What was thrown.</param>
internal sealed class ImageFileException(string name, string reason, bool isImage = false, Exception? cause = null)
    : FormatException($"'{name}' cannot be read: {reason}.", cause)
{
    /// <summary>Why, and what its owner can do, without the file's name.</summary>
    public string Reason { get; } = reason;

    /// <summary>Whether its content shows that it is, or was, an image.</summary>
    public bool IsImage { get; } = isImage;
}
