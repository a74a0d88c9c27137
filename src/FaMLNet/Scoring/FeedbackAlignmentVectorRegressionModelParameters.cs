using FaMLNet;
using FaMLNet.Persistence;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentVectorRegressionModelParameters), null, typeof(SignatureLoadModel),
    "Feedback-alignment vector regression network", FeedbackAlignmentVectorRegressionModelParameters.LoaderSignature)]

namespace FaMLNet;

/// <summary>A trained regression of several numbers: the network, the rule that trained it, its weights and the history of its training.</summary>
/// <inheritdoc cref="FeedbackAlignmentModelParametersBase{TOutput}" path="/remarks"/>
public sealed class FeedbackAlignmentVectorRegressionModelParameters : FeedbackAlignmentModelParametersBase<VBuffer<float>>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignVector";
    private const string ModelName = "FeedbackAlignmentVectorRegression";

    internal FeedbackAlignmentVectorRegressionModelParameters(IHostEnvironment env, TrainedNetwork trained) : base(env, ModelName, trained) =>
        LastEpochModel = trained.Last == null ? null : new FeedbackAlignmentVectorRegressionModelParameters(env, trained.Last);

    private FeedbackAlignmentVectorRegressionModelParameters(IHostEnvironment env, ModelLoadContext ctx) : base(env, ModelName, ctx) { }

    /// <summary>
    /// The network as the last epoch left it, where this is the best epoch's (<see cref="EarlyStopping.RestoreBest"/>), so that both can be
    /// measured. Not saved; null otherwise and in a loaded model.
    /// </summary>
    public FeedbackAlignmentVectorRegressionModelParameters? LastEpochModel { get; }

    /// <summary>Numbers that a row's score has.</summary>
    public int NumberOfOutputs => Layout.Outputs;

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MultiOutputRegression;

    private protected override ModelTask Task => ModelTask.VectorRegression;

    private protected override IDisposable? LastEpoch => LastEpochModel;

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentVectorRegressionModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentVectorRegressionModelParameters(env, ctx));

    private protected override void ToScores(Span<float> outputs, int count)
    {
        int width = NumberOfOutputs;
        for (int i = 0; i < count * width; i++)
            outputs[i] = Targets[i % width].Restore(outputs[i]);
    }

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLVREG", LoaderSignature);
}
