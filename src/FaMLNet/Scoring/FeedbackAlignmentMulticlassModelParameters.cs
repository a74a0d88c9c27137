using FaMLNet;
using FaMLNet.Persistence;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentMulticlassModelParameters), null, typeof(SignatureLoadModel),
    "Feedback-alignment multiclass network", FeedbackAlignmentMulticlassModelParameters.LoaderSignature)]

namespace FaMLNet;

/// <summary>A trained classifier: the network, the rule that trained it, its weights and the history of its training.</summary>
/// <inheritdoc cref="FeedbackAlignmentModelParametersBase{TOutput}" path="/remarks"/>
public sealed class FeedbackAlignmentMulticlassModelParameters : FeedbackAlignmentModelParametersBase<VBuffer<float>>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignMulticlass";
    private const string ModelName = "FeedbackAlignmentMulticlass";

    internal FeedbackAlignmentMulticlassModelParameters(IHostEnvironment env, TrainedNetwork trained) : base(env, ModelName, trained) =>
        LastEpochModel = trained.Last == null ? null : new FeedbackAlignmentMulticlassModelParameters(env, trained.Last);

    private FeedbackAlignmentMulticlassModelParameters(IHostEnvironment env, ModelLoadContext ctx) : base(env, ModelName, ctx) { }

    /// <summary>
    /// The network as the last epoch left it, where this is the best epoch's (<see cref="EarlyStopping.RestoreBest"/>), so that both can be
    /// measured. Not saved; null otherwise and in a loaded model.
    /// </summary>
    public FeedbackAlignmentMulticlassModelParameters? LastEpochModel { get; }

    /// <summary>Classes, and so scores per row.</summary>
    public int NumberOfClasses => Layout.Outputs;

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MulticlassClassification;

    private protected override ModelTask Task => ModelTask.Multiclass;

    private protected override IDisposable? LastEpoch => LastEpochModel;

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentMulticlassModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentMulticlassModelParameters(env, ctx));

    private protected override void ToScores(Span<float> outputs, int count)
    {
        int classes = NumberOfClasses;
        for (int row = 0; row < count; row++)
            IScoringSession.Softmax(outputs.Slice(row * classes, classes));
    }

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLMULC", LoaderSignature);
}
