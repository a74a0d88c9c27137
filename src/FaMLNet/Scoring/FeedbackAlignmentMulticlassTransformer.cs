using FaMLNet;
using FaMLNet.Scoring;
using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentMulticlassTransformer), null, typeof(SignatureLoadModel),
    "Feedback-alignment multiclass predictions", FeedbackAlignmentMulticlassTransformer.LoaderSignature)]

namespace FaMLNet;

/// <summary>
/// Classifies: adds <c>PredictedLabel</c>, a key with the training label's values, and <c>Score</c>, class probabilities with those values
/// as slot names.
/// </summary>
public sealed class FeedbackAlignmentMulticlassTransformer : FeedbackAlignmentTransformer<FeedbackAlignmentMulticlassModelParameters>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignMulticlassX";

    /// <summary>
    /// Makes a transformer of a model, for example of <see cref="FeedbackAlignmentMulticlassModelParameters.LastEpochModel"/> or
    /// <see cref="TrainingDivergedException.LastGoodModel"/>.
    /// </summary>
    /// <param name="env">The context, an <see cref="MLContext"/>.</param>
    /// <param name="model">The model. It stays the owner of its native memory, if it has any; disposing the transformer disposes it.</param>
    /// <param name="inputSchema">The columns just before the trainer, after the steps that prepare the rows.</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/>, as long as
    /// <see cref="IFeedbackAlignmentModel.NumberOfFeatures"/> says.</param>
    /// <param name="labelColumnName">The label column, a key with the classes of the model; the predictions are named by its values. Null for
    /// none: classes then have numbers only.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">A column is missing, or is not what the model was trained on; the message names it.</exception>
    public FeedbackAlignmentMulticlassTransformer(IHostEnvironment env, FeedbackAlignmentMulticlassModelParameters model, DataViewSchema inputSchema,
        string featureColumnName = "Features", string? labelColumnName = "Label")
        : base(TransformerArguments.Check(env, nameof(FeedbackAlignmentMulticlassTransformer), model, inputSchema, featureColumnName, labelColumnName,
            LabelKind.Class), model, inputSchema, featureColumnName, labelColumnName) => SetScorer();

    private FeedbackAlignmentMulticlassTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(nameof(FeedbackAlignmentMulticlassTransformer)), ctx) => SetScorer();

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentMulticlassTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentMulticlassTransformer(env, ctx));

    private protected override RowToRowScorerBase CreateRowScorer(RoleMappedSchema schema) =>
        new MulticlassClassificationScorer(Host, new MulticlassClassificationScorer.Arguments(), new EmptyDataView(Host, TrainSchema),
            BindableMapper.Bind(Host, schema), schema);

    private protected override Delegate CreateGetter(string column, RowScores scores) => column switch
    {
        DefaultColumnNames.Score => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
        {
            ReadOnlySpan<float> row = scores();
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, row.Length);
            row.CopyTo(editor.Values);
            value = editor.Commit();
        }),
        // As ML.NET's own scorer: the first of the largest; missing if there is no number.
        DefaultColumnNames.PredictedLabel => (ValueGetter<uint>)((ref uint value) => value = (uint)(IndexOfLargest(scores()) + 1)),
        _ => throw Host.Except($"The scorer has no column '{column}'."),
    };

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLMCXF", LoaderSignature);

    /// <summary>As ML.NET's own scorer and evaluator: the first of the largest; −1 if there is no number.</summary>
    internal static int IndexOfLargest(ReadOnlySpan<float> scores)
    {
        int best = -1;
        for (int i = 0; i < scores.Length; i++)
        {
            if (!float.IsNaN(scores[i]) && (best < 0 || scores[i] > scores[best]))
                best = i;
        }
        return best;
    }
}
