using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;

namespace FaMLNet.Reporting.TensorBoard;

/// <summary>
/// A file of records as TensorFlow frames them: length (8 bytes, little endian), masked CRC-32C of the length, the message, masked CRC-32C of
/// the message. Each record is flushed, so that a killed process leaves a readable file.
/// </summary>
internal sealed class EventFile : IDisposable
{
    private static int _files;
    private readonly FileStream _file;

    /// <param name="folder">Where it shall lie; TensorBoard takes each folder for a run.</param>
    public EventFile(string folder)
    {
        // The name must contain "tfevents" and sort by time. A second file of this process in the same second has another number.
        string name = string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{DateTimeOffset.UtcNow.ToUnixTimeSeconds():D10}.famlnet."
            + $"{Environment.ProcessId}.{Interlocked.Increment(ref _files):D4}");
        Path = System.IO.Path.Combine(folder, name);
        _file = new FileStream(Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        Write(new Event { WallTime = Now, FileVersion = "brain.Event:2" });
    }

    public string Path { get; }

    /// <summary>Seconds since 1970.</summary>
    public static double Now => (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds;

    public void Write(Event message)
    {
        byte[] data = message.ToByteArray(), record = new byte[data.Length + 16];
        BinaryPrimitives.WriteInt64LittleEndian(record, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        data.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), MaskedCrc(data));
        long end = _file.Position;
        try
        {
            _file.Write(record);
            _file.Flush();
        }
        catch (IOException)
        {
            // Half a record would make the rest of the file unreadable.
            _file.SetLength(end);
            _file.Position = end;
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The messages of a file, as far as they are whole: a process that was killed may have left half a record.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FormatException">A record's checksum is wrong.</exception>
    public static IEnumerable<Event> Read(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] head = new byte[12];
        for (int number = 1; file.ReadAtLeast(head, 12, throwOnEndOfStream: false) == 12; number++)
        {
            long length = BinaryPrimitives.ReadInt64LittleEndian(head);
            if (MaskedCrc(head.AsSpan(0, 8)) != BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(8)))
                throw Damaged(path, number);
            if (length + 4 > file.Length - file.Position)
                yield break; // half a record, or a claim of more than there is
            byte[] data = new byte[length + 4];
            file.ReadExactly(data);
            if (MaskedCrc(data.AsSpan(0, (int)length)) != BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan((int)length)))
                throw Damaged(path, number);
            yield return Event.Parser.ParseFrom(data, 0, (int)length);
        }
    }

    /// <summary>CRC-32C (Castagnoli), rotated and shifted by a constant: a checksum of data that holds checksums would be weak.</summary>
    private static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);
        crc = ~crc;
        return BitOperations.RotateRight(crc, 15) + 0xa282ead8;
    }

    private static FormatException Damaged(string path, int number) =>
        new($"'{path}', record {number}: the checksum is wrong. The file is damaged or no event file of TensorBoard.");
}
