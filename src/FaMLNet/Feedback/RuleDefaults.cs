namespace FaMLNet;

/// <summary>The settings with which a rule learns well when the user chooses nothing.</summary>
/// <remarks>
/// Weights that start small come into line with the feedback, instead of having to unlearn a direction of their own; the scale of the
/// feedback acts as a learning rate of the lower layers. With both scales at 1 a rule is its paper's to the letter.
/// </remarks>
public sealed record RuleDefaults
{
    /// <inheritdoc/>
    public override string ToString() => InvariantText.OfRecord(GetType().Name, PrintMembers);

    private readonly OptimizerOptions? _optimizer, _denseOptimizer;

    /// <summary>The optimiser of convolutional and custom networks, which see thousands of steps.</summary>
    /// <value>
    /// Default: <see cref="OptimizerOptions.AdamW"/> with a learning rate of 0.002 and a decay of 0.15, which shrinks weights by 0.03 % a step:
    /// little in ten epochs, and enough that a hundred end above them.
    /// </value>
    public OptimizerOptions Optimizer
    {
        get => _optimizer ?? new OptimizerOptions.AdamW { LearningRate = 0.002f, WeightDecay = 0.15f };
        init => _optimizer = value;
    }

    /// <summary>
    /// The optimiser of networks of dense layers, which on a table see a few hundred steps. On sparse rows its rate is 2.5 times as high: the
    /// weights of a feature change only in the steps in which it occurs.
    /// </summary>
    /// <value>Default: <see cref="Optimizer"/> if that is set, else <see cref="OptimizerOptions.Adam"/> with a learning rate of 0.004.</value>
    public OptimizerOptions DenseOptimizer
    {
        get => _denseOptimizer ?? _optimizer ?? new OptimizerOptions.Adam { LearningRate = 0.004f };
        init => _denseOptimizer = value;
    }

    /// <summary>The activation of the network that is trained where none is chosen.</summary>
    /// <value>Default: <see cref="Activation.ReLU"/>.</value>
    public Activation Activation { get; init; } = Activation.ReLU;

    /// <summary>How the learning rate changes over the run.</summary>
    /// <value>Default: down to 0 along half a cosine.</value>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Cosine();

    /// <summary>
    /// Factor on the initial weights of every layer but the first. For a layer-wise rule and a network with normalisation it is at least
    /// <see cref="FeedbackScale"/>, up to 1: smaller weights would only make errors grow from layer to layer.
    /// </summary>
    /// <value>Default: 1.</value>
    public float InitialWeightScale { get; init; } = 1;

    /// <summary>Factor on the feedback weights.</summary>
    /// <value>Default: 1.</value>
    public float FeedbackScale { get; init; } = 1;

    /// <summary>For rules whose feedback is random: weights that start small, and a lower rate.</summary>
    internal static RuleDefaults RandomFeedback { get; } = new()
    {
        Optimizer = new OptimizerOptions.AdamW { LearningRate = 0.001f, WeightDecay = 0.1f },
        DenseOptimizer = new OptimizerOptions.Adam { LearningRate = 0.004f },
        InitialWeightScale = 0.1f,
    };

    /// <summary>For rules whose random feedback comes straight from the output.</summary>
    internal static RuleDefaults DirectFeedback { get; } = RandomFeedback with { FeedbackScale = 0.1f };

    /// <summary>
    /// For rules whose feedback follows the weights' updates: what the two start with must decay, so both start small, the feedback smaller still.
    /// </summary>
    internal static RuleDefaults FollowingFeedback { get; } = new()
    {
        Optimizer = new OptimizerOptions.AdamW { LearningRate = 0.004f, WeightDecay = 0.15f },
        DenseOptimizer = new OptimizerOptions.AdamW { LearningRate = 0.004f, WeightDecay = 0.1f },
        InitialWeightScale = 0.3f,
        FeedbackScale = 0.03f,
    };

    /// <summary>Factor on the rate of <see cref="DenseOptimizer"/> for sparse rows.</summary>
    internal const float SparseRateFactor = 2.5f;

    /// <summary>An optimiser that nobody chose, at its rate for sparse rows: a weight moves only where its feature is.</summary>
    internal static OptimizerOptions OnSparseRows(OptimizerOptions optimizer) =>
        optimizer with { LearningRate = optimizer.LearningRate * SparseRateFactor };

    /// <summary>The network that is trained where none is chosen.</summary>
    internal NetworkDefinition Network => NetworkDefinition.Mlp(128, 64) with { Activation = Activation };

    /// <summary>The optimiser for a network.</summary>
    internal OptimizerOptions OptimizerFor(NetworkDefinition network) => network is MlpDefinition ? DenseOptimizer : Optimizer;
}
