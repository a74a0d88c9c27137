using FaMLNet;
using FaMLNet.Scoring;
using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentVectorRegressionTransformer), null, typeof(SignatureLoadModel),
    "Feedback-alignment vector regression predictions", FeedbackAlignmentVectorRegressionTransformer.LoaderSignature)]

namespace FaMLNet;

/// <summary>
/// Predicts several numbers: adds <c>Score</c>, a vector of <see cref="float"/> in the units of the training's label, with the label's slot names.
/// </summary>
public sealed class FeedbackAlignmentVectorRegressionTransformer : FeedbackAlignmentTransformer<FeedbackAlignmentVectorRegressionModelParameters>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignVectorX";

    /// <summary>
    /// Makes a transformer of a model, for example of <see cref="FeedbackAlignmentVectorRegressionModelParameters.LastEpochModel"/> or
    /// <see cref="TrainingDivergedException.LastGoodModel"/>.
    /// </summary>
    /// <param name="env">The context, an <see cref="MLContext"/>.</param>
    /// <param name="model">The model. It stays the owner of its native memory, if it has any; disposing the transformer disposes it.</param>
    /// <param name="inputSchema">The columns just before the trainer, after the steps that prepare the rows.</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/>, as long as
    /// <see cref="IFeedbackAlignmentModel.NumberOfFeatures"/> says.</param>
    /// <param name="labelColumnName">The label column, a vector of <see cref="float"/> whose slot names the predictions get; null for none.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">A column is missing, or is not what the model was trained on; the message names it.</exception>
    public FeedbackAlignmentVectorRegressionTransformer(IHostEnvironment env, FeedbackAlignmentVectorRegressionModelParameters model,
        DataViewSchema inputSchema, string featureColumnName = "Features", string? labelColumnName = "Label")
        : base(TransformerArguments.Check(env, nameof(FeedbackAlignmentVectorRegressionTransformer), model, inputSchema, featureColumnName,
            labelColumnName, LabelKind.Numbers), model, inputSchema, featureColumnName, labelColumnName) => SetScorer();

    private FeedbackAlignmentVectorRegressionTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(nameof(FeedbackAlignmentVectorRegressionTransformer)), ctx) => SetScorer();

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentVectorRegressionTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentVectorRegressionTransformer(env, ctx));

    private protected override RowToRowScorerBase CreateRowScorer(RoleMappedSchema schema) => ManyOutputsScorer.Create(Host, Model, TrainSchema,
        schema, AnnotationUtils.Const.ScoreColumnKind.MultiOutputRegression, [(DefaultColumnNames.Score, NumberDataViewType.Single)], CreateGetter);

    private protected override Delegate CreateGetter(string column, RowScores scores) => column switch
    {
        DefaultColumnNames.Score => ManyOutputsScorer.Getter(scores, score => score),
        _ => throw Host.Except($"The scorer has no column '{column}'."),
    };

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLVRXF", LoaderSignature);
}
