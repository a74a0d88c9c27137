using FaMLNet;
using FaMLNet.Scoring;
using FaMLNet.Tasks.Labels;
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

    /// <summary>
    /// Makes a transformer of a model, for example of <see cref="FeedbackAlignmentMultiLabelModelParameters.LastEpochModel"/> or
    /// <see cref="TrainingDivergedException.LastGoodModel"/>.
    /// </summary>
    /// <param name="env">The context, an <see cref="MLContext"/>.</param>
    /// <param name="model">The model. It stays the owner of its native memory, if it has any; disposing the transformer disposes it.</param>
    /// <param name="inputSchema">The columns just before the trainer, after the steps that prepare the rows.</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/>, as long as
    /// <see cref="IFeedbackAlignmentModel.NumberOfFeatures"/> says.</param>
    /// <param name="labelColumnName">The label column, a vector of <see cref="bool"/> whose slot names the predictions get; null for none.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">A column is missing, or is not what the model was trained on; the message names it.</exception>
    public FeedbackAlignmentMultiLabelTransformer(IHostEnvironment env, FeedbackAlignmentMultiLabelModelParameters model,
        DataViewSchema inputSchema, string featureColumnName = "Features", string? labelColumnName = "Label")
        : base(TransformerArguments.Check(env, nameof(FeedbackAlignmentMultiLabelTransformer), model, inputSchema, featureColumnName,
            labelColumnName, LabelKind.Booleans), model, inputSchema, featureColumnName, labelColumnName) => SetScorer();

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
