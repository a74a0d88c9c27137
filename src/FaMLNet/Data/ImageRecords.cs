using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Data;

/// <summary>Images with their labels, one after the other; one reader a cursor.</summary>
internal interface IImageReader : IDisposable
{
    /// <summary>Reads the next image's bytes and its class, from 0.</summary>
    /// <param name="pixels">Receives channels × height × width bytes.</param>
    public int Read(Span<byte> pixels);
}

/// <summary>
/// A lazy view of image files: <c>Features</c>, pixels in [0, 1], channel by channel, row by row, as a vector of dimensions channels × height ×
/// width; and <c>Label</c>, a key with the classes' names. Every cursor reads the files for itself, so that cursors do not disturb each other.
/// </summary>
internal sealed class ImageRecords : IDataView
{
    private readonly Func<IImageReader> _open;
    private readonly ImageShape _shape;
    private readonly long _rows;

    /// <param name="shape">The shape of every image.</param>
    /// <param name="labelNames">The classes' names.</param>
    /// <param name="rows">How many images there are.</param>
    /// <param name="open">Starts at the first image.</param>
    public ImageRecords(ImageShape shape, IReadOnlyList<string> labelNames, long rows, Func<IImageReader> open)
    {
        _open = open;
        _shape = shape;
        _rows = rows;
        DataViewSchema.Builder schema = new();
        schema.AddColumn("Features", new VectorDataViewType(NumberDataViewType.Single, shape.Channels, shape.Height, shape.Width));
        DataViewSchema.Annotations.Builder annotations = new();
        ReadOnlyMemory<char>[] names = [.. labelNames.Select(name => name.AsMemory())];
        annotations.AddKeyValues<ReadOnlyMemory<char>>(names.Length, TextDataViewType.Instance, (ref VBuffer<ReadOnlyMemory<char>> values) =>
            values = new VBuffer<ReadOnlyMemory<char>>(names.Length, names));
        schema.AddColumn("Label", new KeyDataViewType(typeof(uint), labelNames.Count), annotations.ToAnnotations());
        Schema = schema.ToSchema();
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _rows;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, columnsNeeded);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly ImageRecords _view;
        private readonly bool[] _active;
        private readonly byte[] _pixels;
        private IImageReader? _reader;
        private long _position = -1;
        private int _label;

        public Cursor(ImageRecords view, IEnumerable<DataViewSchema.Column> columnsNeeded)
        {
            _view = view;
            _active = new bool[view.Schema.Count];
            foreach (DataViewSchema.Column column in columnsNeeded)
                _active[column.Index] = true;
            _pixels = new byte[view._shape.Length];
        }

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => _view.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

        public override bool MoveNext()
        {
            if (_position == _view._rows)
                return false;
            if (++_position == _view._rows)
                return false;
            _reader ??= _view._open();
            _label = _reader.Read(_pixels);
            return true;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new ArgumentException($"Column '{column.Name}' was not asked for when the cursor was made.", nameof(column));
            Delegate getter = column.Name == "Label" ? (ValueGetter<uint>)GetLabel : (ValueGetter<VBuffer<float>>)GetFeatures;
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException(
                $"Column '{column.Name}' is of type {column.Type}; it was asked for as {typeof(TValue)}.");
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _reader?.Dispose();
            _reader = null;
            base.Dispose(disposing);
        }

        private void GetLabel(ref uint value) => value = (uint)_label + 1;

        private void GetFeatures(ref VBuffer<float> value)
        {
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, _pixels.Length);
            Rows.PixelCode.Decode(_pixels, Rows.PixelCode.Tables[0], editor.Values);
            value = editor.Commit();
        }
    }
}
