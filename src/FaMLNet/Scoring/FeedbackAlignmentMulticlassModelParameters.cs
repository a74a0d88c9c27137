using FaMLNet;
using FaMLNet.Persistence;
using FaMLNet.Scoring;
using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

[assembly: LoadableClass(typeof(FeedbackAlignmentMulticlassModelParameters), null, typeof(SignatureLoadModel),
    "Feedback-alignment multiclass network", FeedbackAlignmentMulticlassModelParameters.LoaderSignature)]

namespace FaMLNet;

/// <summary>A trained classifier: the network, the rule that trained it, its weights and the history of its training.</summary>
/// <remarks>
/// Dense networks are scored in managed code: predicting needs neither TorchSharp nor libtorch. Convolutional networks need both. Immutable and
/// thread-safe, unlike a <see cref="PredictionEngine{TSrc, TDst}"/> made from it.
/// </remarks>
public sealed class FeedbackAlignmentMulticlassModelParameters : ModelParametersBase<VBuffer<float>>, IValueMapper, IBatchedModel, IDisposable
{
    // At most 24 characters in a model header.
    internal const string LoaderSignature = "FeedbackAlignMulticlass";
    private const string ModelName = "FeedbackAlignmentMulticlass";
    private const string DocumentEntry = "model.json";
    private const string WeightsEntry = "weights.safetensors";

    private readonly NetworkLayout _layout;
    private readonly float[] _parameters, _statistics;
    private readonly IReadOnlyDictionary<string, ParameterTensor> _feedback;
    private readonly NetworkScorer _scorer;

    internal FeedbackAlignmentMulticlassModelParameters(IHostEnvironment env, TrainedNetwork trained) : base(env, ModelName)
    {
        _layout = trained.Layout;
        _parameters = trained.Parameters;
        _statistics = trained.Statistics;
        _feedback = FeedbackWeights.SlicesOf(trained.Rule, _layout, out _).Zip(_layout.WeightedLayers).Where(pair => pair.First != null)
            .ToDictionary(pair => pair.Second.Name, pair =>
            new ParameterTensor(pair.First!.Shape, trained.Feedback.AsMemory(pair.First.Offset, pair.First.Length)));
        Rule = trained.Rule;
        History = trained.History;
        LastEpochModel = trained.Last == null ? null : new FeedbackAlignmentMulticlassModelParameters(env, trained.Last);
        _scorer = NetworkScorer.Create(env, _layout, _parameters, _statistics);
    }

    private FeedbackAlignmentMulticlassModelParameters(IHostEnvironment env, ModelLoadContext ctx) : base(env, ModelName, ctx)
    {
        ModelDocument document = null!;
        NetworkLayout layout = null!;
        ModelLoading.Text(ctx, DocumentEntry, reader =>
        {
            document = ModelDocument.Read(reader);
            layout = document.CreateLayout(env);
        });
        _layout = layout;
        IReadOnlyDictionary<string, ParameterTensor> tensors = null!;
        ModelLoading.Binary(ctx, WeightsEntry, stream => tensors = Safetensors.Read(stream, document.DescribeTensors(layout)));
        _parameters = Flatten(_layout.Parameters, _layout.ParameterLength, tensors);
        _statistics = Flatten(_layout.Statistics, _layout.StatisticsLength, tensors);
        _feedback = _layout.WeightedLayers.Where(layer => tensors.ContainsKey(ModelDocument.FeedbackName(layer.Name)))
            .ToDictionary(layer => layer.Name, layer => tensors[ModelDocument.FeedbackName(layer.Name)]);
        Rule = FeedbackRuleRegistry.Resolve(env, document.Rule);
        History = document.History;
        _scorer = NetworkScorer.Create(env, _layout, _parameters, _statistics);
    }

    /// <summary>The network's layers.</summary>
    public NetworkDefinition Network => _layout.Definition;

    /// <summary>The rule that trained the network. If it is a user's own and not registered in this process, it can only name itself.</summary>
    public FeedbackRule Rule { get; }

