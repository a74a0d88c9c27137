using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Robustness;

/// <summary>The first rows of a view with one column replaced, what was there beside it, and whether the model was fooled.</summary>
internal sealed class AdversarialView : IDataView
{
    /// <summary>The name of the column that says whether the model was fooled.</summary>
    public const string Fooled = "Fooled";

    /// <summary>The name of the column with the features as they were.</summary>
    public static string CleanName(string column) => $"Clean{column}";

    private readonly IDataView _source;
    private readonly DataViewSchema.Column _replaced;
    private readonly IReadOnlyList<float[]> _clean, _changed;
    private readonly IReadOnlyList<bool> _fooled;

    /// <param name="source">The view; its first rows are those of the lists.</param>
    /// <param name="column">The column to replace.</param>
    /// <param name="clean">What is there.</param>
    /// <param name="changed">What shall be there.</param>
    /// <param name="fooled">Whether that fools the model.</param>
    public AdversarialView(IDataView source, string column, IReadOnlyList<float[]> clean, IReadOnlyList<float[]> changed, IReadOnlyList<bool> fooled)
    {
        (_source, _replaced, _clean, _changed, _fooled) = (source, source.Schema[column], clean, changed, fooled);
        DataViewSchema.Builder builder = new();
        builder.AddColumns(source.Schema);
        builder.AddColumn(CleanName(column), _replaced.Type, _replaced.Annotations);
        builder.AddColumn(Fooled, BooleanDataViewType.Instance);
        Schema = builder.ToSchema();
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _clean.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        HashSet<int> active = [.. columnsNeeded.Select(column => column.Index)];
        return new Cursor(this, _source.GetRowCursor(_source.Schema.Where(column => active.Contains(column.Index)
            && column.Index != _replaced.Index)),
            active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(AdversarialView view, DataViewRowCursor input, HashSet<int> active) : DataViewRowCursor
    {
        private int _position = -1;

        public override long Position => _position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => view.Schema;

        public override bool MoveNext()
        {
            if (_position + 1 < view._clean.Count && input.MoveNext())
            {
                _position++;
                return true;
            }
            _position = -1;
            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            int added = column.Index - view._source.Schema.Count;
            Delegate getter = column.Index == view._replaced.Index ? Vectors(view._changed) : added == 0 ? Vectors(view._clean)
                : added == 1 ? (ValueGetter<bool>)((ref bool value) => value = view._fooled[_position])
                : input.GetGetter<TValue>(view._source.Schema[column.Index]);
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException(
                $"Column '{column.Name}' is of type {column.Type}; it was asked for as {typeof(TValue)}.");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }

        private ValueGetter<VBuffer<float>> Vectors(IReadOnlyList<float[]> rows) => (ref VBuffer<float> value) =>
        {
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, rows[_position].Length);
            rows[_position].CopyTo(editor.Values);
            value = editor.Commit();
        };
    }
}
