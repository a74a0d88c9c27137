using FaMLNet.Persistence;
using FaMLNet.Rows;
using FaMLNet.Scoring;
using FaMLNet.Tasks.Labels;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace FaMLNet;

/// <summary>What a trained network of any task is: the network, the rule that trained it, its weights and the history of its training.</summary>
/// <remarks>
/// Dense networks are scored in managed code: predicting needs neither TorchSharp nor libtorch. Convolutional networks need both. Immutable and
/// thread-safe, unlike a <see cref="PredictionEngine{TSrc, TDst}"/> made from it.
/// </remarks>
/// <typeparam name="TOutput">What ML.NET takes a score of the task to be.</typeparam>
public abstract class FeedbackAlignmentModelParametersBase<TOutput> : ModelParametersBase<TOutput>, IFeedbackAlignmentModel, INetworkModel,
    IValueMapper, IBatchedModel, IDisposable
{
    private const string DocumentEntry = "model.json";
    private const string WeightsEntry = "weights.safetensors";

    private readonly NetworkLayout _layout;
    private readonly float[] _parameters, _statistics;
    private readonly Dictionary<string, ParameterTensor> _feedback, _memory;
    private readonly IReadOnlyList<ModelDocument.FeedbackDocument> _feedbackKinds;
    private readonly NetworkScorer _scorer;
    private ColumnNames? _names;
    private readonly IReadOnlyDictionary<string, string>? _record;

    internal FeedbackAlignmentModelParametersBase(IHostEnvironment env, string name, TrainedNetwork trained) : base(env, name)
    {
        _layout = trained.Layout;
        _parameters = trained.Parameters;
        _statistics = trained.Statistics;
        FeedbackLayout places = new(trained.Rule, _layout);
        _feedback = ByLayer(places.Slices, trained.Feedback);
        _memory = ByLayer(places.Memory, trained.Feedback);
        _feedbackKinds = ModelDocument.Describe(places, _layout);
        Rule = trained.Rule;
        History = trained.History;
        Targets = trained.Targets;
        _names = trained.Names;
        _record = trained.Record;
        _scorer = NetworkScorer.Create(env, _layout, _parameters, _statistics);
    }

    internal FeedbackAlignmentModelParametersBase(IHostEnvironment env, string name, ModelLoadContext ctx) : base(env, name, ctx)
    {
        ModelDocument document = null!;
        NetworkLayout layout = null!;
        ModelLoading.Text(ctx, DocumentEntry, reader =>
        {
            document = ModelDocument.Read(reader, Task);
            layout = document.CreateLayout(env);
        });
        _layout = layout;
        IReadOnlyDictionary<string, ParameterTensor> tensors = null!;
        ModelLoading.Binary(ctx, WeightsEntry, stream => tensors = Safetensors.Read(stream, document.DescribeTensors(layout)));
        _parameters = Flatten(_layout.Parameters, _layout.ParameterLength, tensors);
        _statistics = Flatten(_layout.Statistics, _layout.StatisticsLength, tensors);
        _feedbackKinds = document.Feedback;
        _feedback = _feedbackKinds.ToDictionary(feedback => feedback.Layer, feedback => tensors[FeedbackLayout.NameOf(feedback.Layer)]);
        _memory = _feedbackKinds.Where(feedback => feedback.Memory != null)
            .ToDictionary(feedback => feedback.Layer, feedback => tensors[FeedbackLayout.MemoryNameOf(feedback.Layer)]);
        Rule = FeedbackRuleRegistry.Resolve(env, document.Rule);
        History = document.History;
        _record = document.Training;
        Targets = document.ScalesOf(Task);
        _scorer = NetworkScorer.Create(env, _layout, _parameters, _statistics);
    }

    /// <inheritdoc/>
    public NetworkDefinition Network => _layout.Definition;

    /// <inheritdoc/>
    public FeedbackRule Rule { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EpochMetrics> History { get; }

    /// <inheritdoc/>
    public int NumberOfFeatures => _layout.Inputs;

    int IBatchedModel.NumberOfScores => _layout.Outputs;

    bool IBatchedModel.GainsFromBatches => _scorer.GainsFromBatches;

    DataViewType IValueMapper.InputType => new VectorDataViewType(NumberDataViewType.Single, _layout.Inputs);

    DataViewType IValueMapper.OutputType => ScoreType;

    private static bool GivesVectors => typeof(TOutput) == typeof(VBuffer<float>);

    /// <summary>The type of a row's score: a number, or a vector of as many as the network has outputs.</summary>
    private DataViewType ScoreType => GivesVectors ? new VectorDataViewType(NumberDataViewType.Single, _layout.Outputs) : NumberDataViewType.Single;

    /// <summary>The network as the last epoch left it, where this is the best's.</summary>
    private protected abstract IDisposable? LastEpoch { get; }

    /// <summary>The task, as a saved model names it.</summary>
    private protected abstract ModelTask Task { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, ParameterTensor> GetWeights()
    {
        Dictionary<string, ParameterTensor> weights = _layout.WeightedLayers
            .ToDictionary(layer => layer.Name, layer => Tensor(layer.Weight, _parameters));
        if (_layout.Skip is { } skip)
            weights["skip"] = Tensor(skip, _parameters);
        return weights;
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, ParameterTensor> GetFeedbackWeights() => _feedback;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, ParameterTensor> GetParameters() =>
        _layout.Parameters.Select(slice => (slice, buffer: _parameters)).Concat(_layout.Statistics.Select(slice => (slice, buffer: _statistics)))
            .ToDictionary(pair => pair.slice.Name, pair => Tensor(pair.slice, pair.buffer));

    /// <summary>Between the network's outputs and the labels of a regression, as the task has them.</summary>
    internal IReadOnlyList<TargetScale> Targets { get; }

    /// <summary>How parameters and statistics lie in their buffers.</summary>
    internal NetworkLayout Layout => _layout;

    NetworkLayout INetworkModel.Layout => _layout;

    ColumnNames? INetworkModel.Names
    {
        get => _names;
        set => _names = value;
    }

    float[] INetworkModel.Parameters => _parameters;

    float[] INetworkModel.Statistics => _statistics;

    IHostEnvironment INetworkModel.Environment => Host;

    float[] INetworkModel.CopyFeedback(FeedbackLayout places) => FlatFeedback(places);

    /// <summary>The feedback weights in the layout of the rule, a copy.</summary>
    internal float[] FlatFeedback(FeedbackLayout places)
    {
        float[] feedback = new float[places.Length];
        Place(places.Slices, _feedback);
        Place(places.Memory, _memory);
        return feedback;

        void Place(IReadOnlyList<ParameterSlice?> slices, IReadOnlyDictionary<string, ParameterTensor> tensors)
        {
            for (int i = 0; i < slices.Count; i++)
            {
                if (slices[i] is { } slice && tensors.TryGetValue(_layout.WeightedLayers[i].Name, out ParameterTensor? values)
                    && values.Values.Length == slice.Length)
                    values.Values.Span.CopyTo(slice.In(feedback.AsSpan()));
            }
        }
    }

    private Dictionary<string, ParameterTensor> ByLayer(IReadOnlyList<ParameterSlice?> slices, float[] buffer) =>
        slices.Zip(_layout.WeightedLayers).Where(pair => pair.First != null)
            .ToDictionary(pair => pair.Second.Name, pair => Tensor(pair.First!, buffer));

    TrainedNetwork INetworkModel.ToTrained(NetworkDefinition network, int features, int outputs)
    {
        if (Network != network)
            throw OptionError.Invalid("Network",
                $"the trainer's network is {network}, but the model to continue has {Network}. Set Network to the model's.");
        if (features != NumberOfFeatures || outputs != _layout.Outputs)
            throw new ArgumentException($"The model to continue has {NumberOfFeatures} features and {_layout.Outputs} "
                + $"{Task switch { ModelTask.VectorRegression => "numbers to predict", ModelTask.MultiLabel => "labels", _ => "classes" }}; the "
                + $"training data has {features} and {outputs}. Give it data prepared as the model's was"
                + $"{(Task == ModelTask.Multiclass ? ", with the same key mapping" : "")}.");
        FeedbackLayout places = new(Rule, _layout);
        // Without them, or what the rule keeps beside them, they are drawn anew.
        float[] feedback = places.Slices.Count(slice => slice != null) != _feedback.Count
            || places.Memory.Count(slice => slice != null) != _memory.Count ? [] : FlatFeedback(places);
        return new TrainedNetwork(_layout, Rule, [.. _parameters], [.. _statistics], feedback, History) { Targets = Targets };
    }

    IScoringSession IBatchedModel.OpenSession() => _scorer.Open();

    IDisposable? IBatchedModel.Lease() => _scorer.Lease();

    void IBatchedModel.ToScores(Span<float> outputs, int count) => ToScores(outputs, count);

    /// <summary>Turns the network's outputs into scores, in place; as they are, unless a task says otherwise.</summary>
    /// <param name="outputs">Rows × outputs.</param>
    /// <param name="count">How many rows.</param>
    private protected virtual void ToScores(Span<float> outputs, int count) { }

    /// <summary>
    /// Frees the native memory of a convolutional or custom network as soon as no thread is scoring and no cursor over a scored view is open. A
    /// <see cref="PredictionEngine{TSrc, TDst}"/> that is still there goes on, slower: each prediction takes the memory again and frees it. A
    /// dense network has none. ML.NET calls it where a transformer, or a prediction engine that owns one, is disposed. Safe to call from any
    /// thread, more than once.
    /// </summary>
    public void Dispose()
    {
        _scorer.Dispose();
        LastEpoch?.Dispose();
        GC.SuppressFinalize(this);
    }

    ValueMapper<TSrc, TDst> IValueMapper.GetMapper<TSrc, TDst>()
    {
        Host.Check(typeof(TSrc) == typeof(VBuffer<float>) && typeof(TDst) == typeof(TOutput),
            $"A feedback-alignment network maps a vector of Single to {ScoreType}.");
        return (ValueMapper<TSrc, TDst>)(GivesVectors ? CreateVectorMapper() : CreateNumberMapper());
    }

    /// <summary>The mapper from a row's features to the one score of the network.</summary>
    private Delegate CreateNumberMapper()
    {
        RowScorer score = OpenRowScorer();
        return (ValueMapper<VBuffer<float>, float>)((in VBuffer<float> features, ref float value) => value = score(in features)[0]);
    }

    /// <summary>The mapper from a row's features to its scores, as many as the network has outputs.</summary>
    private Delegate CreateVectorMapper()
    {
        RowScorer score = OpenRowScorer();
        return (ValueMapper<VBuffer<float>, VBuffer<float>>)((in VBuffer<float> features, ref VBuffer<float> value) =>
        {
            ReadOnlySpan<float> scores = score(in features);
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, scores.Length);
            scores.CopyTo(editor.Values);
            value = editor.Commit();
        });
    }

    /// <summary>Scores one row after another. Its scratch memory is its own: it serves one thread, the model many.</summary>
    private protected RowScorer OpenRowScorer()
    {
        float[] scores = new float[_layout.Outputs];
        float[]? dense = null;
        IScoringSession session = _scorer.Open();
        return (in VBuffer<float> source) =>
        {
            if (source.Length != _layout.Inputs)
                throw new InvalidOperationException(
                    $"The model was trained on {_layout.Inputs} features; the row has {source.Length}. Give it the columns that it was trained on.");
            if (source.IsDense)
                session.ComputeLogits(source.GetValues(), 1, scores);
            else
            {
                if (VectorForm.Fault(source, _layout.Inputs) is { } fault)
                    throw new InvalidOperationException($"The row's vector of features is malformed: {fault}. Correct the code that makes it.");
                if (!session.TryComputeSparse(source.GetIndices(), source.GetValues(), scores))
                {
                    dense ??= new float[_layout.Inputs];
                    source.CopyTo(dense);
                    session.ComputeLogits(dense, 1, scores);
                }
            }
            ToScores(scores, 1);
            return scores;
        };
    }

    /// <summary>The scores of a row, to be read before the next.</summary>
    private protected delegate ReadOnlySpan<float> RowScorer(in VBuffer<float> features);

    /// <summary>The header of the saved model.</summary>
    private protected abstract VersionInfo GetVersionInfo();

    /// <inheritdoc/>
    protected sealed override void SaveCore(ModelSaveContext ctx)
    {
        ctx.SetVersionInfo(GetVersionInfo());
        base.SaveCore(ctx);
        ctx.SaveTextStream(DocumentEntry, writer => ModelDocument.Create(Task, _layout, Rule, _feedbackKinds, History, _record,
            Targets).Write(writer));
        ctx.SaveBinaryStream(WeightsEntry, writer => Safetensors.Write(writer.BaseStream,
            [.. GetParameters().Select(pair => (pair.Key, pair.Value)),
                .. _feedbackKinds.SelectMany(Saved)]));
    }

    private IEnumerable<(string Name, ParameterTensor Values)> Saved(ModelDocument.FeedbackDocument feedback)
    {
        yield return (FeedbackLayout.NameOf(feedback.Layer), _feedback[feedback.Layer]);
        if (feedback.Memory != null)
            yield return (FeedbackLayout.MemoryNameOf(feedback.Layer), _memory[feedback.Layer]);
    }

    private static ParameterTensor Tensor(ParameterSlice slice, float[] buffer) => new(slice.Shape, buffer.AsMemory(slice.Offset, slice.Length));

    private static float[] Flatten(IEnumerable<ParameterSlice> slices, int length, IReadOnlyDictionary<string, ParameterTensor> tensors)
    {
        float[] buffer = new float[length];
        foreach (ParameterSlice slice in slices)
            tensors[slice.Name].Values.Span.CopyTo(slice.In(buffer.AsSpan()));
        return buffer;
    }
}
