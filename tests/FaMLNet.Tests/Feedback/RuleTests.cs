using Xunit;

namespace FaMLNet.Tests.Feedback;

public sealed class RuleTests
{
    [Fact]
    public void Short_names_parse_to_the_static_members_in_any_case()
    {
        Assert.Same(FeedbackRule.Backpropagation, FeedbackRule.Parse("bp"));
        Assert.Same(FeedbackRule.FeedbackAlignment, FeedbackRule.Parse("FA"));
        Assert.Same(FeedbackRule.DirectFeedbackAlignment, FeedbackRule.Parse(" dfa "));
        Assert.Same(FeedbackRule.UniformSignConcordant, FeedbackRule.Parse("uSF"));
        Assert.Same(FeedbackRule.BatchwiseRandomSignConcordant, FeedbackRule.Parse("brsf"));
        Assert.Same(FeedbackRule.FixedRandomSignConcordant, FeedbackRule.Parse("frsf"));
        Assert.All(FeedbackRule.All, rule => Assert.Same(rule, FeedbackRule.Parse(rule.ShortName)));
        Assert.Equal(14, FeedbackRule.All.Count);
        Assert.Equal(["nss", "kp", "wm", "pfa", "dkp", "drtp", "sdfa", "pepita"], Rules.Further.Select(rule => rule.ShortName));
        Assert.Same(FeedbackRule.KolenPollack, FeedbackRule.Parse("KP"));
        Assert.Same(FeedbackRule.Pepita, FeedbackRule.Parse("PEPITA"));
        Assert.Throws<ArgumentNullException>(() => FeedbackRule.Parse(null!));
    }

    [Fact]
    public void Signs_are_copied_for_every_length_and_zero_counts_by_its_sign_bit()
    {
        RandomGenerator random = new(1, "signs");
        for (int length = 0; length < 70; length++)
        {
            float[] magnitudes = new float[length], signs = new float[length], fromArray = new float[length], fromScalar = new float[length];
            random.FillUniform(magnitudes, -1, 1);
            random.FillUniform(signs, -1, 1);
            if (length > 2)
                (signs[0], signs[1]) = (0f, -0f);
            SignConcordance.CopySign(magnitudes, signs, fromArray);
            SignConcordance.CopySign(0.5f, signs, fromScalar);
            for (int i = 0; i < length; i++)
            {
                Assert.Equal(MathF.CopySign(magnitudes[i], signs[i]), fromArray[i]);
                Assert.Equal(MathF.CopySign(0.5f, signs[i]), fromScalar[i]);
            }
        }
    }

    [Fact]
    public void Networks_compare_by_value()
    {
        Assert.Equal(NetworkDefinition.Mlp(8, 4), NetworkDefinition.Mlp(8, 4));
        Assert.Equal(NetworkDefinition.Mlp(8, 4).GetHashCode(), NetworkDefinition.Mlp(8, 4).GetHashCode());
        Assert.NotEqual(NetworkDefinition.Mlp(8, 4), NetworkDefinition.Mlp(4, 8));
        Assert.NotEqual(NetworkDefinition.Mlp(8), NetworkDefinition.Mlp(8) with { Activation = Activation.ELU });
        Assert.NotEqual(NetworkDefinition.Mlp(8), NetworkDefinition.Mlp(8) with { Dropout = 0.1f });
    }
}
