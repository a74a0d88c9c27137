using FaMLNet.Computing.Dense;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using Microsoft.ML;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training;

/// <summary>Label smoothing and gradient clipping against libtorch's own.</summary>
public sealed class LossTests
{
    [Theory, InlineData(0f), InlineData(0.1f), InlineData(0.9f)]
    public unsafe void Smoothed_cross_entropy_is_that_of_libtorch_both_ways(float smoothing)
    {
        const int Rows = 13, Width = 16, Classes = 5;
        RandomGenerator random = new(1, "loss");
        float[] logits = new float[Rows * Classes], bias = new float[Classes], biasGradient = new float[Classes], coefficients = new float[Width];
        random.FillNormal(logits, 0, 3);
        random.FillNormal(bias, 0, 1);
        int[] labels = [.. Enumerable.Range(0, Width).Select(_ => random.NextInt32(Classes))];
        for (int i = 0; i < Rows; i++)
            coefficients[i] = (i % 3) / 10f;
        using DisposeScope scope = NewDisposeScope();
        Tensor z = tensor(logits, [Rows, Classes]).add(tensor(bias)).to(ScalarType.Float64).requires_grad_();
        Tensor losses = nn.functional.cross_entropy(z, tensor([.. labels[..Rows].Select(label => (long)label)]), reduction: nn.Reduction.None,
            label_smoothing: smoothing);
        Tensor loss = losses.mul(tensor(coefficients[..Rows]).to(ScalarType.Float64)).sum();
        loss.backward();
        double[] expected = z.grad!.data<double>().ToArray();

        // Feature-major, with the bias.
        float[] columns = new float[Classes * Width];
        for (int row = 0; row < Rows; row++)
        {
            for (int c = 0; c < Classes; c++)
                columns[c * Width + row] = logits[row * Classes + c];
        }
        double found;
        fixed (float* start = columns, b = bias, g = biasGradient)
            (found, _) = new SoftmaxCrossEntropy(Width).Run(start, b, g, Classes, labels, coefficients, Rows, smoothing);
        Assert.Equal(loss.item<double>(), found, 1e-5);
        for (int row = 0; row < Rows; row++)
        {
            for (int c = 0; c < Classes; c++)
                Assert.Equal(expected[row * Classes + c], columns[c * Width + row], 1e-6);
        }
        for (int c = 0; c < Classes; c++)
            Assert.Equal(Enumerable.Range(0, Rows).Sum(row => expected[row * Classes + c]), biasGradient[c], 1e-5);

        // Row-major, the bias added already.
        Tensor rows = tensor(logits, [Rows, Classes]).add(tensor(bias));
        (found, _) = SoftmaxCrossEntropy.ReplaceRowsByError(rows, labels.AsSpan(0, Rows), coefficients, Classes, smoothing);
        Assert.Equal(loss.item<double>(), found, 1e-5);
        float[] errors = rows.data<float>().ToArray();
        for (int i = 0; i < errors.Length; i++)
            Assert.Equal(expected[i], errors[i], 1e-6);
    }

    [Fact]
    public void Clipping_bounds_components_or_the_norm()
    {
        float[] gradient = [3, -4, 0.5f, float.NaN];
        GradientClipping.ByValue(1).Apply(gradient);
        Assert.Equal([1, -1, 0.5f, float.NaN], gradient);
        gradient = [3, -4, 0, 0];
        GradientClipping.ByGlobalNorm(10).Apply(gradient);
        Assert.Equal([3, -4, 0, 0], gradient);
        GradientClipping.ByGlobalNorm(1).Apply(gradient);
        Assert.Equal(0.6, gradient[0], 1e-6);
        Assert.Equal(-0.8, gradient[1], 1e-6);
        foreach (float bad in new[] { 0, -1, float.NaN, float.PositiveInfinity })
        {
            ArgumentException error = Assert.Throws<ArgumentException>(() =>
                new MLContext().MulticlassClassification.Trainers.FeedbackAlignment(
                new FeedbackAlignmentMulticlassTrainer.Options { GradientClipping = GradientClipping.ByGlobalNorm(bad) }));
            Assert.Contains("Option GradientClipping", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_clipped_step_moves_the_weights_by_no_more_than_rate_times_bound()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(8), 5, 3);
        TrainingData data = RandomTask.Data(5, 3, 20, seed: 1);
        using DenseChain chain = new DenseChain(layout, Plans.Of(FeedbackRule.Backpropagation, 1)).With(
            new OptimizerOptions.Sgd { Momentum = 0 }, GradientClipping.ByGlobalNorm(0.01f));
        float[] before = chain.Weights.Span.ToArray();
        chain.Step(data, RandomTask.AllRows(data), 0.5f);
        float[] after = chain.Weights.Span.ToArray();
        Assert.Equal(0.005, Math.Sqrt(before.Zip(after).Sum(pair => Math.Pow(pair.First - pair.Second, 2))), 1e-5);
    }
}
