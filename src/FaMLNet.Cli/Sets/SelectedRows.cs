using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Cli.Sets;

/// <summary>Some of a view's rows, in their order.</summary>
/// <param name="source">The view; every cursor must give the same rows in the same order.</param>
/// <param name="rows">The numbers of the rows, from 0, in rising order.</param>
internal sealed class SelectedRows(IDataView source, int[] rows) : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema => source.Schema;

    public long? GetRowCount() => rows.Length;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(source.GetRowCursor(columnsNeeded), rows);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewRowCursor input, int[] rows) : DataViewRowCursor
    {
        private int _next;
        private long _read = -1;

        public override long Position => _next - 1;

        public override long Batch => 0;

        public override DataViewSchema Schema => input.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

        public override bool MoveNext()
        {
            if (_next >= rows.Length)
                return false;
            for (; _read < rows[_next]; _read++)
            {
                if (!input.MoveNext())
                    return false;
            }
            _next++;
            return true;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