    /// <summary>What each epoch showed, in order.</summary>
    public IReadOnlyList<EpochMetrics> History { get; }

    /// <summary>
    /// The network as the last epoch left it, where this is the best epoch's (<see cref="EarlyStopping.RestoreBest"/>), so that both can be
    /// measured. Not saved; null otherwise and in a loaded model.
    /// </summary>
    public FeedbackAlignmentMulticlassModelParameters? LastEpochModel { get; }

    /// <summary>Features that a row must have.</summary>
    public int NumberOfFeatures => _layout.Inputs;

    /// <summary>Classes, and so scores a row.</summary>
    public int NumberOfClasses => _layout.Outputs;

    int IBatchedModel.NumberOfScores => NumberOfClasses;

    bool IBatchedModel.GainsFromBatches => _scorer.GainsFromBatches;

    DataViewType IValueMapper.InputType => new VectorDataViewType(NumberDataViewType.Single, _layout.Inputs);

    DataViewType IValueMapper.OutputType => new VectorDataViewType(NumberDataViewType.Single, _layout.Outputs);

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MulticlassClassification;

    /// <summary>The forward weights of each layer (outputs × inputs), by layer name: <c>dense1</c> is the one next to the input.</summary>
    public IReadOnlyDictionary<string, ParameterTensor> GetWeights() =>
        _layout.WeightedLayers.ToDictionary(layer => layer.Name, layer => Tensor(layer.Weight, _parameters));

    /// <summary>
    /// The feedback weights as training left them, by the name of the layer that the error passes: outputs × inputs of that layer, or for direct
    /// rules outputs of the network × inputs of the layer. The first layer has none; backpropagation has none at all.
    /// </summary>
    public IReadOnlyDictionary<string, ParameterTensor> GetFeedbackWeights() => _feedback;

    /// <summary>
    /// Everything that prediction uses, by parameter name: <c>dense1.weight</c>, <c>dense1.bias</c>, and with normalisation <c>norm1.weight</c>,
    /// <c>norm1.bias</c>, <c>norm1.running_mean</c>, <c>norm1.running_var</c>.
    /// </summary>
    public IReadOnlyDictionary<string, ParameterTensor> GetParameters() =>
        _layout.Parameters.Select(slice => (slice, buffer: _parameters)).Concat(_layout.Statistics.Select(slice => (slice, buffer: _statistics)))
            .ToDictionary(pair => pair.slice.Name, pair => Tensor(pair.slice, pair.buffer));

    /// <summary>How parameters and statistics lie in their buffers.</summary>
    internal NetworkLayout Layout => _layout;

    /// <summary>All parameters; not to be written to.</summary>
    internal float[] FlatParameters => _parameters;

    /// <summary>All statistics; not to be written to.</summary>
    internal float[] FlatStatistics => _statistics;

    /// <summary>Where the model lives: finds factories of networks of the user's own.</summary>
    internal IHostEnvironment Environment => Host;

    /// <summary>The feedback weights in the layout of the rule, a copy.</summary>
    internal float[] FlatFeedback(IReadOnlyList<ParameterSlice?> slices, int length)
    {
        float[] feedback = new float[length];
        for (int i = 0; i < slices.Count; i++)
        {
            if (slices[i] is { } slice && _feedback.TryGetValue(_layout.WeightedLayers[i].Name, out ParameterTensor? values))
                values.Values.Span.CopyTo(slice.In(feedback.AsSpan()));
        }
        return feedback;
    }

    /// <summary>A copy to train further.</summary>
    /// <exception cref="ArgumentException">The model does not fit a training with this network and data.</exception>
    internal TrainedNetwork ToTrained(NetworkDefinition network, int features, int classes)
    {
        if (Network != network)
            throw OptionError.Invalid("Network",
                $"the trainer's network is {network}, but the model to continue has {Network}. Set Network to the model's.");
        if (features != NumberOfFeatures || classes != NumberOfClasses)
            throw new ArgumentException($"The model to continue has {NumberOfFeatures} features and {NumberOfClasses} classes; the training data "
                + $"has {features} and {classes}. Give it data prepared as the model's was, with the same key mapping.");
        IReadOnlyList<ParameterSlice?> slices = FeedbackWeights.SlicesOf(Rule, _layout, out int length);
        float[] feedback = slices.Any(slice => slice != null) && _feedback.Count == 0 ? [] : FlatFeedback(slices, length);
        return new TrainedNetwork(_layout, Rule, [.. _parameters], [.. _statistics], feedback, History);
    }

