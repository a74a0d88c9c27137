using OwnRule;
using Xunit;

namespace FaMLNet.Tests.Feedback;

/// <summary>A layer that a rule's author makes in a unit test.</summary>
public sealed class FeedbackLayerTests
{
    [Fact]
    public void The_examples_checks_of_its_rules_hold() => RuleChecks.Run();

    [Theory, InlineData(2, 3, 1), InlineData(4, 2, 9)]
    public void Its_standard_deviation_is_that_of_Xavier(int outputs, int inputs, int kernel)
    {
        int[] shape = kernel == 1 ? [outputs, inputs] : [outputs, inputs, 3, 3];
        float[] weights = new float[outputs * inputs * kernel];
        FeedbackLayer layer = new("layer", shape, weights, new float[weights.Length], new RandomGenerator(1, "feedback"));
        Assert.Equal(MathF.Sqrt(2f / (kernel * (outputs + inputs))), layer.StandardDeviation, 1e-6f);
        Assert.Equal((1f, WeightInitialization.XavierUniform), (layer.Scale, layer.Initialization));
        Assert.Equal(0.5f, new FeedbackLayer("layer", shape, weights, new float[weights.Length], layer.Random) { StandardDeviation = 0.5f }
            .StandardDeviation);
    }

    [Fact]
    public void A_rule_sees_what_the_test_sets()
    {
        float[] weights = [1, 2, 3, 4], feedback = [0, 0, 0, 0], update = [0.5f, 0, 0, -0.5f];
        FeedbackLayer layer = new("dense2", [2, 2], weights, feedback, new RandomGenerator(1, "feedback")) { Update = update, Decay = 0 };
        layer.Refresh((RuleWithFeedbackWeights)FeedbackRule.KolenPollack);
        Assert.Equal(update, feedback);
    }

    [Fact]
    public void What_a_rule_needs_and_the_layer_lacks_is_named()
    {
        Assert.Contains("must have 4 numbers in Update", Lack(FeedbackRule.KolenPollack, isStep: true), StringComparison.Ordinal);
        Assert.Contains("must have 4 numbers in Weights", Lack(FeedbackRule.KolenPollack, weights: 3), StringComparison.Ordinal);
        Assert.Contains("asks for activations", Lack(FeedbackRule.DirectKolenPollack, isStep: true), StringComparison.Ordinal);
        Assert.Contains("numbers in Memory", Lack(FeedbackRule.ProductFeedbackAlignment), StringComparison.Ordinal);
    }

    private static string Lack(FeedbackRule rule, int weights = 4, bool isStep = false) => Assert.Throws<InvalidOperationException>(() =>
    {
        FeedbackLayer layer = new("dense2", [2, 2], new float[weights], new float[4], new RandomGenerator(1, "feedback"));
        if (isStep)
            layer.Refresh((RuleWithFeedbackWeights)rule);
        else
            layer.Draw((RuleWithFeedbackWeights)rule);
    }).Message;

    [Theory, InlineData(4, 2), InlineData(4, 2, 0), InlineData(4), InlineData(5, 2, 2)]
    public void A_shape_that_does_not_fit_is_refused(int length, params int[] shape)
    {
        string argument = length == 5 ? "feedback" : "shape";
        Assert.Contains($"Argument {argument}: must have", Assert.Throws<ArgumentException>(argument, () =>
        {
            _ = new FeedbackLayer("dense2", shape, new float[4], new float[length], new RandomGenerator(1, ""));
        }).Message, StringComparison.Ordinal);
    }
}
