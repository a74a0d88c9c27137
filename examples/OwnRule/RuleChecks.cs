using System.Numerics.Tensors;
using FaMLNet;

namespace OwnRule;

/// <summary>The two rules on layers made by hand, without a training: the place to begin with a rule of one's own.</summary>
public static class RuleChecks
{
    /// <exception cref="InvalidOperationException">A rule does not do what its summary says.</exception>
    public static void Run()
    {
        FeedbackFollowsTheWeights();
        RowsAreAtRightAngles();
    }

    public static void FeedbackFollowsTheWeights()
    {
        float[] weights = [1, -2, 3, 4, -5, 6], feedback = new float[6];
        FeedbackLayer layer = new("dense2", [2, 3], weights, feedback, new RandomGenerator(1, "feedback"));
        LaggedTransportRule rule = new();
        layer.Draw(rule);
        float before = TensorPrimitives.Distance(weights, feedback);
        layer.Refresh(rule);
        Check(Math.Abs(TensorPrimitives.Distance(weights, feedback) - (0.998f * before)) < 1e-4f, "a step takes 0.2 % of the way to the weights");
    }

    public static void RowsAreAtRightAngles()
    {
        float[] weights = new float[20], feedback = new float[3 * 5];
        FeedbackLayer layer = new("dense2", [3, 5], weights, feedback, new RandomGenerator(1, "feedback"));
        layer.Draw(new OrthogonalDirectRule());
        for (int i = 1; i < 3; i++)
        {
            ReadOnlySpan<float> row = layer.Feedback.Slice(i * 5, 5), above = layer.Feedback.Slice((i - 1) * 5, 5);
            Check(Math.Abs(TensorPrimitives.CosineSimilarity(row, above)) < 1e-5f, "the rows are at right angles");
            Check(TensorPrimitives.Norm(row) > 0, "no row is 0");
        }
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException($"It does not hold that {what}.");
    }
}
