using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>
/// A scored view that reads a few hundred rows ahead and scores them in one forward pass. Schema and annotations are those of ML.NET's own
/// scorer; rows come in the source's order, with all other columns as the source has them.
/// </summary>
internal sealed class BatchedView : IDataTransform
{
    private const int MostRows = 200, LeastRows = 16, MostFeatures = 1 << 20;

    private readonly IHost _host;
    private readonly IDataTransform _rows;
    private readonly IBatchedModel _model;
    private readonly OutputColumns _outputs;
    private readonly DataViewSchema.Column _features;

    /// <param name="host">For errors.</param>
    /// <param name="rows">The same view scored row by row: the schema is its.</param>
    /// <param name="model">Scores.</param>
    /// <param name="outputs">How each column that is added follows from a row's scores.</param>
    /// <param name="features">The feature column's name.</param>
    public BatchedView(IHost host, IDataTransform rows, IBatchedModel model, OutputColumns outputs, string features)
    {
        _host = host;
        _rows = rows;
        _model = model;
        Source = rows.Source;
        _features = Source.Schema[features];
        _outputs = outputs;
    }

    public IDataView Source { get; }

    public DataViewSchema Schema => _rows.Schema;

    /// <summary>Rows a forward pass: enough to hide its overhead, fewer where images are large.</summary>
    private int Capacity => Math.Clamp(MostFeatures / _model.NumberOfFeatures, LeastRows, MostRows);

    public bool CanShuffle => Source.CanShuffle;

    public long? GetRowCount() => Source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = new bool[Schema.Count];
        foreach (DataViewSchema.Column column in columnsNeeded)
            active[column.Index] = true;
        // The source's columns come first, then those of the scorer.
        bool scores = active.AsSpan(Source.Schema.Count).Contains(true);
        IEnumerable<DataViewSchema.Column> needed =
            Source.Schema.Where(column => active[column.Index] || (scores && column.Index == _features.Index));
        DataViewRowCursor source = Source.GetRowCursor(needed, rand);
        return new Cursor(this, new LookaheadCursor(source, Source.Schema.Where(column => active[column.Index]), scores ? _features : null, _model,
            Capacity), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    void ICanSaveModel.Save(ModelSaveContext ctx) => ((ICanSaveModel)_rows).Save(ctx);

    private sealed class Cursor(BatchedView view, LookaheadCursor input, bool[] active) : DataViewRowCursor
    {
        public override DataViewSchema Schema => view.Schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override bool MoveNext() => input.MoveNext();

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            view._host.Check(IsColumnActive(column), $"Column '{column.Name}' was not asked for when the cursor was made.");
            if (column.Index < view.Source.Schema.Count)
                return input.GetGetter<TValue>(view.Source.Schema[column.Index]);
            Delegate getter = view._outputs(column.Name, input.Scores);
            return getter as ValueGetter<TValue> ?? throw view._host.Except(
                $"Column '{column.Name}' is of type {column.Type}; it was asked for as {typeof(TValue)}.");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
