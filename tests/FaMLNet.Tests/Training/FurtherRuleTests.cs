using System.Numerics.Tensors;
using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Dense;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Rows;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>What distinguishes the rules beyond the six, on the training step itself, against float64 references.</summary>
public sealed class FurtherRuleTests
{
    private static readonly DenseLayout Layout = new(NetworkDefinition.Mlp(24, 13, 8), 10, 5);
    private readonly TrainingData _data = RandomTask.Data(10, 5, 64, seed: 7, weighted: true);
    private readonly int[] _rows;

    public FurtherRuleTests()
    {
        LibTorch.EnsureLoaded();
        _rows = RandomTask.AllRows(_data);
    }

    public static TheoryData<string> ErrorRules => ["nss", "kp", "wm", "pfa", "dkp", "sdfa"];

    [Theory, MemberData(nameof(ErrorRules))]
    [Trait("Speed", "Slow")]
    public void Gradient_is_that_of_the_reference(string rule)
    {
        foreach (int[] hidden in new int[][] { [], [1], [33, 17, 9] })
        {
            foreach (Normalization normalization in Enum.GetValues<Normalization>())
            {
                GradientTests.Check(rule, NetworkDefinition.Mlp(hidden) with
                {
                    Activation = Activation.Tanh,
                    Normalization = normalization,
                    Dropout = 0.2f
                }, features: 12, classes: 5, rows: 23, seed: 3);
            }
        }
        GradientTests.Check(rule, NetworkDefinition.Mlp(401, 311), features: 37, classes: 4, rows: 70, seed: 4);
        Graph.GraphGradientTests.Check(rule, NetworkDefinition.Sequential(new Layer.Conv2d(16, 3) { Padding = 1 }, new Layer.BatchNorm(),
            new Layer.Activate(Activation.ReLU), new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
            new Layer.Dense()),
            new ImageShape(2, 9, 9), rows: 3);
        Graph.GraphGradientTests.Check(rule, NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), rows: 2);
    }

    public static TheoryData<string> Optimizers => ["sgd", "momentum", "adam", "adamw", "rmsprop"];

    [Theory, MemberData(nameof(Optimizers))]
    public void Kolen_Pollack_shrinks_the_difference_by_the_decay_of_every_step(string name)
    {
        OptimizerOptions optimizer = name switch
        {
            "sgd" => new OptimizerOptions.Sgd { Momentum = 0, WeightDecay = 0.1f },
            "momentum" => new OptimizerOptions.Sgd { WeightDecay = 0.01f },
            "adam" => new OptimizerOptions.Adam { WeightDecay = 0.1f },
            "adamw" => new OptimizerOptions.AdamW { WeightDecay = 0.1f },
            _ => new OptimizerOptions.RmsProp { WeightDecay = 0.1f },
        };
        foreach (bool constrains in new[] { false, true })
        {
            using DenseChain chain = new DenseChain(Layout, Plans.Of(FeedbackRule.KolenPollack, 11)).With(optimizer);
            if (constrains)
                chain.With(optimizer, keepsNorms: true);
            float[] expected = Difference(chain);
            double decay = 0.1 * 0.1;
            for (int step = 0; step < 20; step++)
            {
                chain.Step(_data, _rows, 0.1f);
                expected = [.. expected.Select(value => (float)(value * (1 - decay)))];
            }
            float[] found = Difference(chain);
            Assert.True(RandomTask.RelativeError(found, [.. expected.Select(value => (double)value)]) < 1e-4, $"{name}, {constrains}");
        }

        static float[] Difference(DenseChain chain)
        {
            List<float> all = [];
            for (int i = 1; i < Layout.Layers.Count; i++)
            {
                float[] weights = Layout.Layers[i].Weight.In(chain.Weights.Span).ToArray(),
                    feedback = chain.Feedback.Slices[i]!.In(chain.Feedback.Buffer.Span).ToArray();
                all.AddRange(feedback.Zip(weights, (b, w) => b - w));
            }
            return [.. all];
        }
    }

    [Fact]
    public void Without_decay_Kolen_Pollack_keeps_the_difference()
    {
        using DenseChain chain = new DenseChain(Layout, Plans.Of(FeedbackRule.KolenPollack, 11)).With(new OptimizerOptions.Adam());
        double before = Distance(chain);
        Steps(chain, 20);
        Assert.Equal(before, Distance(chain), before * 1e-4);

        static double Distance(DenseChain chain) => Vectors.Distance(Layout.Layers[2].Weight.In((ReadOnlySpan<float>)chain.Weights.Span),
            chain.Feedback.Slices[2]!.In((ReadOnlySpan<float>)chain.Feedback.Buffer.Span));
    }

    /// <summary>A population in several blocks is one population.</summary>
    [Fact]
    public void The_product_of_a_wide_layer_has_the_norms_of_a_narrow_one()
    {
        using DenseChain chain = new DenseChain(new DenseLayout(NetworkDefinition.Mlp(20, 300), 10, 5),
            Plans.Of(FeedbackRule.ProductFeedbackAlignment, 3)).With(new OptimizerOptions.Sgd());
        float[] gram = chain.Feedback.MemoryOf(1).ToArray(); // of 4,800 neurons
        Assert.Equal(1, Enumerable.Range(0, 300).Average(i => gram[i * 301]), 0.02);
        Assert.All(Enumerable.Range(0, 300), i => Assert.InRange(gram[i * 301], 0.9f, 1.1f));
        double deviation = Math.Sqrt(chain.Feedback.Slices[1]!.In(chain.Feedback.Buffer.Span).ToArray().Average(value => (double)value * value));
        Assert.InRange(deviation / Math.Sqrt(2.0 / 320), 0.95, 1.05);
    }

    [Fact]
    public void The_mirror_finds_the_weights_from_noise_alone()
    {
        using DenseChain chain = Chain(FeedbackRule.WeightMirror);
        Assert.All(Angles(chain), angle => Assert.InRange(angle, 0, 40)); // few inputs, few examples
        float[] before = chain.Feedback.Buffer.Span.ToArray();
        Steps(chain, 5);
        Assert.NotEqual(before, chain.Feedback.Buffer.Span.ToArray());
        Assert.All(Angles(chain), angle => Assert.InRange(angle, 0, 40));
        for (int epoch = 0; epoch < 8; epoch++)
            chain.EndEpoch();
        Assert.All(Angles(chain), angle => Assert.InRange(angle, 0, 20));
        // In a mirror that never looked away B is W: of unit size, and unbiased.
        for (int i = 1; i < Layout.Layers.Count; i++)
        {
            double ratio = Vectors.Norm(chain.Feedback.Slices[i]!.In((ReadOnlySpan<float>)chain.Feedback.Buffer.Span))
                / Vectors.Norm(Layout.Layers[i].Weight.In((ReadOnlySpan<float>)chain.Weights.Span));
            Assert.InRange(ratio, 0.8, 1.3);
        }
    }

    [Fact]
    public void The_product_follows_what_two_matrices_would_do()
    {
        using DenseChain chain = new DenseChain(Layout, Plans.Of(FeedbackRule.ProductFeedbackAlignment, 11))
            .With(new OptimizerOptions.AdamW { WeightDecay = 0.5f });
        int n = Layout.Layers[1].Outputs, inputs = Layout.Layers[1].Inputs;
        float[] gram = chain.Feedback.MemoryOf(1).ToArray();
        for (int i = 0; i < n; i++)
        {
            Assert.InRange(gram[i * n + i], 0.5, 1.6); // unit columns
            for (int j = 0; j < n; j++)
                Assert.Equal(gram[i * n + j], gram[j * n + i], 1e-6);
        }
        double[] product = [.. chain.Feedback.Slices[1]!.In(chain.Feedback.Buffer.Span).ToArray().Select(value => (double)value)];
        for (int step = 0; step < 10; step++)
        {
            float[] before = Layout.Layers[1].Weight.In(chain.Weights.Span).ToArray();
            chain.Step(_data, _rows, 0.02f);
            float[] after = Layout.Layers[1].Weight.In(chain.Weights.Span).ToArray();
            double decay = 0.02 * 0.5;
            double[] next = new double[product.Length];
            for (int i = 0; i < product.Length; i++)
            {
                (int row, int column) = (i / inputs, i % inputs);
                next[i] = (1 - decay) * product[i];
                for (int j = 0; j < n; j++)
                    next[i] += gram[row * n + j] * (after[j * inputs + column] - (1 - decay) * before[j * inputs + column]);
            }
            product = next;
        }
        Assert.True(RandomTask.RelativeError(chain.Feedback.Slices[1]!.In((ReadOnlySpan<float>)chain.Feedback.Buffer.Span), product) < 1e-4);
        Assert.Equal(gram, chain.Feedback.MemoryOf(1).ToArray());
        double start = Angles(chain)[0];
        Steps(chain, 400);
        Assert.InRange(Angles(chain)[0], 0, Math.Min(25, start));
    }

    [Fact]
    public void Normalised_sign_symmetry_has_the_weights_signs_and_norm()
    {
        using DenseChain chain = Chain(FeedbackRule.NormalizedSignSymmetry);
        for (int step = 0; step < 5; step++)
        {
            for (int i = 1; i < Layout.Layers.Count; i++)
            {
                float[] weights = Layout.Layers[i].Weight.In(chain.Weights.Span).ToArray(),
                    feedback = chain.Feedback.Slices[i]!.In(chain.Feedback.Buffer.Span).ToArray();
                Assert.Equal(TensorPrimitives.Norm<float>(weights), TensorPrimitives.Norm<float>(feedback), 1e-4);
                Assert.Single(feedback.Select(Math.Abs).Distinct());
                Assert.Equal(weights.Select(float.IsNegative), feedback.Select(float.IsNegative));
            }
            Steps(chain, 1, learningRate: 0.5f);
        }
    }

    /// <summary>Of the last layer direct Kolen–Pollack is a fifth of the weights' own step of gradient descent.</summary>
    [Fact]
    public void Direct_Kolen_Pollack_moves_the_last_layers_feedback_with_its_weights()
    {
        using DenseChain chain = new DenseChain(Layout, Plans.Of(FeedbackRule.DirectKolenPollack, 11))
            .With(new OptimizerOptions.Sgd { Momentum = 0 });
        ParameterSlice top = Layout.Layers[^1].Weight, feedback = chain.Feedback.Slices[^1]!;
        for (int step = 0; step < 5; step++)
        {
            float[] weights = top.In(chain.Weights.Span).ToArray(), before = feedback.In(chain.Feedback.Buffer.Span).ToArray();
            Steps(chain, 1);
            double[] expected = [.. top.In(chain.Weights.Span).ToArray().Zip(weights, (a, b) => 0.2 * (a - b))];
            float[] found = [.. feedback.In(chain.Feedback.Buffer.Span).ToArray().Zip(before, (a, b) => a - b)];
            Assert.True(RandomTask.RelativeError(found, expected) < 1e-3);
        }
    }

    [Fact]
    public void Sparse_feedback_hears_one_output_a_unit_and_copies_instead_of_multiplying()
    {
        using DenseChain chain = Chain(FeedbackRule.SparseDirectFeedbackAlignment);
        for (int i = 1; i < Layout.Layers.Count; i++)
        {
            float[] feedback = chain.Feedback.Slices[i]!.In(chain.Feedback.Buffer.Span).ToArray();
            int inputs = Layout.Layers[i].Inputs;
            for (int unit = 0; unit < inputs; unit++)
                Assert.Equal(1, Enumerable.Range(0, 5).Count(output => feedback[output * inputs + unit] != 0));
            Assert.NotNull(chain.Feedback.Sparse(i));
        }
        using DenseChain dense = Chain(FeedbackRule.DirectFeedbackAlignment);
        Assert.Null(dense.Feedback.Sparse(1));
        foreach (float loud in new[] { -1f, 1f })
            Assert.Null(SparseProjection.Find([loud, 0, 2, 3], units: 2)); // the first unit hears both
        Assert.NotNull(SparseProjection.Find([0, -4, 2, 0], units: 2));
        // Written to from outside, the projection is that of the new weights.
        dense.Feedback.Buffer.Span.Clear();
        dense.Feedback.Forget();
        dense.ComputeGradient(_data, _rows);
        Assert.NotNull(dense.Feedback.Sparse(1));
        Assert.All(Layout.Layers[1].Weight.In(dense.Gradient.Span).ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Target_projection_sends_the_class_and_not_the_error()
    {
        foreach (Normalization normalization in new[] { Normalization.None, Normalization.Batch })
        {
            DenseLayout layout = new(NetworkDefinition.Mlp(24, 13) with { Normalization = normalization }, 10, 5);
            using DenseChain chain = new DenseChain(layout, Plans.Of(FeedbackRule.DirectRandomTargetProjection, 11)).With(new OptimizerOptions.Sgd());
            using DenseChain other = new DenseChain(layout, Plans.Of(FeedbackRule.DirectRandomTargetProjection, 11)).With(new OptimizerOptions.Sgd());
            // Another output: the layers below learn the same, the output does not.
            layout.Layers[^1].Weight.In(other.Weights.Span).Fill(0.3f);
            chain.ComputeGradient(_data, _rows);
            other.ComputeGradient(_data, _rows);
            int below = layout.Layers[^1].Weight.Offset;
            Assert.Equal(chain.Gradient.Span[..below].ToArray(), other.Gradient.Span[..below].ToArray());
            Assert.NotEqual(chain.Gradient.Span[below..].ToArray(), other.Gradient.Span[below..].ToArray());
        }
        // δ = −B of the class ⊙ f′, by hand for one row.
        DenseLayout small = new(NetworkDefinition.Mlp(7), 10, 5);
        using DenseChain one = new DenseChain(small, Plans.Of(FeedbackRule.DirectRandomTargetProjection, 3)).With(new OptimizerOptions.Sgd());
        TrainingData row = RandomTask.Data(10, 5, 1, seed: 2);
        one.ComputeGradient(row, [0]);
        float[] features = RandomTask.RowOf(row, 0), weights = small.Layers[0].Weight.In(one.Weights.Span).ToArray(),
            feedback = one.Feedback.Slices[1]!.In(one.Feedback.Buffer.Span).ToArray(),
            gradient = small.Layers[0].Weight.In(one.Gradient.Span).ToArray();
        for (int unit = 0; unit < 7; unit++)
        {
            double z = Enumerable.Range(0, 10).Sum(i => (double)weights[unit * 10 + i] * features[i]);
            for (int i = 0; i < 10; i++)
                Assert.Equal(z > 0 ? -feedback[row.Labels[0] * 7 + unit] * features[i] : 0, gradient[unit * 10 + i], 1e-5);
        }
    }

    private static DenseChain Chain(FeedbackRule rule) => GradientTests.Chain(Layout, rule, 11);

    private void Steps(DenseChain chain, int count, float learningRate = 0.02f)
    {
        for (int i = 0; i < count; i++)
            chain.Step(_data, _rows, learningRate);
    }

    private static double[] Angles(DenseChain chain) => [.. Enumerable.Range(1, Layout.Layers.Count - 1).Select(i => Vectors.Angle(
        Layout.Layers[i].Weight.In((ReadOnlySpan<float>)chain.Weights.Span),
        chain.Feedback.Slices[i]!.In((ReadOnlySpan<float>)chain.Feedback.Buffer.Span)))];
}
