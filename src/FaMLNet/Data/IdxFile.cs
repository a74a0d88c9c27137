using System.Buffers.Binary;
using System.IO.Compression;

namespace FaMLNet.Data;

/// <summary>
/// A file of the IDX format (LeCun, http://yann.lecun.com/exdb/mnist), plain or gzip: two zeros, a type (8: unsigned bytes), the number of
/// dimensions, each dimension as a big-endian 32-bit number, the data.
/// </summary>
internal sealed class IdxFile : IDisposable
{
    private const int UnsignedByte = 8;
    private readonly string _path;
    private readonly Stream _stream;

    public IdxFile(string path, int dimensions)
    {
        _path = path;
        if (!File.Exists(path))
            throw new FileNotFoundException($"The IDX file '{path}' is not there. Give the path of a file like train-images-idx3-ubyte.gz.", path);
        _stream = Open(path);
        try
        {
            Span<byte> header = stackalloc byte[4];
            ReadExactly(header);
            if (header[0] != 0 || header[1] != 0 || header[2] != UnsignedByte || header[3] != dimensions)
                throw Damaged(
                    $"it begins with {Convert.ToHexString(header)}; expected 0000080{dimensions} ({dimensions} dimensions of unsigned bytes)"
                    + (header[3] is 1 or 3 && header[2] == UnsignedByte ? ". Have images and labels been exchanged?" : ""));
            Dimensions = new int[dimensions];
            for (int i = 0; i < dimensions; i++)
            {
                ReadExactly(header);
                Dimensions[i] = BinaryPrimitives.ReadInt32BigEndian(header);
                if (Dimensions[i] < 1)
                    throw Damaged($"its dimension {i + 1} is {Dimensions[i]}; expected at least 1");
            }
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    public int[] Dimensions { get; }

    public void ReadExactly(Span<byte> bytes)
    {
        try
        {
            _stream.ReadExactly(bytes);
        }
        catch (EndOfStreamException failure)
        {
            throw Damaged("it ends early", failure);
        }
        catch (InvalidDataException failure)
        {
            throw Damaged("its gzip data is corrupt", failure);
        }
    }

    /// <summary>Refuses a file with more data than its header says.</summary>
    public void CheckEnd()
    {
        try
        {
            if (_stream.ReadByte() >= 0)
                throw Damaged("it has more data than its header says");
        }
        catch (InvalidDataException failure)
        {
            throw Damaged("its gzip data is corrupt", failure);
        }
    }

    public void Dispose() => _stream.Dispose();

    private static Stream Open(string path)
    {
        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        // By content, not by name: a downloaded .gz may have been unpacked by the browser.
        bool gzip = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        return gzip ? new BufferedStream(new GZipStream(file, CompressionMode.Decompress), 1 << 16) : file;
    }

    private FormatException Damaged(string reason, Exception? cause = null) => new($"The IDX file '{_path}' cannot be read: {reason}.", cause);
}

/// <summary>Reads images and labels of a pair of IDX files in step.</summary>
internal sealed class IdxReader : IImageReader
{
    private readonly IdxFile _images, _labels;
    private readonly int _classes;
    private readonly string _labelsPath;
    private int _left;

    public IdxReader(string imagesPath, string labelsPath, int classes)
    {
        _images = new IdxFile(imagesPath, 3);
        _labels = new IdxFile(labelsPath, 1);
        _classes = classes;
        _labelsPath = labelsPath;
        _left = _images.Dimensions[0];
    }

    public int Read(Span<byte> pixels)
    {
        Span<byte> label = stackalloc byte[1];
        _images.ReadExactly(pixels);
        _labels.ReadExactly(label);
        if (--_left == 0)
            _images.CheckEnd();
        return label[0] < _classes ? label[0] : throw new FormatException(
            $"The IDX file '{_labelsPath}' has a label {label[0]}; there are {_classes} classes. Has it changed since it was opened?");
    }

    public void Dispose()
    {
        _images.Dispose();
        _labels.Dispose();
    }
}
