using System.ComponentModel;
using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Trainers;

namespace FaMLNet;

public sealed partial class FeedbackAlignmentMulticlassTrainer
{
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
        /// <value>Default: null, the rule's own (<see cref="RuleDefaults.DenseOptimizer"/> for networks of dense layers, else
        /// <see cref="RuleDefaults.Optimizer"/>).</value>
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
        /// <value>Range: above 0. Default: null, the rule's own (<see cref="RuleDefaults.InitialWeightScale"/>); for layer-wise rules 1 in
        /// a network with normalisation, which undoes it.</value>
        public float? InitialWeightScale { get; set; }

        /// <summary>Factor on the feedback weights.</summary>
        /// <value>Range: above 0. Default: null, the rule's own (<see cref="RuleDefaults.FeedbackScale"/>).</value>
        public float? FeedbackScale { get; set; }

        /// <summary>
        /// The distribution from which feedback weights are drawn, or magnitudes of them. That of the forward weights is the network's own,
        /// <c>Initialization</c>.
        /// </summary>
        /// <value>Default: <see cref="WeightInitialization.XavierUniform"/>.</value>
        public WeightInitialization FeedbackInitialization { get; set; } = WeightInitialization.XavierUniform;

        /// <summary>
        /// Whether to subtract every feature's mean over the training data before training and to fold the means into the first layer's bias
        /// after it: the same network, whose training is better conditioned (LeCun et al. 1998, "Efficient BackProp"). It makes up for
        /// <c>NormalizeMeanVariance</c>, which by default leaves the mean where it is to keep sparse data sparse.
        /// </summary>
        /// <value>Default: true.</value>
        public bool CenterFeatures { get; set; } = true;

        /// <summary>
        /// Share of the training rows, of every class alike, that is kept aside to measure loss and accuracy on after each epoch. Not used
        /// where Fit is given a validation set.
        /// </summary>
        /// <value>Range: 0 or more and below 1. Default: 0, none.</value>
        public double ValidationFraction { get; set; }

        /// <summary>When to end the training before the last epoch.</summary>
        /// <value>Default: null, never.</value>
        public EarlyStopping? EarlyStopping { get; set; }

        /// <summary>The k of <see cref="EpochMetrics.ValidationTopKAccuracy"/>.</summary>
        /// <value>Range: 1 or more. Default: null, not measured.</value>
        public int? TopK { get; set; }

        /// <summary>A bound on the gradient of each update, or on the error on its way down.</summary>
        /// <value>Default: null, none.</value>
        public GradientClipping? GradientClipping { get; set; }

        /// <summary>
        /// Whether after every update the weights of each layer are scaled back to the norm that they had before the first (Moskovitz,
        /// Litwin-Kumar and Abbott 2018, "Feedback alignment in deep convolutional networks"): they turn, and do not grow away from feedback
        /// weights that stay as they are. Biases and normalisation are left alone.
        /// </summary>
        /// <value>Default: false.</value>
        public bool ConstrainWeightNorms { get; set; }

        /// <summary>
        /// Share of the target that goes to all classes alike instead of the label's (Szegedy et al. 2016, "Rethinking the Inception
        /// architecture").
        /// </summary>
        /// <value>Range: 0 or more and below 1. Default: 0.</value>
        public float LabelSmoothing { get; set; }

        /// <summary>How much each class counts, beside example weights.</summary>
        /// <value>Default: null, every row alike.</value>
        public ClassWeights? ClassWeights { get; set; }

        /// <summary>Where the training data is between epochs.</summary>
        /// <value>Default: <see cref="DataCaching.Auto"/>.</value>
        public DataCaching DataCaching { get; set; } = DataCaching.Auto;

        /// <summary>
        /// A folder for the state of the training, so that one that was interrupted, in whatever way, goes on when it is fitted again with the
        /// same options and data, and ends with the same weights, bit for bit. Created if it is not there. One training a folder.
        /// </summary>
        /// <value>Default: null, no checkpoints.</value>
        public string? CheckpointFolder { get; set; }

        /// <summary>Epochs from one checkpoint to the next.</summary>
        /// <value>Range: 1 or more. Default: 1.</value>
        public int CheckpointEveryEpochs { get; set; } = 1;

        /// <summary>Minutes after which a checkpoint is saved also within an epoch.</summary>
        /// <value>Range: above 0. Default: null, only at the end of epochs and on cancellation.</value>
        public double? CheckpointEveryMinutes { get; set; }

        /// <summary>How many of the latest checkpoints to keep; that of the best epoch is kept besides, as best.zip.</summary>
        /// <value>Range: 1 or more. Default: 3.</value>
        public int CheckpointsToKeep { get; set; } = 3;

        /// <summary>What is measured of the layers, at the last step of each epoch. It changes no weight.</summary>
        /// <value>Default: <see cref="LayerDiagnostics.Alignment"/>.</value>
        public LayerDiagnostics Diagnostics { get; set; } = LayerDiagnostics.Alignment;

        /// <summary>
        /// Steps from one point to the next that is measured within epochs as well and handed to <see cref="StepCallback"/>.
        /// </summary>
        /// <value>Range: 1 or more. Default: null, only once an epoch.</value>
        public int? DiagnosticsEverySteps { get; set; }

        /// <summary>
        /// Called at every <see cref="DiagnosticsEverySteps"/>-th step, after its update, on the training thread. An exception from it stops the
        /// training.
        /// </summary>
        /// <value>Default: null.</value>
        public Action<StepMetrics>? StepCallback { get; set; }

