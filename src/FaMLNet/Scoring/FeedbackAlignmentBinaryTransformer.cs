using FaMLNet;
using FaMLNet.Scoring;
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

    internal FeedbackAlignmentBinaryTransformer(IHostEnvironment env, FeedbackAlignmentBinaryModelParameters model, DataViewSchema trainSchema,
        string featureColumn, string? labelColumn, float threshold = 0)
        : base(env.Register(nameof(FeedbackAlignmentBinaryTransformer)), model, trainSchema, featureColumn, labelColumn)
    {
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
