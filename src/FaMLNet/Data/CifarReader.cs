namespace FaMLNet.Data;

/// <summary>The binary versions of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of label bytes and 3 × 32 × 32 pixel bytes.</summary>
internal sealed class CifarReader : IImageReader
{
    public const int Pixels = 3 * 32 * 32;

    private readonly IReadOnlyList<string> _files;
    private readonly int _labelBytes, _classes;
    private FileStream? _stream;
    private int _next;

    /// <param name="files">The files, in order.</param>
    /// <param name="labelBytes">Bytes of label before the pixels; the last of them counts.</param>
    /// <param name="classes">The number of classes.</param>
    public CifarReader(IReadOnlyList<string> files, int labelBytes, int classes)
    {
        _files = files;
        _labelBytes = labelBytes;
        _classes = classes;
    }

    /// <summary>Records in the files; refuses a missing file and one whose length is not that of whole records.</summary>
    public static long CountRows(IReadOnlyList<string> files, int labelBytes)
    {
        long rows = 0;
        foreach (string file in files)
        {
            if (!File.Exists(file))
                throw new FileNotFoundException($"The CIFAR file '{file}' is not there. Give the folder of the unpacked binary version.", file);
            long length = new FileInfo(file).Length;
            if (length == 0 || length % (Pixels + labelBytes) != 0)
                throw new FormatException($"The CIFAR file '{file}' has {length} bytes; expected a multiple of {Pixels + labelBytes} (label and 3 "
                    + $"× 32 × 32 pixels). It is truncated, or not the binary version.");
            rows += length / (Pixels + labelBytes);
        }
        return rows;
    }

    public int Read(Span<byte> pixels)
    {
        Span<byte> labels = stackalloc byte[2];
        while (_stream == null || _stream.Position >= _stream.Length)
        {
            _stream?.Dispose();
            _stream = new FileStream(_files[_next++], FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        }
        try
        {
            _stream.ReadExactly(labels[.._labelBytes]);
            _stream.ReadExactly(pixels);
        }
        catch (EndOfStreamException failure)
        {
            throw new FormatException($"The CIFAR file '{_files[_next - 1]}' ends early.", failure);
        }
        int label = labels[_labelBytes - 1];
        return label < _classes ? label : throw new FormatException(
            $"The CIFAR file '{_files[_next - 1]}' has a label {label}; there are {_classes} classes. It is damaged, or of the other CIFAR.");
    }

    public void Dispose() => _stream?.Dispose();
}