    IScoringSession IBatchedModel.OpenSession() => _scorer.Open();

    /// <summary>
    /// Frees the native memory of a convolutional or custom network, which cannot score afterwards; weights and history stay. A dense network
    /// has none and goes on. ML.NET calls it where a transformer or a <see cref="PredictionEngine{TSrc, TDst}"/> that owns one is disposed.
    /// </summary>
    public void Dispose()
    {
        _scorer.Dispose();
        LastEpochModel?.Dispose();
    }

    ValueMapper<TSrc, TDst> IValueMapper.GetMapper<TSrc, TDst>()
    {
        Host.Check(typeof(TSrc) == typeof(VBuffer<float>) && typeof(TDst) == typeof(VBuffer<float>),
            "A feedback-alignment network maps a vector of Single to a vector of Single.");
        // Scratch memory of this mapper's own: a mapper serves one thread, the model many.
        float[] dense = new float[_layout.Inputs];
        IScoringSession session = _scorer.Open();
        ValueMapper<VBuffer<float>, VBuffer<float>> map = (in VBuffer<float> source, ref VBuffer<float> destination) =>
        {
            if (source.Length != dense.Length)
                throw new InvalidOperationException(
                    $"The model was trained on {dense.Length} features; the row has {source.Length}. Give it the columns that it was trained on.");
            ReadOnlySpan<float> features = source.GetValues();
            if (!source.IsDense)
            {
                source.CopyTo(dense);
                features = dense;
            }
            VBufferEditor<float> editor = VBufferEditor.Create(ref destination, _layout.Outputs);
            session.Score(features, 1, editor.Values);
            destination = editor.Commit();
        };
        return (ValueMapper<TSrc, TDst>)(Delegate)map;
    }

    /// <inheritdoc/>
    protected override void SaveCore(ModelSaveContext ctx)
    {
        ctx.SetVersionInfo(GetVersionInfo());
        base.SaveCore(ctx);
        ctx.SaveTextStream(DocumentEntry, writer => ModelDocument.Create(_layout, Rule, _feedback.Keys, History).Write(writer));
        ctx.SaveBinaryStream(WeightsEntry, writer => Safetensors.Write(writer.BaseStream,
            [.. GetParameters().Select(pair => (pair.Key, pair.Value)),
                .. _feedback.Select(pair => (ModelDocument.FeedbackName(pair.Key), pair.Value))]));
    }

    // Called by ML.NET when it loads a model; it prefers this to the constructor for being the more visible.
    internal static FeedbackAlignmentMulticlassModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) =>
        ModelLoading.Run(env, ctx, GetVersionInfo(), () => new FeedbackAlignmentMulticlassModelParameters(env, ctx));

    private static VersionInfo GetVersionInfo() => new(
        modelSignature: "FAMLMULC",
        verWrittenCur: 0x00010001, // Initial
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(FeedbackAlignmentMulticlassModelParameters).Assembly.GetName().Name,
        loaderSignature: LoaderSignature);

    private static ParameterTensor Tensor(ParameterSlice slice, float[] buffer) => new(slice.Shape, buffer.AsMemory(slice.Offset, slice.Length));

    private static float[] Flatten(IEnumerable<ParameterSlice> slices, int length, IReadOnlyDictionary<string, ParameterTensor> tensors)
    {
        float[] buffer = new float[length];
        foreach (ParameterSlice slice in slices)
            tensors[slice.Name].Values.Span.CopyTo(slice.In(buffer.AsSpan()));
        return buffer;
    }
}
