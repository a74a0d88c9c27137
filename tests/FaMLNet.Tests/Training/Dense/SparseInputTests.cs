using CsCheck;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Kernels;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using FaMLNet.Training.Optimizers;
using Xunit;

namespace FaMLNet.Tests.Training.Dense;

/// <summary>The first layer on sparse rows against the same network on the same rows with all their zeros, and against float64.</summary>
public sealed class SparseInputTests
{
    private const int Classes = 5;

    public SparseInputTests() => LibTorch.EnsureLoaded();

    public static TheoryData<string> Rules => [.. FeedbackRule.All.Where(rule => rule is not InputModulationRule).Select(rule => rule.ShortName)];

    [Theory, MemberData(nameof(Rules))]
    [Trait("Speed", "Slow")]
    public void Gradients_are_those_of_dense_rows_for_every_rule(string rule)
    {
        foreach (int[] hidden in new int[][] { [], [1], [13], [64, 21], [150, 33, 8] })
        {
            foreach (Normalization normalization in Enum.GetValues<Normalization>())
            {
                MlpDefinition network = NetworkDefinition.Mlp(hidden) with { Normalization = normalization };
                CheckGradients(network, FeedbackRule.Parse(rule), features: 90, rows: 37, seed: 3);
                if (hidden.Length > 0)
                    CheckGradients(network with { LinearSkip = true }, FeedbackRule.Parse(rule), features: 90, rows: 37, seed: 3);
            }
        }
    }

