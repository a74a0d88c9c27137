using FaMLNet;
using FaMLNet.Scoring;
using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentRegressionTransformer), null, typeof(SignatureLoadModel),
    "Feedback-alignment regression predictions", FeedbackAlignmentRegressionTransformer.LoaderSignature)]

namespace FaMLNet;

/// <summary>Predicts a number: adds <c>Score</c>, in the units of the training's label.</summary>
public sealed class FeedbackAlignmentRegressionTransformer : FeedbackAlignmentTransformer<FeedbackAlignmentRegressionModelParameters>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignRegressionX";

    /// <summary>
    /// Makes a transformer of a model, for example of <see cref="FeedbackAlignmentRegressionModelParameters.LastEpochModel"/> or
    /// <see cref="TrainingDivergedException.LastGoodModel"/>.
    /// </summary>
    /// <param name="env">The context, an <see cref="MLContext"/>.</param>
    /// <param name="model">The model. It stays the owner of its native memory, if it has any; disposing the transformer disposes it.</param>
    /// <param name="inputSchema">The columns just before the trainer, after the steps that prepare the rows.</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/>, as long as
    /// <see cref="IFeedbackAlignmentModel.NumberOfFeatures"/> says.</param>
    /// <param name="labelColumnName">The label column, <see cref="float"/>; null for none.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">A column is missing, or is not what the model was trained on; the message names it.</exception>
    public FeedbackAlignmentRegressionTransformer(IHostEnvironment env, FeedbackAlignmentRegressionModelParameters model, DataViewSchema inputSchema,
        string featureColumnName = "Features", string? labelColumnName = "Label")
        : base(TransformerArguments.Check(env, nameof(FeedbackAlignmentRegressionTransformer), model, inputSchema, featureColumnName, labelColumnName,
            LabelKind.Number), model, inputSchema, featureColumnName, labelColumnName) => SetScorer();

    private FeedbackAlignmentRegressionTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(nameof(FeedbackAlignmentRegressionTransformer)), ctx) => SetScorer();

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentRegressionTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentRegressionTransformer(env, ctx));

    private protected override RowToRowScorerBase CreateRowScorer(RoleMappedSchema schema) => new GenericScorer(Host, new GenericScorer.Arguments(),
        new EmptyDataView(Host, TrainSchema), BindableMapper.Bind(Host, schema), schema);

    private protected override Delegate CreateGetter(string column, RowScores scores) => column switch
    {
        DefaultColumnNames.Score => (ValueGetter<float>)((ref float value) => value = scores()[0]),
        _ => throw Host.Except($"The scorer has no column '{column}'."),
    };

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLREXF", LoaderSignature);
}
