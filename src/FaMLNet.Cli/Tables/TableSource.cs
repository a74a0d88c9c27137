using System.IO.Compression;
using System.Text;
using FaMLNet.Cli.Naming;

namespace FaMLNet.Cli.Tables;

/// <summary>
/// The text of a table: a file, a pipe, or <c>-</c> for standard input; plain or compressed by gzip. What cannot be read twice is copied to
/// a temporary file, which is deleted when the process ends.
/// </summary>
internal sealed class TableSource
{
    private const int HeadLength = 1 << 12;

    /// <summary>Copies of what cannot be read twice, by the path that the user gave: a second reader gets the same.</summary>
    private static readonly Dictionary<string, string> Copies = [];

    private readonly string _path;
    private readonly bool _isCompressed;

    private TableSource(string name, string path)
    {
        (Name, _path) = (name, path);
        _isCompressed = Head(2) is [0x1F, 0x8B];
        try
        {
            if (FileKinds.Of(Head(HeadLength)) is { } kind)
                throw new FormatException($"'{Name}' is {kind.What}, not a table of separated values. {kind.Cure}");
        }
        catch (Exception failure) when (Explain(failure) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>The name in messages.</summary>
    public string Name { get; }

    /// <summary>Opens a table's text.</summary>
    /// <param name="path">A file, a pipe, or <c>-</c>.</param>
    /// <exception cref="FileNotFoundException">Nothing is there.</exception>
    /// <exception cref="FormatException">It is a file of another kind.</exception>
    public static TableSource Open(string path)
    {
        if (path is Arguments.Standard or Arguments.StandardInput)
        {
            return new TableSource("standard input", CopyOnce(path, Console.OpenStandardInput));
        }
        if (!File.Exists(path))
            throw new FileNotFoundException($"'{path}' is neither a file nor a folder. Give a table (.csv or .tsv with a header line), or a folder "
                + "with the files of MNIST or of CIFAR-10's binary version, or with image files.");
        if (Copies.TryGetValue(path, out string? copied))
            return new TableSource(path, copied);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return new TableSource(path, stream.CanSeek ? path : CopyOnce(path, () => stream));
    }

    /// <summary>The text from its beginning.</summary>
    public StreamReader OpenText() => new(OpenBytes(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true),
        detectEncodingFromByteOrderMarks: true);

    /// <summary>What a failure of reading means to the user; null if it is none of reading.</summary>
    public FormatException? Explain(Exception failure) => failure switch
    {
        DecoderFallbackException => new FormatException($"'{Name}' is not in UTF-8. Save it so: in a spreadsheet as 'CSV UTF-8'; with "
            + "iconv -f WINDOWS-1252 -t UTF-8.", failure),
        InvalidDataException when _isCompressed => new FormatException($"'{Name}' is compressed by gzip and damaged or cut off. Copy it again.",
            failure),
        _ => null,
    };

    private Stream OpenBytes()
    {
        FileStream file = new(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return _isCompressed ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    private byte[] Head(int length)
    {
        byte[] head = new byte[length];
        using Stream stream = OpenBytes();
        return head[..stream.ReadAtLeast(head, length, throwOnEndOfStream: false)];
    }

    private static string CopyOnce(string source, Func<Stream> open)
    {
        if (Copies.TryGetValue(source, out string? copied))
            return copied;
        using Stream input = open();
        string path = Path.Combine(Path.GetTempPath(), $"famlnet-{Guid.NewGuid():N}.table");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(path);
        using FileStream copy = new(path, FileMode.CreateNew, FileAccess.Write);
        input.CopyTo(copy);
        Copies[source] = path;
        return path;
    }
}
