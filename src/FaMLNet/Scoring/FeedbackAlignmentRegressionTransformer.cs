using FaMLNet;
using FaMLNet.Scoring;
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

    internal FeedbackAlignmentRegressionTransformer(IHostEnvironment env, FeedbackAlignmentRegressionModelParameters model,
        DataViewSchema trainSchema, string featureColumn, string? labelColumn)
        : base(env.Register(nameof(FeedbackAlignmentRegressionTransformer)), model, trainSchema, featureColumn, labelColumn) => SetScorer();

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
