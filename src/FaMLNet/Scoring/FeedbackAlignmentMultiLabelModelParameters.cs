using FaMLNet;
using FaMLNet.Persistence;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentMultiLabelModelParameters), null, typeof(SignatureLoadModel),
    "Feedback-alignment multi-label network", FeedbackAlignmentMultiLabelModelParameters.LoaderSignature)]

namespace FaMLNet;

/// <summary>
/// A trained classifier of several labels at once: the network, the rule that trained it, its weights and the history of its training.
/// </summary>
/// <inheritdoc cref="FeedbackAlignmentModelParametersBase{TOutput}" path="/remarks"/>
public sealed class FeedbackAlignmentMultiLabelModelParameters : FeedbackAlignmentModelParametersBase<VBuffer<float>>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignMultiLabel";
    private const string ModelName = "FeedbackAlignmentMultiLabel";

    internal FeedbackAlignmentMultiLabelModelParameters(IHostEnvironment env, TrainedNetwork trained) : base(env, ModelName, trained) =>
        LastEpochModel = trained.Last == null ? null : new FeedbackAlignmentMultiLabelModelParameters(env, trained.Last);

    private FeedbackAlignmentMultiLabelModelParameters(IHostEnvironment env, ModelLoadContext ctx) : base(env, ModelName, ctx) { }

    /// <summary>
    /// The network as the last epoch left it, where this is the best epoch's (<see cref="EarlyStopping.RestoreBest"/>), so that both can be
    /// measured. Not saved; null otherwise and in a loaded model.
    /// </summary>
    public FeedbackAlignmentMultiLabelModelParameters? LastEpochModel { get; }

    /// <summary>Labels, and so scores per row.</summary>
    public int NumberOfLabels => Layout.Outputs;

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MulticlassClassification;

    private protected override ModelTask Task => ModelTask.MultiLabel;

    private protected override IDisposable? LastEpoch => LastEpochModel;

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentMultiLabelModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentMultiLabelModelParameters(env, ctx));

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLMLAB", LoaderSignature);
}
