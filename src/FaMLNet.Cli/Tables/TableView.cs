using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Tables;

/// <summary>A column of a view of a table.</summary>
/// <param name="Name">Its name in the view.</param>
/// <param name="Source">Its place in the file; −1 for a column that the file lacks, all of whose values are missing.</param>
/// <param name="IsNumber">Whether it is read as numbers, else as text.</param>
/// <param name="IsSingle">Whether numbers are of single precision, as labels must be; else of double.</param>
/// <param name="IsRaw">Whether texts stay as they are; else what stands for a missing value becomes an empty text.</param>
/// <param name="Values">The texts that it may have; null for any. Rows where it is missing are left out.</param>
internal sealed record ViewColumn(string Name, int Source, bool IsNumber, bool IsRaw = false, IReadOnlyList<string>? Values = null,
    bool IsSingle = false)
{
    /// <summary>The type of the view's column.</summary>
    public DataViewType Type => !IsNumber ? TextDataViewType.Instance : IsSingle ? NumberDataViewType.Single : NumberDataViewType.Double;
}

/// <summary>A file as ML.NET reads data: lazily, every cursor for itself.</summary>
internal sealed class TableView : IDataView
{
    private readonly TableFile _file;
    private readonly IReadOnlyList<ViewColumn> _columns;

    public TableView(TableFile file, IReadOnlyList<ViewColumn> columns)
    {
        _file = file;
        _columns = columns;
        DataViewSchema.Builder schema = new();
        foreach (ViewColumn column in columns)
            schema.AddColumn(column.Name, column.Type);
        Schema = schema.ToSchema();
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, columnsNeeded);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly TableView _view;
        private readonly bool[] _active;
        private readonly TableReader _reader;
        private long _position = -1;
        private bool _ended;

        public Cursor(TableView view, IEnumerable<DataViewSchema.Column> columnsNeeded)
        {
            _view = view;
            _active = new bool[view.Schema.Count];
            foreach (DataViewSchema.Column column in columnsNeeded)
                _active[column.Index] = true;
            _reader = view._file.Read();
        }

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => _view.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

        public override bool MoveNext()
        {
            do
            {
                if (_ended || !_reader.Read())
                {
                    _ended = true;
                    return false;
                }
            }
            while (IsLeftOut());
            _position++;
            return true;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            ViewColumn wanted = _view._columns[column.Index];
            Delegate getter = !wanted.IsNumber ? (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = Text(wanted).AsMemory())
                : wanted.IsSingle ? (ValueGetter<float>)((ref float value) => value = (float)Number(wanted))
                : (ValueGetter<double>)((ref double value) => value = Number(wanted));
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException(
                $"Column '{column.Name}' is of type {column.Type}; it was asked for as {typeof(TValue)}.");
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _reader.Dispose();
            base.Dispose(disposing);
        }

        /// <summary>Whether the row lacks a value of a column that has few.</summary>
        private bool IsLeftOut()
        {
            foreach (ViewColumn column in _view._columns)
            {
                if (column.Values is not { } values)
                    continue;
                string text = Text(column);
                if (text.Length == 0)
                    return true;
                if (!values.Contains(text))
                    throw new FormatException($"'{_view._file.Path}', row {_reader.Row}, column '{column.Name}': {string.Join(" or ", values)} is "
                        + $"expected, found '{text}'. Mend the value, or leave it empty if it is not known.");
            }
            return false;
        }

        private string Text(ViewColumn column)
        {
            string text = column.Source < 0 ? "" : _reader.Text(column.Source);
            return !column.IsRaw && TableFile.IsMissing(text) ? "" : text;
        }

        private double Number(ViewColumn column)
        {
            string text = column.Source < 0 ? "" : _reader.Text(column.Source);
            return _view._file.TryParse(text, out double value) ? value
                : throw new FormatException($"'{_view._file.Path}', row {_reader.Row}, column '{column.Name}': a number is expected, found "
                    + $"'{text}'. Mend the value, or leave it empty if it is not known.");
        }
    }
}
