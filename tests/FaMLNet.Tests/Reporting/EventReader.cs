using System.Buffers.Binary;
using System.Text;

namespace FaMLNet.Tests.Reporting;

/// <summary>
/// Reads event files from the description of the formats alone: TensorFlow's framing, CRC-32C by polynomial division, protocol buffers by wire type.
/// Shares nothing with the writer, not even the library.
/// </summary>
internal static class EventReader
{
    /// <summary>A message: field number and value (varint, 8 or 4 bytes as they are, or bytes).</summary>
    public static List<(int Field, object Value)> Message(ReadOnlySpan<byte> bytes)
    {
        List<(int, object)> fields = [];
        int at = 0;
        while (at < bytes.Length)
        {
            ulong key = Varint(bytes, ref at);
            switch (key & 7)
            {
                case 0:
                    fields.Add(((int)(key >> 3), Varint(bytes, ref at)));
                    break;
                case 1:
                    fields.Add(((int)(key >> 3), BinaryPrimitives.ReadDoubleLittleEndian(bytes[at..])));
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint(bytes, ref at);
                    fields.Add(((int)(key >> 3), bytes.Slice(at, length).ToArray()));
                    at += length;
                    break;
                case 5:
                    fields.Add(((int)(key >> 3), BinaryPrimitives.ReadSingleLittleEndian(bytes[at..])));
                    at += 4;
                    break;
                default:
                    throw new FormatException($"wire type {key & 7}");
            }
        }
        return fields;
    }

    public static IEnumerable<byte[]> Records(byte[] file)
    {
        int at = 0;
        while (at < file.Length)
        {
            int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at)));
            if (Masked(file.AsSpan(at, 8)) != BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)))
                throw new FormatException("checksum of a length");
            byte[] data = file[(at + 12)..(at + 12 + length)];
            if (Masked(data) != BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)))
                throw new FormatException("checksum of a record");
            yield return data;
            at += 16 + length;
        }
    }

    public static T One<T>(List<(int Field, object Value)> message, int field) => (T)message.Single(pair => pair.Field == field).Value;

    public static string Text(List<(int Field, object Value)> message, int field) => Encoding.UTF8.GetString(One<byte[]>(message, field));

    public static double[] Doubles(byte[] packed) =>
        [.. Enumerable.Range(0, packed.Length / 8).Select(i => BinaryPrimitives.ReadDoubleLittleEndian(packed.AsSpan(8 * i)))];

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 127) << shift;
            if (next < 128)
                return value;
        }
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        crc ^= 0xFFFFFFFF;
        return ((crc >> 15) | (crc << 17)) + 0xA282EAD8;
    }
}