    /// <summary>As many rows and units as are divided among threads.</summary>
    [Theory, InlineData("bp"), InlineData("dfa")]
    public void Gradients_are_those_of_dense_rows_for_large_layers(string rule)
    {
        CheckGradients(NetworkDefinition.Mlp(401, 30) with { LinearSkip = rule == "dfa" }, FeedbackRule.Parse(rule), features: 3000, rows: 70,
            seed: 4);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void Gradients_are_those_of_dense_rows_for_random_networks() =>
        (from rule in Gen.OneOfConst([.. Rules.Select(row => row.Data)])
         from hidden in Gen.Int[1, 70].Array[0, 3]
         from activation in Gen.Enum<Activation>()
         from dropout in Gen.OneOfConst(0f, 0.3f)
         from skip in Gen.Bool
         from features in Gen.Int[2, 300]
         from rows in Gen.Int[3, 70]
         from share in Gen.Double[0, 1]
         from seed in Gen.Int
         select (rule, hidden, activation, dropout, skip, features, rows, share, seed))
        .Sample(t => CheckGradients(NetworkDefinition.Mlp(t.hidden) with
        {
            Activation = t.activation,
            Dropout = t.dropout,
            LinearSkip = t.skip && t.hidden.Length > 0,
        }, FeedbackRule.Parse(t.rule), t.features, t.rows, t.seed, t.share), iter: 60, threads: 1);

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Gradients_are_those_of_the_float64_reference(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        MlpDefinition network = NetworkDefinition.Mlp(33, 12) with { Activation = Activation.Tanh, LinearSkip = rule.ShortName != "fa" };
        (TrainingData sparse, TrainingData dense) = SparseTask.Data(120, Classes, 41, seed: 6, weighted: true);
        int[] rows = RandomTask.AllRows(dense);
        using Pair pair = new(network, rule, sparse, new OptimizerOptions.Sgd());
        pair.Sparse.ComputeGradient(sparse, rows);
        double[] expected = RandomTask.Reference(pair.Dense.Layout as DenseLayout ?? throw new InvalidOperationException(), pair.Dense)
            .Gradient(RandomTask.Features(dense, rows), RandomTask.Labels(dense, rows), RandomTask.Weights(dense, rows)).Gradient;
        Assert.InRange(RandomTask.RelativeError(pair.Unpacked(pair.Sparse.Gradient), expected), 0, 1e-5);
    }

    /// <summary>SGD without momentum changes what has a gradient: lazy or not is the same; so is clipping, by either measure.</summary>
    [Fact]
    public void Steps_of_plain_SGD_are_those_of_dense_rows_clipped_or_not()
    {
        (TrainingData sparse, TrainingData dense) = SparseTask.Data(200, Classes, 90, seed: 7);
        foreach (GradientClipping? clipping in new[] { null, GradientClipping.ByValue(0.003f), GradientClipping.ByGlobalNorm(0.05f) })
        {
            foreach (string rule in new[] { "bp", "brsf", "kp", "dkp" })
            {
                using Pair pair = new(NetworkDefinition.Mlp(20, 9) with { LinearSkip = rule is "bp" or "dkp" }, FeedbackRule.Parse(rule), sparse,
                    new OptimizerOptions.Sgd { Momentum = 0, WeightDecay = 0 }, clipping);
                float[] before = pair.Unpacked(pair.Sparse.Weights);
                for (int step = 0; step < 20; step++)
                {
                    int[] rows = [.. Enumerable.Range(0, 11 + step % 3).Select(i => (step * 13 + i * 7) % 90)];
                    Assert.Equal(pair.Dense.Step(dense, rows, 0.3f).Loss, pair.Sparse.Step(sparse, rows, 0.3f).Loss, 1e-4);
                }
                double[] expected = [.. pair.Dense.Weights.Span.ToArray().Select(weight => (double)weight)];
                Assert.InRange(RandomTask.RelativeError(pair.Unpacked(pair.Sparse.Weights), expected), 0, 1e-5);
                Assert.True(RandomTask.RelativeError(before, expected) > 1e-3);
            }
        }
    }

    public static TheoryData<OptimizerOptions> Optimizers =>
    [
        new OptimizerOptions.Sgd { LearningRate = 0.05f, Momentum = 0.9f, WeightDecay = 1e-2f },
        new OptimizerOptions.Sgd { LearningRate = 0.05f, Momentum = 0.8f, Nesterov = true, WeightDecay = 1e-2f },
        new OptimizerOptions.Adam { LearningRate = 0.02f, Beta1 = 0.8f, Beta2 = 0.95f, WeightDecay = 0.1f },
        new OptimizerOptions.AdamW { LearningRate = 0.02f, WeightDecay = 0.3f },
        new OptimizerOptions.RmsProp { LearningRate = 0.003f, Decay = 0.9f, Momentum = 0.5f, WeightDecay = 0.05f },
    ];

    /// <summary>
    /// A lazy step is the whole step for what has a gradient, with the number of steps of the whole training, and none for the rest, of which
    /// what is remembered stays too.
    /// </summary>
    [Theory, MemberData(nameof(Optimizers))]
    public void A_lazy_step_is_the_step_of_the_features_that_occur(OptimizerOptions options)
    {
        const int FeatureCount = 30, Stride = 32, Rest = 64, Length = FeatureCount * Stride + Rest;
        RandomGenerator random = new(8, "lazy");
        float[] weights = new float[Length], expected = new float[Length], gradient = new float[Length];
        random.FillNormal(weights, 0, 1);
        weights.CopyTo(expected, 0);
        Optimizer lazy = Optimizer.Create(options, Length), whole = Optimizer.Create(options, Length);
        ActiveFeatures active = new(FeatureCount, Stride);
        for (int step = 0; step < 12; step++)
        {
            random.FillNormal(gradient, 0, 1);
            active.Clear();
            for (int i = 0; i < 9; i++)
                active.Add(random.NextInt32(FeatureCount));
            float[] before = [.. expected];
            float[][] remembered = [.. whole.State.Select(state => state.ToArray())];
            whole.Step(expected, gradient, 0.01f);
            for (int feature = 0; feature < FeatureCount; feature++)
            {
                if (active.Contains(feature))
                    continue;
                before.AsSpan(feature * Stride, Stride).CopyTo(expected.AsSpan(feature * Stride));
                for (int i = 0; i < remembered.Length; i++)
                {
                    if (remembered[i].Length > 0)
                        remembered[i].AsSpan(feature * Stride, Stride).CopyTo(whole.State[i].AsSpan(feature * Stride));
                }
            }
            lazy.Step(weights, gradient, 0.01f, active: active);
            Assert.Equal(expected, weights);
        }
        Assert.Equal(whole.State, lazy.State);
        Assert.Equal(12, lazy.Steps);
    }

    [Fact]
    public void Only_features_that_occur_change_and_those_that_never_do_have_no_weights()
    {
        (TrainingData sparse, _) = SparseTask.Data(300, Classes, 60, seed: 9);
        using Pair pair = new(NetworkDefinition.Mlp(20), FeedbackRule.FeedbackAlignment, sparse, new OptimizerOptions.Adam());
        float[] before = pair.Sparse.Weights.Span.ToArray();
        int[] rows = [5, 6, 7];
        pair.Sparse.Step(sparse, rows, 0.01f);
        HashSet<int> occurs = FeaturesOf(rows), ever = FeaturesOf(RandomTask.AllRows(sparse));
        for (int feature = 0; feature < 300; feature++)
        {
            Span<float> now = pair.Sparse.Weights.Span.Slice(feature * 32, 32), then = before.AsSpan(feature * 32, 32);
            Assert.Equal(!occurs.Contains(feature), now.SequenceEqual(then));
            Assert.Equal(!ever.Contains(feature), then.IndexOfAnyExcept(0f) < 0);
            Assert.Equal(-1, now[20..].IndexOfAnyExcept(0f));
        }
        Assert.InRange(ever.Count, 200, 290);

        HashSet<int> FeaturesOf(int[] some)
        {
            HashSet<int> features = [];
            foreach (int row in some)
                features.UnionWith(sparse.Sparse(row).Indices.ToArray());
            return features;
        }
    }

    /// <summary>As many inputs count for the size of the initial weights as a row has values, not as there are features.</summary>
    [Fact]
    public void Initial_weights_are_sized_by_the_values_of_a_row()
    {
        (TrainingData sparse, _) = SparseTask.Data(2000, Classes, 60, seed: 11, share: 0.01);
        using Pair pair = new(NetworkDefinition.Mlp(64), FeedbackRule.FeedbackAlignment, sparse, new OptimizerOptions.Sgd());
        double values = SparseFeatures.Of(sparse, RandomTask.AllRows(sparse)).ValuesPerRow;
        float[] drawn = [.. pair.Sparse.Weights.Span[..(2000 * 64)].ToArray().Where(weight => weight != 0)];
        Assert.InRange(values, 12, 25);
        Assert.Equal(Math.Sqrt(2 / (Math.Round(values) + 64)), Math.Sqrt(drawn.Average(weight => (double)weight * weight)), 0.003);
    }

    /// <summary>What is measured of the first layer is what a model has of it: no gaps between features.</summary>
    [Fact]
    public void Measurements_see_the_layer_as_a_model_keeps_it()
    {
        (TrainingData sparse, TrainingData dense) = SparseTask.Data(300, Classes, 60, seed: 9);
        using Pair pair = new(NetworkDefinition.Mlp(20, 12), FeedbackRule.DirectFeedbackAlignment, sparse, new OptimizerOptions.Sgd());
        int[] rows = [.. Enumerable.Range(0, 40)];
        pair.Sparse.ComputeGradient(sparse, rows);
        pair.Dense.ComputeGradient(dense, rows);
        IMeasuredTraining found = pair.Sparse, expected = pair.Dense;
        found.ComputeBackpropagationGradient();
        expected.ComputeBackpropagationGradient();
        for (int layer = 0; layer < 3; layer++)
        {
            Assert.Equal(expected.MatrixOf(layer), found.MatrixOf(layer));
            Assert.Equal(expected.WeightsOf(layer).ToArray(), found.WeightsOf(layer).ToArray());
            foreach ((float[] a, float[] b) in new[] { (found.GradientOf(layer).ToArray(), expected.GradientOf(layer).ToArray()),
                (found.BackpropagationGradientOf(layer).ToArray(), expected.BackpropagationGradientOf(layer).ToArray()) })
                Assert.InRange(RandomTask.RelativeError(a, [.. b.Select(value => (double)value)]), 0, 1e-5);
        }
        // What is measured by default leaves the first layer alone, which may be large.
        Alignment.Measure(found);
        Assert.InRange(AllocatedMemory.Of(() => Alignment.Measure(found)), 0, 300 * 20 * sizeof(float) - 1);
    }

    [Fact]
    public void A_step_leaves_no_live_tensors()
    {
        (TrainingData sparse, _) = SparseTask.Data(300, Classes, 60, seed: 9);
        using Pair pair = new(NetworkDefinition.Mlp(20), FeedbackRule.FeedbackAlignment, sparse, new OptimizerOptions.Adam());
        pair.Sparse.Step(sparse, [.. Enumerable.Range(0, 20)], 0.01f);
        long before = LiveTensors.OfThisThread;
        pair.Sparse.Step(sparse, [.. Enumerable.Range(20, 20)], 0.01f);
        Assert.Equal(before, LiveTensors.OfThisThread);
    }

    private static void CheckGradients(MlpDefinition network, FeedbackRule rule, int features, int rows, int seed, double share = 0.1)
    {
        (TrainingData sparse, TrainingData dense) = SparseTask.Data(features, Classes, rows, seed, share);
        using Pair pair = new(network, rule, sparse, new OptimizerOptions.Sgd());
        // The second batch: what the first has written must be gone.
        foreach (int[] batch in new int[][] { [.. Enumerable.Range(0, rows * 2 / 3)], [.. Enumerable.Range(rows / 3, rows - rows / 3)] })
        {
            if (batch.Length < 2)
                continue;
            BatchResult found = pair.Sparse.ComputeGradient(sparse, batch), expected = pair.Dense.ComputeGradient(dense, batch);
            Assert.Equal(expected.Loss, found.Loss, 1e-3);
            // Normalising over a nearly constant unit amplifies rounding.
            double tolerance = network.Normalization == Normalization.None ? 1e-5 : 1e-3;
            Compare(pair.Sparse.Gradient, pair.Dense.Gradient);
            Compare(pair.Sparse.ComputeBackpropagationGradient(), pair.Dense.ComputeBackpropagationGradient());
            EvaluationResult a = pair.Sparse.Evaluate(sparse, batch, 2), b = pair.Dense.Evaluate(dense, batch, 2);
            Assert.Equal(b.Loss, a.Loss, 1e-3);

            void Compare(FloatBuffer one, FloatBuffer other) => Assert.InRange(RandomTask.RelativeError(pair.Unpacked(one),
                [.. other.Span.ToArray().Select(value => (double)value)]), 0, tolerance);
        }
    }

    /// <summary>The same network for both kinds of rows.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly DenseLayout _layout;

        public Pair(MlpDefinition network, FeedbackRule rule, TrainingData sparse, OptimizerOptions optimizer, GradientClipping? clipping = null)
        {
            SparseFeatures features = SparseFeatures.Of(sparse, RandomTask.AllRows(sparse));
            _layout = new DenseLayout(network, sparse.Features, Classes, features.ValuesPerRow);
            Sparse = new DenseChain(_layout, Plans.Of(rule, 2), features).With(optimizer, clipping);
            Dense = new DenseChain(_layout.ToModel(), Plans.Of(rule, 2)).With(optimizer, clipping);
            if (Dense.Layout.Skip is { } skip)
            {
                float[] parameters = Unpacked(Sparse.Weights);
                Assert.Equal(-1, skip.In(parameters.AsSpan()).IndexOfAnyExcept(0f));
                new RandomGenerator(4, "test skip").FillUniform(skip.In(parameters.AsSpan()), -0.3f, 0.3f);
                _layout.Pack(parameters, Sparse.Weights.Span);
            }
            Unpacked(Sparse.Weights).CopyTo(Dense.Weights.Span);
            Sparse.Feedback.Buffer.Span.CopyTo(Dense.Feedback.Buffer.Span);
            Dense.Feedback.Forget();
        }

        public DenseChain Sparse { get; }

        public DenseChain Dense { get; }

        public float[] Unpacked(FloatBuffer buffer) => _layout.Unpack(buffer.Span);

        public void Dispose()
        {
            Sparse.Dispose();
            Dense.Dispose();
        }
    }
}
