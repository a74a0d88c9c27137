using FaMLNet;
using FaMLNet.Scoring;
using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentBinaryTransformer), null, typeof(SignatureLoadModel),
    "Feedback-alignment binary predictions", FeedbackAlignmentBinaryTransformer.LoaderSignature)]

namespace FaMLNet;

/// <summary>
/// Classifies as true or false: adds <c>Score</c>, the logit, <c>Probability</c> of true, and <c>PredictedLabel</c>, whether the score is above
/// the threshold.
/// </summary>
public sealed class FeedbackAlignmentBinaryTransformer : FeedbackAlignmentTransformer<FeedbackAlignmentBinaryModelParameters>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignBinaryX";

    /// <summary>
    /// Makes a transformer of a model, for example of <see cref="FeedbackAlignmentBinaryModelParameters.LastEpochModel"/> or
    /// <see cref="TrainingDivergedException.LastGoodModel"/>.
    /// </summary>
    /// <param name="env">The context, an <see cref="MLContext"/>.</param>
    /// <param name="model">The model. It stays the owner of its native memory, if it has any; disposing the transformer disposes it.</param>
    /// <param name="inputSchema">The columns just before the trainer, after the steps that prepare the rows.</param>
    /// <param name="featureColumnName">The feature column: a vector of <see cref="float"/>, as long as
    /// <see cref="IFeedbackAlignmentModel.NumberOfFeatures"/> says.</param>
    /// <param name="labelColumnName">The label column, <see cref="bool"/>; null for none.</param>
    /// <param name="threshold">The score above which the predicted label is true; 0 stands for a probability of a half.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">A column is missing, or is not what the model was trained on; the message names it.</exception>
    public FeedbackAlignmentBinaryTransformer(IHostEnvironment env, FeedbackAlignmentBinaryModelParameters model, DataViewSchema inputSchema,
        string featureColumnName = "Features", string? labelColumnName = "Label", float threshold = 0)
        : base(TransformerArguments.Check(env, nameof(FeedbackAlignmentBinaryTransformer), model, inputSchema, featureColumnName, labelColumnName,
            LabelKind.Boolean), model, inputSchema, featureColumnName, labelColumnName)
    {
        if (!float.IsFinite(threshold))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "Argument threshold: a score must be finite.");
        Threshold = threshold;
        SetScorer();
    }

    private FeedbackAlignmentBinaryTransformer(IHostEnvironment env, ModelLoadContext ctx)
        : base(env.Register(nameof(FeedbackAlignmentBinaryTransformer)), ctx)
    {
        // *** Binary format ***
        // <base info>
        // float: threshold
        Threshold = ctx.Reader.ReadSingle();
        if (!float.IsFinite(Threshold))
            throw new FormatException($"The threshold of the model is {(float.IsNaN(Threshold) ? "not a number" : "infinite")}.");
        SetScorer();
    }

    /// <summary>The score above which the predicted label is true. The probability of a score is 1/(1 + e^−score), so 0 stands for a half.</summary>
    public float Threshold { get; }

    /// <summary>The same model with another threshold.</summary>
    internal FeedbackAlignmentBinaryTransformer WithThreshold(float threshold) =>
        threshold == Threshold ? this : new(Host, Model, TrainSchema, FeatureColumnName, LabelColumnName, threshold);

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentBinaryTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentBinaryTransformer(env, ctx));

    private protected override RowToRowScorerBase CreateRowScorer(RoleMappedSchema schema) =>
        new BinaryClassifierScorer(Host, new BinaryClassifierScorer.Arguments { Threshold = Threshold, ThresholdColumn = DefaultColumnNames.Score },
            new EmptyDataView(Host, TrainSchema), BindableMapper.Bind(Host, schema), schema);

    private protected override Delegate CreateGetter(string column, RowScores scores) => column switch
    {
        DefaultColumnNames.Score => (ValueGetter<float>)((ref float value) => value = scores()[0]),
        DefaultColumnNames.Probability =>
            (ValueGetter<float>)((ref float value) => value = FeedbackAlignmentBinaryModelParameters.ProbabilityOf(scores()[0])),
        DefaultColumnNames.PredictedLabel => (ValueGetter<bool>)((ref bool value) => value = scores()[0] > Threshold),
        _ => throw Host.Except($"The scorer has no column '{column}'."),
    };

    private protected override void SaveMore(ModelSaveContext ctx) => ctx.Writer.Write(Threshold);

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLBIXF", LoaderSignature);
}
