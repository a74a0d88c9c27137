using System.Diagnostics.CodeAnalysis;
using Microsoft.ML;
using Microsoft.ML.Trainers;

namespace FaMLNet;

/// <summary>What every trainer of this library has to choose; each trainer's own <c>Options</c> add what its task needs.</summary>
public abstract partial class FeedbackAlignmentOptions : TrainerInputBaseWithWeight
{
    private NetworkDefinition? _network;

    private protected FeedbackAlignmentOptions() { }

    /// <summary>How the error travels back.</summary>
    /// <value>Default: <see cref="FeedbackRule.FeedbackAlignment"/>.</value>
    public FeedbackRule Rule { get; set; } = FeedbackRule.FeedbackAlignment;

    /// <summary>The layers. Sizes of input and output come from the data.</summary>
    /// <value>Default: null, the rule's own (<c>NetworkDefinition.Mlp(128, 64)</c> with <see cref="RuleDefaults.Activation"/>). Reading the option
    /// then gives that network.</value>
    [AllowNull]
    public NetworkDefinition Network
    {
        get => _network ?? (Rule?.Defaults ?? new()).Network;
        set => _network = value;
    }

    /// <summary>How a feature vector is laid out as an image: channel by channel, row by row. For convolutional networks only.</summary>
    /// <value>Default: null: what the feature column's dimensions say, else a square of 1 or 3 channels if the number of features is one. A shape
    /// that contradicts the column's dimensions is refused.</value>
    public ImageShape? ImageShape { get; set; }

    /// <summary>How images are changed at random while they are trained on. For networks that take images only.</summary>
    /// <value>Default: null, not at all.</value>
    public Augmentation? Augmentation { get; set; }

    /// <summary>The optimiser and its settings.</summary>
    /// <value>Default: null, the rule's own (<see cref="RuleDefaults.DenseOptimizer"/> for networks of dense layers, else
    /// <see cref="RuleDefaults.Optimizer"/>), at the rate of <see cref="LearningRate"/> where that is set.</value>
    public OptimizerOptions? Optimizer { get; set; }

    /// <summary>
    /// Step size of the rule's own optimiser, used as given, on sparse rows too. An <see cref="Optimizer"/> has a rate of its own: set one of the two
    /// options; both are refused.
    /// </summary>
    /// <value>Range: above 0. Default: null, the rule's own (the rate of <see cref="RuleDefaults.DenseOptimizer"/> for networks of dense layers, 2.5
    /// times as high on sparse rows, else that of <see cref="RuleDefaults.Optimizer"/>).</value>
    public float? LearningRate { get; set; }

    /// <summary>How the learning rate changes over the run.</summary>
    /// <value>Default: null, the rule's own (<see cref="RuleDefaults.Schedule"/>).</value>
    public LearningRateSchedule? Schedule { get; set; }

    /// <summary>Passes over the training data.</summary>
    /// <value>Range: 1 or more. Default: 100; 25 for a regression.</value>
    public int NumberOfEpochs { get; set; } = Defaults.NumberOfEpochs;

    /// <summary>Rows per update.</summary>
    /// <value>Range: 1 or more; 2 or more with batch normalisation. Default: 32.</value>
    public int BatchSize { get; set; } = Defaults.BatchSize;

    /// <summary>Seed of shuffling, initial weights, feedback weights and dropout, each with a generator of its own.</summary>
    /// <value>Default: null, drawn from the <see cref="MLContext"/>'s own seed when the trainer is created.</value>
    public int? Seed { get; set; }

    /// <summary>Factor on the initial weights of every layer but the first.</summary>
    /// <value>Range: above 0. Default: null, the rule's own (<see cref="RuleDefaults.InitialWeightScale"/>). Two cases differ: layer-wise rules in
    /// a network with normalisation take no less than <see cref="FeedbackScale"/>, up to 1; with <see cref="ConstrainWeightNorms"/> it is 1, since
    /// weights would stay small.</value>
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
    /// Share of the training rows, of every class alike, that is kept aside to measure the loss and what the task asks for on after each epoch.
    /// Not used where Fit is given a validation set.
    /// </summary>
    /// <value>Range: 0 or more and below 1. Default: 0, none.</value>
    public double ValidationFraction { get; set; }

    /// <summary>
    /// Seed of the choice of the rows that <see cref="ValidationFraction"/> keeps aside. Trainings that differ in <see cref="Seed"/> alone are
    /// measured on the same rows where it is set.
    /// </summary>
    /// <value>Default: null, the training's <see cref="Seed"/>.</value>
    public int? ValidationSeed { get; set; }

    /// <summary>When to end the training before the last epoch.</summary>
    /// <value>Default: null, never.</value>
    public EarlyStopping? EarlyStopping { get; set; }

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

    /// <summary>Where the training data is between epochs.</summary>
    /// <value>Default: <see cref="DataCaching.Auto"/>.</value>
    public DataCaching DataCaching { get; set; } = DataCaching.Auto;

    /// <summary>How rows of features are kept, and with them how the first layer of a dense network computes.</summary>
    /// <value>Default: <see cref="FeatureStorage.Auto"/>.</value>
    public FeatureStorage FeatureStorage { get; set; } = FeatureStorage.Auto;

    /// <summary>
    /// A folder for the state of the training, so that one that was interrupted, in whatever way, goes on when it is fitted again with the
    /// same options and data, and ends with the same weights, bit for bit. Created if it is not there.
    /// Trainings on other data by the same options, such as the folds of a cross-validation, have folders of their own below it.
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
}
