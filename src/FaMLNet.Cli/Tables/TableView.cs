using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Tables;

/// <summary>A column of a view of a table.</summary>
/// <param name="Name">Its name in the view.</param>
/// <param name="Source">Its place in the file; −1 for a column that the file lacks, all of whose values are missing.</param>
/// <param name="Reading">How its texts become values.</param>
/// <param name="Values">The texts that it may have; null for any. Rows with another one, or none, are left out.</param>
internal sealed record ViewColumn(string Name, int Source, ColumnReading Reading, IReadOnlySet<string>? Values = null)
{
    /// <summary>The columns of numbers that this one is a vector of; null for a scalar.</summary>
    public IReadOnlyList<ViewColumn>? Parts { get; init; }
}

/// <summary>A file as ML.NET reads data: lazily, every cursor for itself.</summary>
internal sealed class TableView : IDataView
{
    private readonly TableFile _file;
    private readonly IReadOnlyList<ViewColumn> _columns;
    private readonly IReadOnlySet<long>? _leftOut;

    /// <param name="file">The file.</param>
    /// <param name="columns">The columns of the view.</param>
    /// <param name="leftOut">Rows that are no data; null for none.</param>
    public TableView(TableFile file, IReadOnlyList<ViewColumn> columns, IReadOnlySet<long>? leftOut = null)
    {
        _file = file;
        _columns = columns;
        _leftOut = leftOut;
        DataViewSchema.Builder schema = new();
        foreach (ViewColumn column in columns)
        {
            if (column.Parts != null)
                WideNumbers.AddTo(schema, column);
            else
                schema.AddColumn(column.Name, column.Reading.Type, column.Reading.IsRaw ? null : column.Reading.ToAnnotations());
        }
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
            _reader = view._file.Read(view._leftOut);
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
            Delegate getter = wanted.Parts is { } parts ? (ValueGetter<VBuffer<double>>)((ref VBuffer<double> value) => value = Numbers(parts, value))
                : !wanted.Reading.IsNumber ? (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = Text(wanted)
                .AsMemory())
                : wanted.Reading.IsSingle ? (ValueGetter<float>)((ref float value) => value = (float)Number(wanted))
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

        /// <summary>Whether the row has, in a column that may have few values, another one or none.</summary>
        private bool IsLeftOut()
        {
            foreach (ViewColumn column in _view._columns)
            {
                if (column.Values is { } values && !values.Contains(Text(column)))
                    return true;
            }
            return false;
        }

        private string Raw(ViewColumn column) => column.Source < 0 ? "" : _reader.Text(column.Source);

        private string Text(ViewColumn column) => column.Reading.ReadText(Raw(column));

        private VBuffer<double> Numbers(IReadOnlyList<ViewColumn> parts, VBuffer<double> value)
        {
            VBufferEditor<double> editor = VBufferEditor.Create(ref value, parts.Count);
            for (int i = 0; i < parts.Count; i++)
                editor.Values[i] = Number(parts[i]);
            return editor.Commit();
        }

        /// <summary>A number, or none: how many texts are none has been counted, and said, before.</summary>
        private double Number(ViewColumn column) => column.Reading.TryReadNumber(Raw(column), out double value) ? value : double.NaN;
    }
}
