using FaMLNet.Rows;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet;

/// <summary>
/// A fitted network as a transformer: adds the columns of its task's predictions to a view. Convolutional and custom networks score whole views
/// in batches, of a loaded model as of a fitted one. Disposing it frees the network's native memory as soon as nothing is being scored;
/// prediction engines that are still there go on. A dense network has none.
/// </summary>
/// <typeparam name="TModel">The model.</typeparam>
public abstract class FeedbackAlignmentTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    internal FeedbackAlignmentTransformer(IHost host, TModel model, DataViewSchema trainSchema, string featureColumn, string? labelColumn)
        : base(host, model, trainSchema, featureColumn)
    {
        LabelColumnName = labelColumn;
    }

    internal FeedbackAlignmentTransformer(IHost host, ModelLoadContext ctx) : base(host, ctx)
    {
        // *** Binary format ***
        // <base info>
        // id of string: label column
        LabelColumnName = ctx.LoadStringOrNull();
    }

    /// <summary>The label column with which the model was trained.</summary>
    public string? LabelColumnName { get; }

    /// <summary>ML.NET's scorer of the task, row by row.</summary>
    /// <param name="schema">Label and features of the training data.</param>
    private protected abstract RowToRowScorerBase CreateRowScorer(RoleMappedSchema schema);

    /// <summary>How each of that scorer's columns follows from a row's scores.</summary>
    private protected abstract Delegate CreateGetter(string column, RowScores scores);

    /// <summary>The header of the saved transformer.</summary>
    private protected abstract VersionInfo GetVersionInfo();

    /// <inheritdoc/>
    protected sealed override void SaveCore(ModelSaveContext ctx)
    {
        ctx.SetVersionInfo(GetVersionInfo());
        base.SaveCore(ctx);
        ctx.SaveStringOrNull(LabelColumnName);
        SaveMore(ctx);
    }

    /// <summary>What a task saves beside that.</summary>
    private protected virtual void SaveMore(ModelSaveContext ctx) { }

    /// <summary>To be called once by the constructors of a task, when all that its scorer needs is there.</summary>
    private protected void SetScorer()
    {
        RowToRowScorerBase rows = CreateRowScorer(new RoleMappedSchema(TrainSchema, LabelColumnName, FeatureColumnName));
        ScoredColumns check = new(Host, TrainSchema[FeatureColumnName], (Model as INetworkModel)?.Layout.ImageInput);
        Scorer = new CheckedScorer(Host, rows, BindableMapper, Model as IBatchedModel, CreateGetter, check);
        if (Model is INetworkModel { Names: null } model)
            model.Names = new ColumnNames(TrainSchema[FeatureColumnName], LabelColumnName is { } label ? TrainSchema.GetColumnOrNull(label) : null);
    }
}
