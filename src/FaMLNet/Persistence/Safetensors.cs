using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace FaMLNet.Persistence;

/// <summary>
/// Arrays of 32-bit floats in the safetensors format (https://github.com/huggingface/safetensors): 8 bytes of header length, a JSON header,
/// the data in the header's order. Reading trusts nothing: names, types, shapes and offsets must be the expected ones, values finite, and
/// no more memory is taken than the file has bytes.
/// </summary>
internal static class Safetensors
{
    private const int MaximumHeader = 1 << 24;

    public static void Write(Stream stream, IReadOnlyList<(string Name, ParameterTensor Tensor)> tensors)
    {
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            long offset = 0;
            foreach ((string name, ParameterTensor tensor) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                foreach (int size in tensor.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += 4L * tensor.Values.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // Spaces up to a multiple of 8, as the format recommends, so that the data is aligned.
        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        header.WriteTo(stream);
        foreach ((_, ParameterTensor tensor) in tensors)
            WriteLittleEndian(stream, tensor.Values.Span);
    }

    /// <summary>Reads exactly the arrays <paramref name="expected"/>, in any order.</summary>
    /// <exception cref="FormatException">The stream holds anything else.</exception>
    public static IReadOnlyDictionary<string, ParameterTensor> Read(Stream stream, IReadOnlyList<(string Name, IReadOnlyList<int> Shape)> expected)
    {
        Dictionary<string, Entry> entries = ReadHeader(stream);
        if (entries.Count != expected.Count)
            throw Damaged($"it has {entries.Count} arrays; the network needs {expected.Count}");

        Dictionary<string, ParameterTensor> tensors = [];
        Dictionary<string, IReadOnlyList<int>> shapes = expected.ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        long position = 0;
        foreach ((string name, Entry entry) in entries.OrderBy(pair => pair.Value.Begin).ThenBy(pair => pair.Value.End))
        {
            if (!shapes.TryGetValue(name, out IReadOnlyList<int>? shape))
                throw Damaged($"it has an array '{name}' that the network does not");
            if (!shape.Select(size => (long)size).SequenceEqual(entry.Shape))
                throw Damaged($"array '{name}' has the shape {string.Join(" × ", entry.Shape)}; the network needs {string.Join(" × ", shape)}");
            long elements = shape.Aggregate(1L, (product, size) => product * size);
            if (entry.Begin != position || entry.End - entry.Begin != 4 * elements)
                throw Damaged($"array '{name}' lies at {entry.Begin} to {entry.End}; expected {position} to {position + 4 * elements}");
            position = entry.End;
            tensors[name] = new ParameterTensor([.. shape], ReadValues(stream, name, elements));
        }
        if (stream.ReadByte() >= 0)
            throw Damaged("there is more data than its header says");
        return tensors;
    }

    /// <summary>Reads arrays of one dimension each, whatever their names and lengths.</summary>
    /// <exception cref="FormatException">The stream holds anything else.</exception>
    public static IReadOnlyDictionary<string, float[]> ReadVectors(Stream stream)
    {
        Dictionary<string, float[]> vectors = [];
        long position = 0;
        foreach ((string name, Entry entry) in ReadHeader(stream).OrderBy(pair => pair.Value.Begin).ThenBy(pair => pair.Value.End))
        {
            if (entry.Shape is not [>= 0 and <= int.MaxValue] || entry.Begin != position || entry.End - entry.Begin != 4 * entry.Shape[0])
                throw Damaged($"array '{name}' of shape {string.Join(" × ", entry.Shape)} lies at {entry.Begin} to {entry.End}");
            position = entry.End;
            vectors[name] = ReadValues(stream, name, entry.Shape[0]);
        }
        return stream.ReadByte() < 0 ? vectors : throw Damaged("there is more data than its header says");
    }

    private static Dictionary<string, Entry> ReadHeader(Stream stream)
    {
        Span<byte> lengthBytes = stackalloc byte[8];
        ReadExactly(stream, lengthBytes);
        long length = BinaryPrimitives.ReadInt64LittleEndian(lengthBytes);
        if (length is < 2 or > MaximumHeader)
            throw Damaged($"its header claims {length} bytes; expected 2 to {MaximumHeader}");
        byte[] header = new byte[length];
        ReadExactly(stream, header);
        return ParseHeader(header);
    }

    private static Dictionary<string, Entry> ParseHeader(byte[] header)
    {
        Dictionary<string, Entry> entries = [];
        try
        {
            using JsonDocument json = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 8 });
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__")
                    continue;
                JsonElement dtype = property.Value.GetProperty("dtype");
                if (dtype.GetString() != "F32")
                    throw Damaged($"array '{property.Name}' is of type {dtype.GetString()}; expected F32");
                JsonElement offsets = property.Value.GetProperty("data_offsets");
                if (offsets.GetArrayLength() != 2)
                    throw Damaged($"array '{property.Name}' has {offsets.GetArrayLength()} offsets; expected 2");
                long[] shape = [.. property.Value.GetProperty("shape").EnumerateArray().Select(Integer)];
                if (!entries.TryAdd(property.Name, new Entry(shape, Integer(offsets[0]), Integer(offsets[1]))))
                    throw Damaged($"array '{property.Name}' is there twice");
            }
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw Damaged($"its header is not a safetensors header ({failure.Message})");
        }
        return entries;
    }

    private static long Integer(JsonElement element) =>
        element.TryGetInt64(out long value) ? value : throw new JsonException($"{element} is not a whole number");

    /// <summary>In pieces: a file that claims more than it holds must not make us allocate what it claims.</summary>
    private static float[] ReadValues(Stream stream, string name, long elements)
    {
        const int Piece = 1 << 18;
        float[] values = new float[(int)Math.Min(elements, Piece)];
        int filled = 0;
        while (true)
        {
            Span<float> part = values.AsSpan(filled);
            ReadExactly(stream, MemoryMarshal.AsBytes(part));
            filled = values.Length;
            if (filled == elements)
                break;
            Array.Resize(ref values, (int)Math.Min(elements, 2L * filled));
        }
        if (!BitConverter.IsLittleEndian)
        {
            Span<int> bits = MemoryMarshal.Cast<float, int>(values.AsSpan());
            BinaryPrimitives.ReverseEndianness(bits, bits);
        }
        // Not a number if any is, else infinite if any is.
        if (values.Length > 0 && !float.IsFinite(TensorPrimitives.MaxMagnitude<float>(values)))
            throw Damaged(InvariantText.Of(
                $"array '{name}' holds {Array.Find(values, value => !float.IsFinite(value))}; weights must be finite"));
        return values;
    }

    private static void WriteLittleEndian(Stream stream, ReadOnlySpan<float> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            stream.Write(MemoryMarshal.AsBytes(values));
            return;
        }
        Span<byte> bytes = stackalloc byte[4];
        foreach (float value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            stream.Write(bytes);
        }
    }

    private static void ReadExactly(Stream stream, Span<byte> bytes)
    {
        try
        {
            stream.ReadExactly(bytes);
        }
        catch (EndOfStreamException)
        {
            throw Damaged("it ends early");
        }
    }

    private static FormatException Damaged(string reason) =>
        new($"The model's weights (safetensors) cannot be read: {reason}. The file is damaged; save the model again.");

    private readonly record struct Entry(long[] Shape, long Begin, long End);
}
