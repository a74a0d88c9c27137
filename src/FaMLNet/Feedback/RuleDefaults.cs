namespace FaMLNet;

/// <summary>The settings with which a rule learns well when the user chooses nothing.</summary>
/// <remarks>
/// Weights that start small come into line with the feedback, instead of having to unlearn a direction of their own; the scale of the
/// feedback acts as a learning rate of the lower layers. With both scales at 1 a rule is its paper's to the letter.
/// </remarks>
public sealed record RuleDefaults
{
    /// <summary>The optimiser.</summary>
    /// <value>Default: <see cref="OptimizerOptions.Adam"/> with a learning rate of 0.002.</value>
    public OptimizerOptions Optimizer { get; init; } = new OptimizerOptions.Adam { LearningRate = 0.002f };

    /// <summary>How the learning rate changes over the run.</summary>
    /// <value>Default: down to 0 along half a cosine.</value>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Cosine();

    /// <summary>Factor on the initial weights of every layer but the first.</summary>
    /// <value>Default: 1.</value>
    public float InitialWeightScale { get; init; } = 1;

    /// <summary>Factor on the feedback weights.</summary>
    /// <value>Default: 1.</value>
    public float FeedbackScale { get; init; } = 1;

    /// <summary>For rules whose feedback is random: weights that start small, and a lower rate.</summary>
    internal static RuleDefaults RandomFeedback { get; } = new() { Optimizer = new OptimizerOptions.Adam { LearningRate = 0.001f }, InitialWeightScale = 0.1f };
}
