using FaMLNet;
using FaMLNet.Persistence;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentRegressionModelParameters), null, typeof(SignatureLoadModel),
    "Feedback-alignment regression network", FeedbackAlignmentRegressionModelParameters.LoaderSignature)]

namespace FaMLNet;

/// <summary>A trained regression: the network, the rule that trained it, its weights and the history of its training.</summary>
/// <inheritdoc cref="FeedbackAlignmentModelParametersBase{TOutput}" path="/remarks"/>
public sealed class FeedbackAlignmentRegressionModelParameters : FeedbackAlignmentModelParametersBase<float>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignRegression";
    private const string ModelName = "FeedbackAlignmentRegression";

    internal FeedbackAlignmentRegressionModelParameters(IHostEnvironment env, TrainedNetwork trained) : base(env, ModelName, trained) =>
        LastEpochModel = trained.Last == null ? null : new FeedbackAlignmentRegressionModelParameters(env, trained.Last);

    private FeedbackAlignmentRegressionModelParameters(IHostEnvironment env, ModelLoadContext ctx) : base(env, ModelName, ctx) { }

    /// <summary>
    /// The network as the last epoch left it, where this is the best epoch's (<see cref="EarlyStopping.RestoreBest"/>), so that both can be
    /// measured. Not saved; null otherwise and in a loaded model.
    /// </summary>
    public FeedbackAlignmentRegressionModelParameters? LastEpochModel { get; }

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.Regression;

    private protected override ModelTask Task => ModelTask.Regression;

    private protected override IDisposable? LastEpoch => LastEpochModel;

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentRegressionModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentRegressionModelParameters(env, ctx));

    private protected override void ToScores(Span<float> outputs, int count)
    {
        for (int row = 0; row < count; row++)
            outputs[row] = Targets[0].Restore(outputs[row]);
    }

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLREGR", LoaderSignature);
}
