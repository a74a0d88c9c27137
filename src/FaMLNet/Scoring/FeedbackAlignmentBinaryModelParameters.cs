using FaMLNet;
using FaMLNet.Persistence;
using FaMLNet.Scoring;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(FeedbackAlignmentBinaryModelParameters), null, typeof(SignatureLoadModel),
    "Feedback-alignment binary network", FeedbackAlignmentBinaryModelParameters.LoaderSignature)]

namespace FaMLNet;

/// <summary>A trained classifier of two classes: the network, the rule that trained it, its weights and the history of its training.</summary>
/// <inheritdoc cref="FeedbackAlignmentModelParametersBase{TOutput}" path="/remarks"/>
public sealed class FeedbackAlignmentBinaryModelParameters : FeedbackAlignmentModelParametersBase<float>,
    IValueMapperDist, IDistPredictorProducing<float, float>
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignBinary";
    private const string ModelName = "FeedbackAlignmentBinary";

    internal FeedbackAlignmentBinaryModelParameters(IHostEnvironment env, TrainedNetwork trained) : base(env, ModelName, trained) =>
        LastEpochModel = trained.Last == null ? null : new FeedbackAlignmentBinaryModelParameters(env, trained.Last);

    private FeedbackAlignmentBinaryModelParameters(IHostEnvironment env, ModelLoadContext ctx) : base(env, ModelName, ctx) { }

    /// <summary>
    /// The network as the last epoch left it, where this is the best epoch's (<see cref="EarlyStopping.RestoreBest"/>), so that both can be
    /// measured. Not saved; null otherwise and in a loaded model.
    /// </summary>
    public FeedbackAlignmentBinaryModelParameters? LastEpochModel { get; }

    DataViewType IValueMapperDist.DistType => NumberDataViewType.Single;

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.BinaryClassification;

    private protected override ModelTask Task => ModelTask.Binary;

    private protected override IDisposable? LastEpoch => LastEpochModel;

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentBinaryModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, Header(), () => new FeedbackAlignmentBinaryModelParameters(env, ctx));

    ValueMapper<TSrc, TDst, TDist> IValueMapperDist.GetMapper<TSrc, TDst, TDist>()
    {
        Host.Check(typeof(TSrc) == typeof(VBuffer<float>) && typeof(TDst) == typeof(float) && typeof(TDist) == typeof(float),
            "A binary feedback-alignment network maps a vector of Single to two of Single, score and probability.");
        RowScorer score = OpenRowScorer();
        return (ValueMapper<TSrc, TDst, TDist>)(Delegate)(ValueMapper<VBuffer<float>, float, float>)(
            (in VBuffer<float> features, ref float value, ref float probability) =>
            {
                value = score(in features)[0];
                probability = ProbabilityOf(value);
            });
    }

    /// <summary>The probability of true at a logit.</summary>
    internal static float ProbabilityOf(float score) => (float)(1 / (1 + Math.Exp(-(double)score)));

    private protected override VersionInfo GetVersionInfo() => Header();

    private static VersionInfo Header() => ModelLoading.Header("FAMLBINC", LoaderSignature);
}
