using System.Numerics.Tensors;

namespace FaMLNet.Rows;

/// <summary>Rows that wait in a stream to go out in random order, each in a slot.</summary>
internal abstract class RowPool
{
    private readonly int[] _labels;
    private readonly float[] _weights;
    private readonly int _labelWidth;

    protected RowPool(int slots, int labelWidth) =>
        (_labels, _weights, _labelWidth) = (new int[(long)slots * labelWidth], new float[slots], labelWidth);

    /// <summary>A pool for rows as they are kept.</summary>
    /// <param name="sparse">Whether rows are the values that are not 0.</param>
    /// <param name="slots">How many.</param>
    /// <param name="features">Features per row.</param>
    /// <param name="labelWidth">Values per label.</param>
    public static RowPool Create(bool sparse, int slots, int features, int labelWidth) =>
        sparse ? new SparsePool(slots, labelWidth) : new DensePool(slots, features, labelWidth);

    /// <summary>Puts the row at hand into a slot.</summary>
    public void Put(int slot, RowReader reader, float[]? means, ReadOnlySpan<int> label, float weight)
    {
        label.CopyTo(LabelOf(slot));
        _weights[slot] = weight;
        PutFeatures(slot, reader, means);
    }

    /// <summary>Hands the row of a slot on.</summary>
    public void AddTo(TrainingData block, int slot, bool weighted) => AddTo(block, slot, LabelOf(slot), weighted ? _weights[slot] : null);

    /// <summary>Puts a row into another slot, whose own is lost.</summary>
    public void Move(int from, int to)
    {
        LabelOf(from).CopyTo(LabelOf(to));
        _weights[to] = _weights[from];
        MoveFeatures(from, to);
    }

    protected abstract void PutFeatures(int slot, RowReader reader, float[]? means);

    protected abstract void AddTo(TrainingData block, int slot, ReadOnlySpan<int> label, float? weight);

    protected abstract void MoveFeatures(int from, int to);

    private Span<int> LabelOf(int slot) => _labels.AsSpan(slot * _labelWidth, _labelWidth);

    private sealed class DensePool(int slots, int features, int labelWidth) : RowPool(slots, labelWidth)
    {
        private readonly float[] _rows = new float[(long)slots * features];

        protected override void PutFeatures(int slot, RowReader reader, float[]? means)
        {
            Span<float> row = Row(slot);
            reader.Features.CopyTo(row);
            if (means != null)
                TensorPrimitives.Subtract(row, means, row);
        }

        protected override void AddTo(TrainingData block, int slot, ReadOnlySpan<int> label, float? weight)
        {
            Row(slot).CopyTo(block.Next());
            block.Commit(label, weight);
        }

        protected override void MoveFeatures(int from, int to) => Row(from).CopyTo(Row(to));

        private Span<float> Row(int slot) => _rows.AsSpan(slot * features, features);
    }

    private sealed class SparsePool(int slots, int labelWidth) : RowPool(slots, labelWidth)
    {
        private readonly int[][] _indices = NoneOf<int>(slots);
        private readonly float[][] _values = NoneOf<float>(slots);
        private readonly int[] _lengths = new int[slots];

        protected override void PutFeatures(int slot, RowReader reader, float[]? means)
        {
            ReadOnlySpan<float> values = reader.Features.GetValues();
            int length = _lengths[slot] = SparseRows.CountValues(values);
            if (_values[slot].Length < length)
                (_indices[slot], _values[slot]) = (new int[length], new float[length]);
            SparseRows.CopyValues(SparseRows.IndicesOf(reader.Features), values, _indices[slot], _values[slot]);
        }

        protected override void AddTo(TrainingData block, int slot, ReadOnlySpan<int> label, float? weight) =>
            block.Add(new SparseRow(_indices[slot].AsSpan(0, _lengths[slot]), _values[slot].AsSpan(0, _lengths[slot])), label, weight);

        protected override void MoveFeatures(int from, int to)
        {
            (_indices[from], _indices[to]) = (_indices[to], _indices[from]);
            (_values[from], _values[to]) = (_values[to], _values[from]);
            _lengths[to] = _lengths[from];
        }

        private static T[][] NoneOf<T>(int count)
        {
            T[][] none = new T[count][];
            Array.Fill(none, []);
            return none;
        }
    }
}
