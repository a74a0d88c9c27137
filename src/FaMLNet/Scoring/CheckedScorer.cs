using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>
/// ML.NET's scorer of a transformer, after a look at the feature column that it is given. Models that gain from it score whole views in batches,
/// single rows (a <c>PredictionEngine</c>'s) as before.
/// </summary>
internal sealed class CheckedScorer : RowToRowScorerBase
{
    private readonly RowToRowScorerBase _rows;
    private readonly IBatchedModel? _model;
    private readonly OutputColumns _outputs;
    private readonly ScoredColumns _check;

    /// <param name="host">The transformer's.</param>
    /// <param name="rows">ML.NET's own, which scores row by row: schema and annotations are its.</param>
    /// <param name="mapper">The model's.</param>
    /// <param name="model">Scores batches; null if it cannot.</param>
    /// <param name="outputs">How each column follows from a row's scores.</param>
    /// <param name="check">Looks at what is to be scored.</param>
    public CheckedScorer(IHost host, RowToRowScorerBase rows, ISchemaBindableMapper mapper, IBatchedModel? model, OutputColumns outputs,
        ScoredColumns check)
        : base(host, rows.Source, nameof(CheckedScorer), mapper)
    {
        _rows = rows;
        _model = model;
        _outputs = outputs;
        _check = check;
    }

    public override DataViewSchema OutputSchema => _rows.OutputSchema;

    /// <inheritdoc/>
    protected override IDataTransform ApplyToDataCore(IHostEnvironment env, IDataView newSource)
    {
        _check.Look(newSource.Schema);
        // ML.NET asks for a row mapper, and for a schema, by an empty view.
        IDataTransform rows = ((ITransformTemplate)_rows).ApplyToData(env, newSource);
        return newSource is EmptyDataView || _model is not { GainsFromBatches: true } model ? rows
            : new BatchedView(Host, rows, model, _outputs, _check.Name);
    }

    // ML.NET applies a transformer's scorer to data; the scorer itself is never read.
    protected override BindingsBase GetBindings() => throw Unused();

    protected override bool WantParallelCursors(Func<int, bool> predicate) => throw Unused();

    protected override Delegate[] GetGetters(DataViewRow output, Func<int, bool> predicate) => throw Unused();

    protected override void SaveCore(ModelSaveContext ctx) => throw Unused();

    private static NotSupportedException Unused() => new("The scorer of a transformer is applied to data, not read.");
}
