using System.Reflection;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Interop;

/// <summary>
/// Takes the place of the scorer in ML.NET's transformer: whole views are scored in batches, single rows (a <c>PredictionEngine</c>'s) as before.
/// The transformer's class is sealed and its scorer can only be replaced through reflection.
/// </summary>
internal sealed class BatchedScorer : RowToRowScorerBase
{
    private static readonly PropertyInfo Scorer = typeof(PredictionTransformerBase<FeedbackAlignmentMulticlassModelParameters>)
        .GetProperty("Scorer", BindingFlags.Instance | BindingFlags.NonPublic) ?? throw new MissingMemberException("PredictionTransformerBase", "Scorer");

    private readonly RowToRowScorerBase _rows;
    private readonly FeedbackAlignmentMulticlassModelParameters _model;
    private readonly string _features;

    private BatchedScorer(RowToRowScorerBase rows, FeedbackAlignmentMulticlassModelParameters model, string features)
        : base(model.Environment, rows.Source, nameof(BatchedScorer), ScoreUtils.GetSchemaBindableMapper(model.Environment, model))
    {
        _rows = rows;
        _model = model;
        _features = features;
    }

    public override DataViewSchema OutputSchema => _rows.OutputSchema;

    /// <summary>Lets a transformer score whole views in batches; nothing if it does already, or if its model gains nothing by it.</summary>
    public static void Install(MulticlassPredictionTransformer<FeedbackAlignmentMulticlassModelParameters> transformer)
    {
        if (transformer.Model.ScoresInBatches && Scorer.GetValue(transformer) is RowToRowScorerBase rows and not BatchedScorer)
            Scorer.SetValue(transformer, new BatchedScorer(rows, transformer.Model, transformer.FeatureColumnName));
    }

    /// <inheritdoc/>
    protected override IDataTransform ApplyToDataCore(IHostEnvironment env, IDataView newSource)
    {
        // ML.NET asks for a row mapper, and for a schema, by an empty view.
        IDataTransform rows = ((ITransformTemplate)_rows).ApplyToData(env, newSource);
        return newSource is EmptyDataView ? rows : new BatchedView(Host, rows, _model, _features);
    }

    // ML.NET applies a transformer's scorer to data; the scorer itself is never read.
    protected override BindingsBase GetBindings() => throw Unused();

    protected override bool WantParallelCursors(Func<int, bool> predicate) => throw Unused();

    protected override Delegate[] GetGetters(DataViewRow output, Func<int, bool> predicate) => throw Unused();

    protected override void SaveCore(ModelSaveContext ctx) => throw Unused();

    private static NotSupportedException Unused() => new("The scorer of a transformer is applied to data, not read.");
}
