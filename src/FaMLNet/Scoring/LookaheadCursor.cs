using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Scoring;

/// <summary>
/// Reads rows ahead into buffers, hands them on one by one, and scores a buffer full of them at once when the first score is asked for.
/// </summary>
internal sealed class LookaheadCursor : DataViewRowCursor
{
    private readonly DataViewRowCursor _source;
    private readonly Dictionary<int, ColumnBuffer> _columns = [];
    private readonly ValueGetter<DataViewRowId> _getId;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _batches;
    private readonly ValueGetter<VBuffer<float>>? _getFeatures;
    private readonly float[] _features = [], _scores = [];
    private readonly IBatchedModel _model;
    private readonly IScoringSession? _session;
    private readonly IDisposable? _lease;
    private readonly int _inputs, _outputs;
    private VBuffer<float> _row;
    private long _position = -1;
    private int _count, _index, _scored;
    private bool _ended;

    /// <param name="source">Read ahead; owned.</param>
    /// <param name="columns">The columns to hand on.</param>
    /// <param name="features">The features to score; null if no score is wanted.</param>
    /// <param name="model">Scores.</param>
    /// <param name="capacity">Rows a buffer.</param>
    public LookaheadCursor(DataViewRowCursor source, IEnumerable<DataViewSchema.Column> columns, DataViewSchema.Column? features, IBatchedModel model,
        int capacity)
    {
        _source = source;
        _model = model;
        foreach (DataViewSchema.Column column in columns)
            _columns[column.Index] = ColumnBuffer.Create(source, column, capacity);
        _getId = source.GetIdGetter();
        _ids = new DataViewRowId[capacity];
        _batches = new long[capacity];
        if (features is not { } scored)
            return;
        _getFeatures = source.GetGetter<VBuffer<float>>(scored);
        (_inputs, _outputs) = (model.NumberOfFeatures, model.NumberOfScores);
        _features = new float[capacity * _inputs];
        _scores = new float[capacity * _outputs];
        _session = model.OpenSession();
        _lease = model.Lease();
    }

    public override DataViewSchema Schema => _source.Schema;

    public override long Position => _position;

    public override long Batch => _batches[_index];

    public override bool MoveNext()
    {
        if (_ended && _index + 1 >= _count)
        {
            _position = -1;
            return false;
        }
        if (++_index >= _count && !Fill())
        {
            _position = -1;
            return false;
        }
        _position++;
        return true;
    }

    /// <summary>The scores of the present row.</summary>
    public ReadOnlySpan<float> Scores()
    {
        if (_scored == 0)
        {
            Span<float> scores = _scores.AsSpan(0, _count * _outputs);
            _session!.ComputeLogits(_features.AsSpan(0, _count * _inputs), _count, scores);
            _model.ToScores(scores, _count);
            _scored = _count;
        }
        return _scores.AsSpan(_index * _outputs, _outputs);
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => _columns.ContainsKey(column.Index);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
        _columns[column.Index] is ColumnBuffer<TValue> buffer ? (ref TValue value) => buffer.Get(_index, ref value)
        : throw new InvalidOperationException($"Column '{column.Name}' is of type {column.Type}; it was asked for as {typeof(TValue)}.");

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _ids[_index];

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _source.Dispose();
            _lease?.Dispose();
        }
        base.Dispose(disposing);
    }

    private bool Fill()
    {
        (_count, _index, _scored) = (0, 0, 0);
        while (_count < _ids.Length && !_ended)
        {
            if (!_source.MoveNext())
            {
                _ended = true;
                break;
            }
            foreach (ColumnBuffer column in _columns.Values)
                column.Take(_count);
            _getId(ref _ids[_count]);
            _batches[_count] = _source.Batch;
            if (_getFeatures != null)
            {
                _getFeatures(ref _row);
                if (_row.Length != _inputs)
                    throw new InvalidOperationException(
                        $"The model was trained on {_inputs} features; the row has {_row.Length}. Give it the columns that it was trained on.");
                _row.CopyTo(_features.AsSpan(_count * _inputs, _inputs));
            }
            _count++;
        }
        return _count > 0;
    }

    private abstract class ColumnBuffer
    {
        public static ColumnBuffer Create(DataViewRowCursor source, DataViewSchema.Column column, int capacity) =>
            (ColumnBuffer)typeof(ColumnBuffer).GetMethod(nameof(Make),
                BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(column.Type.RawType)
                .Invoke(null, BindingFlags.DoNotWrapExceptions, null, [source, column, capacity], null)!;

        public abstract void Take(int index);

        private static ColumnBuffer<TValue> Make<TValue>(DataViewRowCursor source, DataViewSchema.Column column, int capacity) =>
            new(source.GetGetter<TValue>(column), capacity);
    }

    private sealed class ColumnBuffer<TValue>(ValueGetter<TValue> getter, int capacity) : ColumnBuffer
    {
        private readonly TValue[] _values = new TValue[capacity];

        // Each place keeps its own vector's memory; a caller gets a copy, for it may write into what it is given.
        private readonly ValueMapper<TValue, TValue> _copy = Conversions.CopyOf<TValue>();

        public override void Take(int index) => getter(ref _values[index]);

        public void Get(int index, ref TValue value) => _copy(in _values[index], ref value);
    }

    private static class Conversions
    {
        public static ValueMapper<TValue, TValue> CopyOf<TValue>()
        {
            if (!typeof(TValue).IsGenericType || typeof(TValue).GetGenericTypeDefinition() != typeof(VBuffer<>))
                return (in TValue source, ref TValue destination) => destination = source;
            return typeof(Conversions).GetMethod(nameof(CopyVector), BindingFlags.Static | BindingFlags.NonPublic)!
                .MakeGenericMethod(typeof(TValue).GetGenericArguments()).CreateDelegate<ValueMapper<TValue, TValue>>();
        }

        private static void CopyVector<TItem>(in VBuffer<TItem> source, ref VBuffer<TItem> destination) => source.CopyTo(ref destination);
    }
}
