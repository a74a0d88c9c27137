using Xunit;

namespace FaMLNet.Tests.Feedback;

/// <summary>Rules for tests that go through several.</summary>
/// <summary>The rules in groups, and their short names for theories: a theory names the rule that fails and goes on with the others.</summary>
internal static class Rules
{
    /// <summary>The six of Sanfiz and Akrout (2021): every kind of feedback weights, fixed and following, in few trainings.</summary>
    public static IReadOnlyList<FeedbackRule> Six { get; } = [.. FeedbackRule.All.Take(6)];

    /// <summary>The others.</summary>
    public static IReadOnlyList<FeedbackRule> Further { get; } = [.. FeedbackRule.All.Skip(6)];

    public static TheoryData<string> AllNames => NamesOf(FeedbackRule.All);

    public static TheoryData<string> SixNames => NamesOf(Six);

    public static TheoryData<string> FurtherNames => NamesOf(Further);

    /// <summary>Of the rules that send an error backwards in one pass.</summary>
    public static TheoryData<string> OfErrorsNames => NamesOf(FeedbackRule.All.Where(rule => rule is not InputModulationRule));

    private static TheoryData<string> NamesOf(IEnumerable<FeedbackRule> rules) => [.. rules.Select(rule => rule.ShortName)];
}
