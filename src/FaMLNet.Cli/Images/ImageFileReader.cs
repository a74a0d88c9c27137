using FaMLNet.Data;

namespace FaMLNet.Cli.Images;

/// <summary>Image files in order, decoded ahead of the reader by threads of the pool: some blocks are always on their way.</summary>
internal sealed class ImageFileReader : IImageReader
{
    private const int BlockLength = 32;

    private readonly IImageFiles _files;
    private readonly string _path;
    private readonly (string File, int Class)[] _rows;
    private readonly int _size, _length;
    private readonly Queue<Task<byte[]>> _ahead = new();
    private readonly CancellationTokenSource _stop = new();
    private byte[] _block = [];
    private int _next, _asked;

    public ImageFileReader(IImageFiles files, string path, (string File, int Class)[] rows, int size)
    {
        (_files, _path, _rows, _size) = (files, path, rows, size);
        _length = 3 * size * size;
    }

    public int Read(Span<byte> pixels)
    {
        int within = _next % BlockLength;
        if (within == 0)
        {
            while (_asked < _rows.Length && _ahead.Count <= 2 * Environment.ProcessorCount)
            {
                int start = _asked;
                _ahead.Enqueue(Task.Run(() => Decode(start)));
                _asked += BlockLength;
            }
            _block = _ahead.Dequeue().GetAwaiter().GetResult();
        }
        _block.AsSpan(within * _length, _length).CopyTo(pixels);
        return _rows[_next++].Class;
    }

    public void Dispose()
    {
        _stop.Cancel();
        // What is on its way still reads the files.
        foreach (Task task in _ahead)
        {
            try
            {
                task.Wait();
            }
            catch (AggregateException)
            {
                // Nobody reads that image any more: its error is nobody's.
            }
        }
        _files.Dispose();
        _stop.Dispose();
    }

    private byte[] Decode(int start)
    {
        int count = Math.Min(BlockLength, _rows.Length - start);
        byte[] block = new byte[count * _length];
        for (int i = 0; i < count; i++)
        {
            _stop.Token.ThrowIfCancellationRequested();
            string file = _rows[start + i].File;
            ImageDecoder.Decode(_files.Read(file), _size, block.AsSpan(i * _length, _length), $"{_path}: {file}");
        }
        return block;
    }
}
