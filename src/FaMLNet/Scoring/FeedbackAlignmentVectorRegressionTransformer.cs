using FaMLNet;
using FaMLNet.Scoring;
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

    /// <summary>Makes a transformer of a model, for example of one that an exception carries.</summary>
    /// <param name="env">The environment, for example an <see cref="MLContext"/>.</param>
    /// <param name="model">The model.</param>
    /// <param name="inputSchema">The schema of the data that the model was trained on.</param>
    /// <param name="featureColumnName">The feature column in it.</param>
    /// <param name="labelColumnName">The label column in it, whose slot names the scores get; null for none.</param>
    public FeedbackAlignmentVectorRegressionTransformer(IHostEnvironment env, FeedbackAlignmentVectorRegressionModelParameters model,
        DataViewSchema inputSchema, string featureColumnName, string? labelColumnName = null)
        : base(Register(env, nameof(FeedbackAlignmentVectorRegressionTransformer)), model, inputSchema, featureColumnName, labelColumnName) =>
        SetScorer();

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
