using Xunit;

namespace FaMLNet.Tests.Feedback;

/// <summary>Rules for tests that go through several.</summary>
internal static class Rules
{
    /// <summary>The six of Sanfiz and Akrout (2021): every kind of feedback weights, fixed and following, in few trainings.</summary>
    public static IReadOnlyList<FeedbackRule> Six { get; } = [.. FeedbackRule.All.Take(6)];

    /// <summary>The others.</summary>
    public static IReadOnlyList<FeedbackRule> Further { get; } = [.. FeedbackRule.All.Skip(6)];

    /// <summary>For theories of rules.</summary>
    public static TheoryData<string> NamesOf(IEnumerable<FeedbackRule> rules) => [.. rules.Select(rule => rule.ShortName)];
}
