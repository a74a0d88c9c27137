using FaMLNet;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentMultiLabelTransformer), null, typeof(SignatureLoadModel),
    "Feedback-alignment multi-label predictions", FeedbackAlignmentMultiLabelTransformer.LoaderSignature)]

namespace FaMLNet;

/// <summary>
/// Predicts several labels at once: adds <c>Score</c>, the logits, <c>Probability</c> of true, and <c>PredictedLabel</c>, whether the score is above
/// 0. Each is a vector with one value per label and the label's slot names.
/// </summary>
public sealed class FeedbackAlignmentMultiLabelTransformer : FeedbackAlignmentTransformer<FeedbackAlignmentMultiLabelModelParameters>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignMultiLabelX";

    /// <summary>Makes a transformer of a model, for example of one that an exception carries.</summary>
    /// <param name="env">The environment, for example an <see cref="MLContext"/>.</param>
    /// <param name="model">The model.</param>
    /// <param name="inputSchema">The schema of the data that the model was trained on.</param>
    /// <param name="featureColumnName">The feature column in it.</param>
    /// <param name="labelColumnName">The label column in it, whose slot names the predictions get; null for none.</param>
    public FeedbackAlignmentMultiLabelTransformer(IHostEnvironment env, FeedbackAlignmentMultiLabelModelParameters model,
        DataViewSchema inputSchema, string featureColumnName, string? labelColumnName = null)
        : base(Register(env, nameof(FeedbackAlignmentMultiLabelTransformer)), model, inputSchema, featureColumnName, labelColumnName) =>
        SetScorer();

    private FeedbackAlignmentMultiLabelTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(nameof(FeedbackAlignmentMultiLabelTransformer)), ctx) => SetScorer();

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentMultiLabelTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentMultiLabelTransformer(env, ctx));

    private protected override RowToRowScorerBase CreateRowScorer(RoleMappedSchema schema) => ManyOutputsScorer.Create(Host, Model, TrainSchema,
        schema, "MultiLabelClassification", [(DefaultColumnNames.Score, NumberDataViewType.Single),
            (DefaultColumnNames.Probability, NumberDataViewType.Single), (DefaultColumnNames.PredictedLabel, BooleanDataViewType.Instance)],
        CreateGetter);

    private protected override Delegate CreateGetter(string column, RowScores scores) => column switch
    {
        DefaultColumnNames.Score => ManyOutputsScorer.Getter(scores, score => score),
        DefaultColumnNames.Probability => ManyOutputsScorer.Getter(scores, FeedbackAlignmentBinaryModelParameters.ProbabilityOf),
        DefaultColumnNames.PredictedLabel => ManyOutputsScorer.Getter(scores, score => score > 0),
        _ => throw Host.Except($"The scorer has no column '{column}'."),
    };

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLMLXF", LoaderSignature);
}