        /// <summary>Whether <see cref="Diagnostics"/> include <see cref="LayerDiagnostics.Alignment"/>: the option's former name.</summary>
        /// <value>Default: true.</value>
        [EditorBrowsable(EditorBrowsableState.Never)]
        public bool TrackAlignment
        {
            get => Diagnostics.HasFlag(LayerDiagnostics.Alignment);
            set => Diagnostics = value ? Diagnostics | LayerDiagnostics.Alignment : Diagnostics & ~LayerDiagnostics.Alignment;
        }

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
            Check(Augmentation is null || Network is not MlpDefinition, nameof(Augmentation), Augmentation,
                $"null for a network of dense layers, which takes no images ({Network})");
            Augmentation?.Validate(ImageShape);
            (Optimizer ?? Rule!.Defaults.OptimizerFor(Network)).Validate();
            (Schedule ?? Rule!.Defaults.Schedule).Validate();
            Check(NumberOfEpochs >= 1, nameof(NumberOfEpochs), NumberOfEpochs, "at least 1");
            Check(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
            Check(BatchSize <= 1 << 20, nameof(BatchSize), BatchSize, "at most 1048576");
            Check(BatchSize >= 2 || !Network.UsesBatchNormalization, nameof(BatchSize), BatchSize,
                "at least 2 with batch normalisation, which needs a variance");
            Check(ValidationFraction >= 0 && ValidationFraction < 1, nameof(ValidationFraction), ValidationFraction,
                "0 or more and below 1, for example 0.1");
            Check(LabelSmoothing >= 0 && LabelSmoothing < 1, nameof(LabelSmoothing), LabelSmoothing, "0 or more and below 1, for example 0.1");
            Check(TopK is null or >= 1, nameof(TopK), TopK, "at least 1, or null");
            Check(Enum.IsDefined(DataCaching), nameof(DataCaching), DataCaching, $"one of {string.Join(", ", Enum.GetNames<DataCaching>())}");
            Check(CheckpointFolder is null || !string.IsNullOrWhiteSpace(CheckpointFolder), nameof(CheckpointFolder), CheckpointFolder,
                "the path of a folder, or null");
            Check(CheckpointEveryEpochs >= 1, nameof(CheckpointEveryEpochs), CheckpointEveryEpochs, "at least 1");
            Check(CheckpointEveryMinutes is null || (CheckpointEveryMinutes > 0 && double.IsFinite(CheckpointEveryMinutes.Value)),
                nameof(CheckpointEveryMinutes), CheckpointEveryMinutes, "above 0, or null");
            Check(CheckpointsToKeep >= 1, nameof(CheckpointsToKeep), CheckpointsToKeep, "at least 1");
            Check((Diagnostics & ~LayerDiagnostics.All) == 0, nameof(Diagnostics), Diagnostics,
                $"a combination of {string.Join(", ", Enum.GetNames<LayerDiagnostics>())}");
            Check(DiagnosticsEverySteps is null or >= 1, nameof(DiagnosticsEverySteps), DiagnosticsEverySteps, "at least 1, or null");
            Check(StepCallback is null || DiagnosticsEverySteps is not null, nameof(DiagnosticsEverySteps), DiagnosticsEverySteps,
                "a number of steps where StepCallback is set: without one it would never be called");
            EarlyStopping?.Validate();
            GradientClipping?.Validate();
            ClassWeights?.Validate();
            CheckScale(InitialWeightScale, nameof(InitialWeightScale));
            CheckScale(FeedbackScale, nameof(FeedbackScale));
            Check(Enum.IsDefined(FeedbackInitialization), nameof(FeedbackInitialization), FeedbackInitialization,
                $"one of {string.Join(", ", Enum.GetNames<WeightInitialization>())}");
            Check(NumberOfThreads is null or >= 1, nameof(NumberOfThreads), NumberOfThreads, "at least 1, or null");
        }

        internal TrainingSettings Resolve(Func<int> defaultSeed) => new()
        {
            Rule = Rule,
            Network = Network,
            ImageShape = ImageShape,
            Augmentation = Augmentation,
            Optimizer = Optimizer ?? Rule.Defaults.OptimizerFor(Network),
            Schedule = Schedule ?? Rule.Defaults.Schedule,
            InitialWeightScale = InitialWeightScale,
            FeedbackScale = FeedbackScale ?? Rule.Defaults.FeedbackScale,
            FeedbackInitialization = FeedbackInitialization,
            NumberOfEpochs = NumberOfEpochs,
            BatchSize = BatchSize,
            Seed = Seed ?? defaultSeed(),
            Diagnostics = Diagnostics,
            DiagnosticsEverySteps = StepCallback == null ? null : DiagnosticsEverySteps,
            CenterFeatures = CenterFeatures,
            NumberOfThreads = NumberOfThreads,
            SeedIsChosen = Seed.HasValue,
            ValidationFraction = ValidationFraction,
            EarlyStopping = EarlyStopping,
            TopK = TopK,
            Clipping = GradientClipping,
            ConstrainWeightNorms = ConstrainWeightNorms,
            LabelSmoothing = LabelSmoothing,
            ClassWeights = ClassWeights,
            Caching = DataCaching,
            Checkpoints = CheckpointFolder == null ? null
                : new CheckpointSettings(CheckpointFolder, CheckpointEveryEpochs, CheckpointEveryMinutes, CheckpointsToKeep),
        };

        private static void CheckName(string name, string option) => Check(!string.IsNullOrWhiteSpace(name), option, name, "the name of a column");

        private static void CheckScale(float? scale, string option) =>
            Check(scale is null || (scale > 0 && float.IsFinite(scale.Value)), option, scale, "above 0 and finite, or null for the rule's own");

        private static void Check(bool condition, string option, object? found, string expected)
        {
            if (!condition)
                throw OptionError.OutOfRange(option, $"must be {expected}; found {found ?? "null"}.");
        }
    }
}
