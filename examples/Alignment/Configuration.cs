using FaMLNet;

namespace Alignment;

/// <summary>One of the trainings that are compared.</summary>
/// <param name="Name">What to call it; also its file's name.</param>
/// <param name="Rule">The rule.</param>
/// <param name="Optimizer">The optimiser.</param>
/// <param name="Scale">Factor on initial and feedback weights: 1 as in the article, null for the rule's own defaults.</param>
internal sealed record Configuration(string Name, FeedbackRule Rule, OptimizerOptions Optimizer, float? Scale)
{
    private static readonly OptimizerOptions Sgd = new OptimizerOptions.Sgd { LearningRate = 0.01f, Momentum = 0.9f, WeightDecay = 1e-4f },
        Adam = new OptimizerOptions.Adam { LearningRate = 1e-3f };

    /// <summary>What the article's claims are about, and the two rules whose defaults start smaller.</summary>
    public static Configuration[] All { get; } =
    [
        new("fa sgd", FeedbackRule.FeedbackAlignment, Sgd, 1), new("fa adam", FeedbackRule.FeedbackAlignment, Adam, 1),
        new("dfa sgd", FeedbackRule.DirectFeedbackAlignment, Sgd, 1), new("dfa adam", FeedbackRule.DirectFeedbackAlignment, Adam, 1),
        new("usf sgd", FeedbackRule.UniformSignConcordant, Sgd, 1), new("brsf sgd", FeedbackRule.BatchwiseRandomSignConcordant, Sgd, 1),
        new("frsf sgd", FeedbackRule.FixedRandomSignConcordant, Sgd, 1),
        new("fa adam small", FeedbackRule.FeedbackAlignment, Adam, null), new("dfa adam small", FeedbackRule.DirectFeedbackAlignment, Adam, null),
    ];
}
