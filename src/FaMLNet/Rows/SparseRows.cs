using Microsoft.ML.Data;

namespace FaMLNet.Rows;

/// <summary>
/// Rows as the values that are not 0, in blocks, so that data of unknown length grows without being copied: 8 bytes a value and 12 a row.
/// </summary>
internal sealed class SparseRows
{
    private const int BlockElements = 1 << 18;

    private readonly List<Block> _blocks = [];
    private readonly List<Place> _places = [];
    private int _block = -1;

    public int Count => _places.Count;

    /// <summary>Values of all rows.</summary>
    public long Values { get; private set; }

    public long Bytes => 8 * Values + 12L * Count;

    /// <summary>A row's features that are not 0, in rising order, and their values.</summary>
    public SparseRow this[int row]
    {
        get
        {
            Place place = _places[row];
            Block block = _blocks[place.Block];
            return new SparseRow(block.Indices.AsSpan(place.Start, place.Length), block.Values.AsSpan(place.Start, place.Length));
        }
    }

    /// <summary>Adds a row; values of 0 are left out.</summary>
    /// <param name="indices">In rising order; empty if all features are there.</param>
    /// <param name="values">One an index.</param>
    public void Add(ReadOnlySpan<int> indices, ReadOnlySpan<float> values)
    {
        int length = CountValues(values);
        Block block = RoomFor(length);
        CopyValues(indices, values, block.Indices.AsSpan(block.Used), block.Values.AsSpan(block.Used));
        _places.Add(new Place(_block, block.Used, length));
        block.Used += length;
        Values += length;
    }

    /// <summary>How many values are not 0.</summary>
    public static int CountValues(ReadOnlySpan<float> values)
    {
        int count = 0;
        foreach (float value in values)
            count += value != 0 ? 1 : 0;
        return count;
    }

    /// <summary>Copies the values that are not 0, and their indices.</summary>
    /// <param name="indices">In rising order; empty if all features are there.</param>
    /// <param name="values">One an index.</param>
    /// <param name="keptIndices">Receives as many as <see cref="CountValues"/> says.</param>
    /// <param name="keptValues">The same.</param>
    public static void CopyValues(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, Span<int> keptIndices, Span<float> keptValues)
    {
        int place = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] != 0)
                (keptIndices[place], keptValues[place++]) = (indices.IsEmpty ? i : indices[i], values[i]);
        }
    }

    /// <summary>Adds a row; values of 0 are left out.</summary>
    public void Add(in VBuffer<float> row) => Add(IndicesOf(row), row.GetValues());

    /// <summary>The indices of a vector; empty if all features are there.</summary>
    public static ReadOnlySpan<int> IndicesOf(in VBuffer<float> row) => row.IsDense ? [] : row.GetIndices();

    /// <summary>Forgets all rows, keeping the memory for others.</summary>
    public void Clear()
    {
        foreach (Block block in _blocks)
            block.Used = 0;
        _block = _blocks.Count == 0 ? -1 : 0;
        _places.Clear();
        Values = 0;
    }

    /// <summary>The present block, or the next one with room; a row lies within one.</summary>
    private Block RoomFor(int length)
    {
        while (_block < 0 || _blocks[_block].Indices.Length - _blocks[_block].Used < length)
        {
            _block++;
            if (_block == _blocks.Count)
                _blocks.Add(new Block(Math.Max(length, BlockElements)));
        }
        return _blocks[_block];
    }

    private readonly record struct Place(int Block, int Start, int Length);

    private sealed class Block(int length)
    {
        public readonly int[] Indices = GC.AllocateUninitializedArray<int>(length);

        public readonly float[] Values = GC.AllocateUninitializedArray<float>(length);

        public int Used;
    }
}

/// <summary>A row's features that are not 0, in rising order, and their values.</summary>
internal readonly ref struct SparseRow(ReadOnlySpan<int> indices, ReadOnlySpan<float> values)
{
    public ReadOnlySpan<int> Indices { get; } = indices;

    public ReadOnlySpan<float> Values { get; } = values;

    /// <summary>Writes the row with its zeros.</summary>
    public void CopyTo(Span<float> row)
    {
        row.Clear();
        for (int i = 0; i < Indices.Length; i++)
            row[Indices[i]] = Values[i];
    }
}

/// <summary>What a network's first layer needs to know of sparse rows.</summary>
/// <param name="ValuesPerRow">Values that are not 0, on average over the training rows.</param>
/// <param name="Rows">In how many of the training rows each feature is not 0.</param>
internal sealed record SparseFeatures(double ValuesPerRow, int[] Rows)
{
    public static SparseFeatures Of(TrainingData data, ReadOnlySpan<int> rows)
    {
        int[] counts = new int[data.Features];
        long values = 0;
        foreach (int row in rows)
        {
            ReadOnlySpan<int> indices = data.Sparse(row).Indices;
            values += indices.Length;
            foreach (int feature in indices)
                counts[feature]++;
        }
        return new SparseFeatures((double)values / Math.Max(1, rows.Length), counts);
    }
}
