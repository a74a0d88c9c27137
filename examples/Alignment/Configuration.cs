using FaMLNet;

namespace Alignment;

/// <summary>One of the trainings that are compared.</summary>
/// <param name="Name">What to call it; also its file's name.</param>
/// <param name="Rule">The rule.</param>
/// <param name="UsesAdam">Adam, or SGD with momentum, at the task's rate.</param>
/// <param name="Scale">Factor on initial and feedback weights: 1 as in the article, null for the rule's own defaults.</param>
internal sealed record Configuration(string Name, FeedbackRule Rule, bool UsesAdam, float? Scale)
{
    /// <summary>What the article's claims are about, and the two rules whose defaults start smaller.</summary>
    public static Configuration[] All { get; } =
    [
        new("fa sgd", FeedbackRule.FeedbackAlignment, false, 1), new("fa adam", FeedbackRule.FeedbackAlignment, true, 1),
        new("dfa sgd", FeedbackRule.DirectFeedbackAlignment, false, 1), new("dfa adam", FeedbackRule.DirectFeedbackAlignment, true, 1),
        new("usf sgd", FeedbackRule.UniformSignConcordant, false, 1), new("brsf sgd", FeedbackRule.BatchwiseRandomSignConcordant, false, 1),
        new("frsf sgd", FeedbackRule.FixedRandomSignConcordant, false, 1),
        new("fa adam small", FeedbackRule.FeedbackAlignment, true, null), new("dfa adam small", FeedbackRule.DirectFeedbackAlignment, true, null),
    ];

    public OptimizerOptions OptimizerFor(LearningTask task) => UsesAdam ? new OptimizerOptions.Adam { LearningRate = 1e-3f }
        : new OptimizerOptions.Sgd { LearningRate = task.SgdRate, Momentum = 0.9f, WeightDecay = 1e-4f };
}
