using System.Globalization;
using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace FaMLNet;

/// <summary>
/// The <see cref="IEstimator{TTransformer}"/> that trains a neural network for multiclass classification by feedback alignment or
/// backpropagation.
/// </summary>
/// <remarks>
/// <para>Create it by <c>mlContext.MulticlassClassification.Trainers.FeedbackAlignment(…)</c>.</para>
/// <para>Input: label, a key (<see cref="KeyDataViewType"/> of <see cref="uint"/>); features, a vector of <see cref="float"/> of known size;
/// optionally example weights, <see cref="float"/>. Output: <c>Score</c>, class probabilities with the labels as slot names, and
/// <c>PredictedLabel</c>, a key with the training label's values.</para>
/// <para>Networks want features of about unit size: put <c>NormalizeMeanVariance</c> before the trainer. Rows whose features are missing
/// (NaN) or whose label or weight is missing are left out, and a log message counts them. The data is read into memory once, so that
/// <c>AppendCacheCheckpoint</c> is not needed.</para>
/// <para>Training needs TorchSharp's native libraries; predicting with a dense network does not.</para>
/// </remarks>
public sealed class FeedbackAlignmentMulticlassTrainer
    : TrainerEstimatorBase<MulticlassPredictionTransformer<FeedbackAlignmentMulticlassModelParameters>, FeedbackAlignmentMulticlassModelParameters>,
      IEstimator<MulticlassPredictionTransformer<FeedbackAlignmentMulticlassModelParameters>>
{
    private readonly TrainingSettings _settings;
    private readonly Action<EpochMetrics>? _metricsCallback;
    private readonly CancellationToken _cancellation;

    internal FeedbackAlignmentMulticlassTrainer(IHostEnvironment env, Options options)
        : base(Register(env, options), TrainerUtils.MakeR4VecFeature(options.FeatureColumnName), TrainerUtils.MakeU4ScalarColumn(options.LabelColumnName),
            TrainerUtils.MakeR4ScalarWeightColumn(options.ExampleWeightColumnName))
    {
        _settings = options.Resolve(defaultSeed: () => Host.Rand.Next());
        _metricsCallback = options.MetricsCallback;
        _cancellation = options.CancellationToken;
    }

    /// <inheritdoc/>
    public override TrainerInfo Info { get; } = new(normalization: true, calibration: false, caching: false);

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => PredictionKind.MulticlassClassification;

    /// <summary>Trains a network.</summary>
    /// <param name="input">The training data.</param>
    /// <returns>A transformer that scores; its <c>Model</c> holds the weights and the history of the training.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">The data cannot be trained on: no usable row, one class only, an infinite feature, a negative weight.</exception>
    /// <exception cref="TrainingDivergedException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException"><see cref="Options.CancellationToken"/> was cancelled.</exception>
    /// <exception cref="DllNotFoundException">TorchSharp's native libraries cannot be loaded.</exception>
    public new MulticlassPredictionTransformer<FeedbackAlignmentMulticlassModelParameters> Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckColumns(SchemaShape.Create(input.Schema));
        return TrainTransformer(input);
    }

    /// <summary>The schema after the trainer, if its input's is <paramref name="inputSchema"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type.</exception>
    public new SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckColumns(inputSchema);
        return base.GetOutputSchema(inputSchema);
    }

    /// <inheritdoc/>
    protected override SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema)
    {
        inputSchema.TryFindColumn(LabelColumn.Name, out SchemaShape.Column label);
        SchemaShape keyValues = new(label.Annotations.Where(annotation => annotation.Name == AnnotationUtils.Kinds.KeyValues).Concat(AnnotationUtils.GetTrainerOutputAnnotation()));
        return
        [
            new(DefaultColumnNames.Score, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, false, new SchemaShape(AnnotationUtils.AnnotationsForMulticlassScoreColumn(label))),
            new(DefaultColumnNames.PredictedLabel, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, true, keyValues),
        ];
    }

    /// <inheritdoc/>
    protected override MulticlassPredictionTransformer<FeedbackAlignmentMulticlassModelParameters> MakeTransformer(FeedbackAlignmentMulticlassModelParameters model, DataViewSchema trainSchema)
    {
        MulticlassPredictionTransformer<FeedbackAlignmentMulticlassModelParameters> transformer = new(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);
        Interop.BatchedScorer.Install(transformer);
        return transformer;
    }

    /// <inheritdoc/>
    protected override FeedbackAlignmentMulticlassModelParameters TrainModelCore(TrainContext trainContext)
    {
        using IChannel channel = Host.Start("Training");
        using IProgressChannel progress = Host.StartProgressChannel("Training a feedback-alignment network");
        RoleMappedData training = trainContext.TrainingSet;
        TrainingData data = TrainingDataReader.Read(training.Data, training.Schema.Feature!.Value, training.Schema.Label!.Value, training.Schema.Weight, channel, CheckCancelled);
        TrainingSettings settings = _settings with { ImageShape = _settings.ImageShape ?? ImageColumns.ShapeOf(training.Schema.Feature!.Value), Environment = Host };
        EpochMetrics? latest = null;
        progress.SetHeader(new ProgressHeader(["loss", "accuracy"], ["epochs"]), entry =>
        {
            if (Volatile.Read(ref latest) is not { } metrics)
                return;
            entry.SetProgress(0, metrics.Epoch, _settings.NumberOfEpochs);
            entry.SetMetric(0, metrics.Loss);
            entry.SetMetric(1, metrics.Accuracy);
        });
        channel.Info($"Training {_settings.Network} by {_settings.Rule} for {_settings.NumberOfEpochs} epochs of mini-batches of {_settings.BatchSize}.");
        TrainingLoop loop = new(settings, data, metrics =>
        {
            Volatile.Write(ref latest, metrics);
            progress.Checkpoint(metrics.Loss, metrics.Accuracy, metrics.Epoch);
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Epoch {metrics.Epoch}/{_settings.NumberOfEpochs}: loss {metrics.Loss:F4}, accuracy {metrics.Accuracy:F4}, {metrics.SamplesPerSecond:F0} rows/s."));
            _metricsCallback?.Invoke(metrics);
        }, CheckCancelled, message => channel.Warning(message));
        return new FeedbackAlignmentMulticlassModelParameters(Host, loop.Run(Diverged));
    }

    private static IHost Register(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(env);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return env.Register(nameof(FeedbackAlignmentMulticlassTrainer));
    }

    private void CheckColumns(SchemaShape schema) =>
        InputColumns.Check(schema, FeatureColumn.Name, LabelColumn.Name, WeightColumn.IsValid ? WeightColumn.Name : null);

    private void CheckCancelled()
    {
        _cancellation.ThrowIfCancellationRequested();
        Host.CheckAlive();
    }

    private TrainingDivergedException Diverged(int epoch, TrainedNetwork lastGood)
    {
        float rate = lastGood.History.Count > 0 ? (float)lastGood.History[^1].LearningRate : _settings.Optimizer.LearningRate;
        return new TrainingDivergedException(
            string.Create(CultureInfo.InvariantCulture,
                $"Training diverged in epoch {epoch}: the loss or a weight became infinite or not a number, with a learning rate of {rate} ({_settings.Optimizer.GetType().Name}, rule {_settings.Rule.ShortName}). ")
            + $"Try a lower learning rate (a tenth), scale the features with mlContext.Transforms.NormalizeMeanVariance(\"{FeatureColumn.Name}\"), or lower FeedbackScale. "
            + $"The weights as they were before are in {nameof(TrainingDivergedException.LastGoodModel)}.",
            epoch, rate, new FeedbackAlignmentMulticlassModelParameters(Host, lastGood));
    }

    /// <summary>Options of <see cref="FeedbackAlignmentMulticlassTrainer"/>.</summary>
    public sealed class Options : TrainerInputBaseWithWeight
    {
        /// <summary>How the error travels back.</summary>
        /// <value>Default: <see cref="FeedbackRule.FeedbackAlignment"/>.</value>
        public FeedbackRule Rule { get; set; } = FeedbackRule.FeedbackAlignment;

        /// <summary>The layers. Sizes of input and output come from the data.</summary>
        /// <value>Default: <c>NetworkDefinition.Mlp(128, 64)</c>.</value>
        public NetworkDefinition Network { get; set; } = NetworkDefinition.Mlp(128, 64);

        /// <summary>How a feature vector is laid out as an image: channel by channel, row by row. For convolutional networks only.</summary>
        /// <value>Default: null, a square of 1 or 3 channels if the number of features is one.</value>
        public ImageShape? ImageShape { get; set; }

        /// <summary>How images are changed at random while they are trained on. For networks that take images only.</summary>
        /// <value>Default: null, not at all.</value>
        public Augmentation? Augmentation { get; set; }

        /// <summary>The optimiser and its settings.</summary>
        /// <value>Default: null, the rule's own (<see cref="RuleDefaults.Optimizer"/>).</value>
        public OptimizerOptions? Optimizer { get; set; }

        /// <summary>How the learning rate changes over the run.</summary>
        /// <value>Default: null, the rule's own (<see cref="RuleDefaults.Schedule"/>).</value>
        public LearningRateSchedule? Schedule { get; set; }

        /// <summary>Passes over the training data.</summary>
        /// <value>Range: 1 or more. Default: 100.</value>
        public int NumberOfEpochs { get; set; } = Defaults.NumberOfEpochs;

        /// <summary>Rows per update.</summary>
        /// <value>Range: 1 or more; 2 or more with batch normalisation. Default: 32.</value>
        public int BatchSize { get; set; } = Defaults.BatchSize;

        /// <summary>Seed of shuffling, initial weights, feedback weights and dropout, each with a generator of its own.</summary>
        /// <value>Default: null, drawn from the <see cref="MLContext"/>'s own seed when the trainer is created.</value>
        public int? Seed { get; set; }

        /// <summary>Factor on the initial weights of every layer but the first.</summary>
        /// <value>Range: above 0. Default: null, the rule's own (<see cref="RuleDefaults.InitialWeightScale"/>).</value>
        public float? InitialWeightScale { get; set; }

        /// <summary>Factor on the feedback weights.</summary>
        /// <value>Range: above 0. Default: null, the rule's own (<see cref="RuleDefaults.FeedbackScale"/>).</value>
        public float? FeedbackScale { get; set; }

        /// <summary>
        /// Whether to subtract every feature's mean over the training data before training and to fold the means into the first layer's bias
        /// after it: the same network, whose training is better conditioned (LeCun et al. 1998, "Efficient BackProp"). It makes up for
        /// <c>NormalizeMeanVariance</c>, which by default leaves the mean where it is to keep sparse data sparse.
        /// </summary>
        /// <value>Default: true.</value>
        public bool CenterFeatures { get; set; } = true;

        /// <summary>Whether to measure alignment angle and norm ratio after each epoch.</summary>
        /// <value>Default: true. It costs about a step an epoch.</value>
        public bool TrackAlignment { get; set; } = true;

        /// <summary>Called after each epoch, on the training thread. An exception from it stops the training.</summary>
        /// <value>Default: null.</value>
        public Action<EpochMetrics>? MetricsCallback { get; set; }

        /// <summary>Stops the training within one mini-batch with an <see cref="OperationCanceledException"/>.</summary>
        /// <value>Default: none.</value>
        public CancellationToken CancellationToken { get; set; }

        /// <summary>Threads for the matrix products; put back after training.</summary>
        /// <value>Range: 1 or more. Default: null: 1 for small networks, where more only cost, else libtorch's own number.</value>
        public int? NumberOfThreads { get; set; }

        internal static class Defaults
        {
            public const int NumberOfEpochs = 100;
            public const int BatchSize = 32;
        }

        /// <summary>Throws an <see cref="ArgumentException"/> that names the first option out of range.</summary>
        internal void Validate()
        {
            CheckName(LabelColumnName, nameof(LabelColumnName));
            CheckName(FeatureColumnName, nameof(FeatureColumnName));
            Check(Rule is not null, nameof(Rule), Rule, "a rule, for example FeedbackRule.FeedbackAlignment");
            Check(Network is not null, nameof(Network), Network, "a network, for example NetworkDefinition.Mlp(128, 64)");
            FeedbackRuleRegistry.Check(Rule!);
            Network!.Validate();
            ImageShape?.Validate();
            Check(Augmentation is null || Network is not MlpDefinition, nameof(Augmentation), Augmentation, $"null for a network of dense layers, which takes no images ({Network})");
            Augmentation?.Validate(ImageShape);
            (Optimizer ?? Rule!.Defaults.Optimizer).Validate();
            (Schedule ?? Rule!.Defaults.Schedule).Validate();
            Check(NumberOfEpochs >= 1, nameof(NumberOfEpochs), NumberOfEpochs, "at least 1");
            Check(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
            Check(BatchSize <= 1 << 20, nameof(BatchSize), BatchSize, "at most 1048576");
            Check(BatchSize >= 2 || !Network.UsesBatchNormalization, nameof(BatchSize), BatchSize, "at least 2 with batch normalisation, which needs a variance");
            CheckScale(InitialWeightScale, nameof(InitialWeightScale));
            CheckScale(FeedbackScale, nameof(FeedbackScale));
            Check(NumberOfThreads is null or >= 1, nameof(NumberOfThreads), NumberOfThreads, "at least 1, or null");
        }

        internal TrainingSettings Resolve(Func<int> defaultSeed) => new()
        {
            Rule = Rule,
            Network = Network,
            ImageShape = ImageShape,
            Augmentation = Augmentation,
            Optimizer = Optimizer ?? Rule.Defaults.Optimizer,
            Schedule = Schedule ?? Rule.Defaults.Schedule,
            InitialWeightScale = InitialWeightScale ?? Rule.Defaults.InitialWeightScale,
            FeedbackScale = FeedbackScale ?? Rule.Defaults.FeedbackScale,
            NumberOfEpochs = NumberOfEpochs,
            BatchSize = BatchSize,
            Seed = Seed ?? defaultSeed(),
            TrackAlignment = TrackAlignment,
            CenterFeatures = CenterFeatures,
            NumberOfThreads = NumberOfThreads,
        };

        private static void CheckName(string name, string option) => Check(!string.IsNullOrWhiteSpace(name), option, name, "the name of a column");

        private static void CheckScale(float? scale, string option) => Check(scale is null || (scale > 0 && float.IsFinite(scale.Value)), option, scale, "above 0 and finite, or null for the rule's own");

        private static void Check(bool condition, string option, object? found, string expected)
        {
            if (!condition)
                throw new ArgumentOutOfRangeException(option, $"Option {option} must be {expected}; found {found ?? "null"}.");
        }
    }
}
