using System.Numerics.Tensors;
using FaMLNet.Computing;
using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
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

    [Fact]
    public void The_update_that_a_rule_sees_is_the_difference_of_the_weights()
    {
        SeesEverything rule = new();
        foreach (bool constrains in new[] { false, true })
        {
            using DenseChain chain = new DenseChain(new DenseLayout(NetworkDefinition.Mlp(300, 200), 10, 5), Plans.Of(rule, 11))
                .With(new OptimizerOptions.AdamW());
            if (constrains)
                chain.With(new OptimizerOptions.AdamW(), keepsNorms: true);
            WeightedLayer layer = chain.Layout.WeightedLayers[1];
            float[] before = layer.Weight.In(chain.Weights.Span).ToArray();
            chain.Step(_data, _rows, 0.05f);
            float[] after = layer.Weight.In(chain.Weights.Span).ToArray();
            Assert.True(RandomTask.RelativeError(rule.Change, [.. after.Zip(before, (a, b) => (double)(a - b))]) < 1e-4);
            Assert.Equal((0.05f, 0.05f * 0.01f, 64), (rule.LearningRate, rule.Decay, rule.Rows));
        }
    }

    /// <summary>The sum over the rows of error times activation is the gradient of the last layer: on every way to a gradient.</summary>
    [Fact]
    public void Activations_and_errors_that_a_rule_sees_are_those_of_the_step()
    {
        SeesEverything rule = new();
        GraphLayout images = new(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU),
            new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense()), new ImageShape(1, 7, 7), 5);
        TrainingData pixels = Graph.GraphGradientTests.Images(images, 9);
        foreach ((TrainingNetwork network, TrainingData data) in new (TrainingNetwork, TrainingData)[]
        {
            (new DenseChain(Layout, Plans.Of(rule, 11)).With(new OptimizerOptions.Sgd()), _data),
            (new GraphNetwork(images, Plans.Of(rule, 11)).With(new OptimizerOptions.Sgd()), pixels),
            (new AutogradNetwork(new DefinedForward(images, new RandomGenerator(1, "dropout")), Plans.Of(rule, 11)).With(new OptimizerOptions.Sgd()),
                pixels),
        })
        {
            using TrainingNetwork owned = network;
            network.ComputeGradient(data, RandomTask.AllRows(data));
            ParameterSlice top = network.Layout.WeightedLayers[^1].Weight;
            float[] gradient = top.In(network.Gradient.Span).ToArray();
            network.Update(0.05f);
            int outputs = top.Shape[0], inputs = top.Shape[1];
            double[] sums = new double[outputs * inputs];
            for (int row = 0; row < rule.Rows; row++)
            {
                for (int i = 0; i < sums.Length; i++)
                    sums[i] += (double)rule.Errors[row * outputs + i / inputs] * rule.Activations[row * inputs + i % inputs];
            }
            Assert.Equal(data.Count, rule.Rows);
            Assert.True(RandomTask.RelativeError(gradient, sums) < 1e-5, network.GetType().Name);
        }
    }

    /// <summary>A module that uses a layer twice: what the layer was given is added up, as its gradient is.</summary>
    [Fact]
    public void Activations_of_a_layer_that_is_used_twice_are_added_up()
    {
        SeesEverything rule = new();
        NetworkShape shape = new([6], 4);
        UsedTwice module = new();
        CustomLayout layout = new(NetworkDefinition.Custom("used-twice"), shape, module);
        using AutogradNetwork network = new AutogradNetwork(new ModuleForward(layout, module), Plans.Of(rule, 2)).With(new OptimizerOptions.Sgd());
        TrainingData data = RandomTask.Data(6, 4, 5, seed: 1);
        network.Step(data, RandomTask.AllRows(data), 0.1f);
        Assert.Equal(5 * 6, rule.Activations.Length);
        Assert.NotEmpty(module.Given);
        for (int i = 0; i < rule.Activations.Length; i++)
            Assert.Equal(module.Given[^2][i] + module.Given[^1][i], rule.Activations[i], 1e-5f);
    }

    private sealed class UsedTwice : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        private readonly torch.nn.Module<torch.Tensor, torch.Tensor> _below = torch.nn.Linear(6, 6), _top = torch.nn.Linear(6, 4);

        public UsedTwice() : base("used-twice") => RegisterComponents();

        public List<float[]> Given { get; } = [];

        public override torch.Tensor forward(torch.Tensor x)
        {
            torch.Tensor first = torch.tanh(_below.call(x)), second = torch.tanh(_below.call(first));
            Given.Add(first.detach().contiguous().data<float>().ToArray());
            Given.Add(second.detach().contiguous().data<float>().ToArray());
            using torch.Tensor one = _top.call(first), other = _top.call(second);
            return one.sub(other);
        }
    }

    [Fact]
    public void Weights_start_no_smaller_than_feedback_weights_where_activations_are_normalised()
    {
        DenseLayout normalised = new(NetworkDefinition.Mlp(8) with { Normalization = Normalization.Batch }, 4, 3), plain = new(
            NetworkDefinition.Mlp(8), 4, 3);
        float ScaleOf(FeedbackRule rule, NetworkLayout layout, float? feedback = null) =>
            rule.InitialWeightScaleFor(layout.IsNormalized, feedback ?? rule.Defaults.FeedbackScale, keepsNorms: false);
        Assert.Equal(1, ScaleOf(FeedbackRule.FeedbackAlignment, normalised));
        Assert.Equal(0.5f, ScaleOf(FeedbackRule.FeedbackAlignment, normalised, feedback: 0.5f));
        Assert.Equal(1, ScaleOf(FeedbackRule.FeedbackAlignment, normalised, feedback: 3));
        Assert.Equal(0.1f, ScaleOf(FeedbackRule.FeedbackAlignment, plain));
        Assert.Equal(0.3f, ScaleOf(FeedbackRule.KolenPollack, normalised));
        Assert.Equal(0.1f, ScaleOf(FeedbackRule.DirectFeedbackAlignment, normalised));
        Assert.Equal(1, ScaleOf(FeedbackRule.UniformSignConcordant, normalised));
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

    /// <summary>Two passes in float64, by the definition.</summary>
    [Fact]
    public void Input_modulation_is_that_of_a_reference()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(24, 13) with { Activation = Activation.Tanh }, 10, 5);
        using DenseChain chain = new DenseChain(layout, Plans.Of(FeedbackRule.Pepita, 11)).With(new OptimizerOptions.Sgd());
        chain.ComputeGradient(_data, _rows);
        float[] f = chain.Feedback.Slices[0]!.In(chain.Feedback.Buffer.Span).ToArray();
        Assert.Equal([5, 10], chain.Feedback.Slices[0]!.Shape);
        double[] expected = new double[layout.ParameterLength];
        float[] parameters = chain.Weights.Span.ToArray();
        for (int row = 0; row < _data.Count; row++)
        {
            double[] x = [.. RandomTask.RowOf(_data, row).Select(value => (double)value)];
            double[][] clean = Activations(layout, parameters, x);
            double[] error = [.. clean[^1]];
            double weight = _data.Weights[row], sum = error.Sum(Math.Exp);
            for (int c = 0; c < 5; c++)
                error[c] = weight * (Math.Exp(error[c]) / sum - (_data.Labels[row] == c ? 1 : 0));
            double[] modulated = [.. x.Select((value, i) => value + Enumerable.Range(0, 5).Sum(c => error[c] * f[c * 10 + i]))];
            double[][] second = Activations(layout, parameters, modulated);
            for (int layer = 0; layer < 3; layer++)
            {
                DenseLayer own = layout.Layers[layer];
                double[] input = layer == 0 ? modulated : second[layer - 1];
                for (int unit = 0; unit < own.Outputs; unit++)
                {
                    double h = second[layer][unit];
                    double delta = (layer == 2 ? error[unit] : (clean[layer][unit] - h) * (1 - h * h)) / _data.Count;
                    expected[own.Bias.Offset + unit] += delta;
                    for (int i = 0; i < own.Inputs; i++)
                        expected[own.Weight.Offset + unit * own.Inputs + i] += delta * input[i];
                }
            }
        }
        foreach (ParameterSlice slice in layout.Parameters)
        {
            double error = RandomTask.RelativeError(slice.In((ReadOnlySpan<float>)chain.Gradient.Span),
                expected.AsSpan(slice.Offset, slice.Length));
            Assert.True(error < 1e-3, $"{slice.Name}: {error:E2}");
        }
    }

    private static double[][] Activations(DenseLayout layout, float[] parameters, double[] x)
    {
        double[][] all = new double[layout.Layers.Count][];
        for (int layer = 0; layer < all.Length; layer++)
        {
            DenseLayer own = layout.Layers[layer];
            double[] below = layer == 0 ? x : all[layer - 1];
            all[layer] = [.. Enumerable.Range(0, own.Outputs).Select(unit => parameters[own.Bias.Offset + unit]
                + Enumerable.Range(0, own.Inputs).Sum(i => parameters[own.Weight.Offset + unit * own.Inputs + i] * below[i]))];
            if (layer < all.Length - 1)
                all[layer] = [.. all[layer].Select(Math.Tanh)];
        }
        return all;
    }

    /// <summary>Without feedback nothing below the output learns: no error comes another way.</summary>
    [Fact]
    public void Input_modulation_without_feedback_leaves_the_layers_below_the_output_alone()
    {
        GraphLayout images = new(NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), 10);
        TrainingData pixels = Graph.GraphGradientTests.Images(images, 5);
        foreach (TrainingNetwork network in new TrainingNetwork[] { Chain(FeedbackRule.Pepita),
            new GraphNetwork(images, Plans.Of(FeedbackRule.Pepita, 11)).With(new OptimizerOptions.Sgd()) })
        {
            using TrainingNetwork owned = network;
            TrainingData data = network is DenseChain ? _data : pixels;
            network.Feedback.Buffer.Span.Clear();
            network.ComputeGradient(data, RandomTask.AllRows(data));
            int top = network.Layout.WeightedLayers[^1].Weight.Offset;
            Assert.All(network.Gradient.Span[..top].ToArray(), value => Assert.Equal(0, value));
            Assert.Contains(network.Gradient.Span[top..].ToArray(), value => value != 0);
        }
    }

    [Fact]
    public void Running_statistics_and_dropout_of_two_passes_are_those_of_one()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(24, 13) with { Normalization = Normalization.Batch, Dropout = 0.3f }, 10, 5);
        using DenseChain bp = new DenseChain(layout, Plans.Of(FeedbackRule.Backpropagation, 11)).With(new OptimizerOptions.Sgd());
        using DenseChain pepita = new DenseChain(layout, Plans.Of(FeedbackRule.Pepita, 11)).With(new OptimizerOptions.Sgd());
        BatchResult a = bp.ComputeGradient(_data, _rows), b = pepita.ComputeGradient(_data, _rows);
        Assert.Equal(a, b);
        Assert.Equal(bp.Statistics.Span.ToArray(), pepita.Statistics.Span.ToArray());
        Assert.Equal(bp.Dropout.GetState(), pepita.Dropout.GetState());
        Assert.Equal(bp.ComputeBackpropagationGradient().Span.ToArray(), pepita.ComputeBackpropagationGradient().Span.ToArray());
    }

    /// <summary>The network of who chooses none is the rule's, whenever the rule is set; of who chooses one it is that.</summary>
    [Fact]
    public void The_default_network_has_the_rules_activation()
    {
        FeedbackAlignmentBinaryTrainer.Options options = new();
        Assert.Equal(NetworkDefinition.Mlp(128, 64), options.Network);
        options.Rule = FeedbackRule.DirectRandomTargetProjection;
        NetworkDefinition bounded = NetworkDefinition.Mlp(128, 64) with { Activation = Activation.Tanh };
        Assert.Equal(bounded, options.Network);
        options.Network = NetworkDefinition.Mlp(7);
        Assert.Equal(NetworkDefinition.Mlp(7), options.Network);
        options.Network = null;
        Assert.Equal(bounded, options.Network);
        foreach (FeedbackRule rule in FeedbackRule.All)
        {
            Activation expected = rule.ShortName is "drtp" ? Activation.Tanh : Activation.ReLU;
            Assert.Equal(expected, ((MlpDefinition)new FeedbackAlignmentRegressionTrainer.Options { Rule = rule }.Network).Activation);
        }
        MLContext mlContext = new(seed: 1);
        IDataView iris = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(Tables.Load(mlContext, "iris"))
            .Transform(Tables.Load(mlContext, "iris"));
        NetworkDefinition Trained(NetworkDefinition? network) => mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            rule: FeedbackRule.DirectRandomTargetProjection, network: network, numberOfEpochs: 1).Fit(iris).Model.Network;
        Assert.Equal(bounded, Trained(null));
        Assert.Equal(NetworkDefinition.Mlp(128, 64), Trained(NetworkDefinition.Mlp(128, 64)));
    }

    /// <summary>Each with its own defaults, by every trainer that takes it.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public void Every_rule_learns_yes_and_no_and_numbers_and_classes_from_tables()
    {
        MLContext mlContext = new(seed: 1);
        foreach (FeedbackRule rule in Tests.Feedback.Rules.Further)
        {
            IDataView digits = Tables.Load(mlContext, "digits");
            TransformerChain<Microsoft.ML.Transforms.KeyToValueMappingTransformer> classes = Tables.Pipeline(mlContext,
                new() { Rule = rule, NumberOfEpochs = 20, Seed = 1 }).Fit(digits);
            double accuracy = mlContext.MulticlassClassification.Evaluate(classes.Transform(digits)).MicroAccuracy;
            Assert.True(accuracy > 0.95, $"{rule.ShortName}: {accuracy:P1} of the digits it was trained on");

            float[][] features = Tables.Load(mlContext, "breast-cancer").GetColumn<float[]>("Features").ToArray();
            string[] labels = Tables.Load(mlContext, "breast-cancer").GetColumn<string>("Label").ToArray();
            IDataView rows = mlContext.Data.LoadFromEnumerable(features.Zip(labels, (x, y) => new Row
            {
                Features = x,
                Label = y == labels[0],
                Number = x[0]
            }), SchemaDefinition(features[0].Length));
            rows = mlContext.Transforms.NormalizeMeanVariance("Features").Fit(rows).Transform(rows);
            var binary = mlContext.BinaryClassification.Trainers.FeedbackAlignment(rule: rule, numberOfEpochs: 20).Fit(rows);
            double area = mlContext.BinaryClassification.Evaluate(binary.Transform(rows)).AreaUnderRocCurve;
            Assert.True(area > 0.985, $"{rule.ShortName}: area {area:F3}");
            if (rule is DirectFeedbackRule { Projects: ProjectedSignal.Target })
            {
                ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() =>
                    mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "Number", rule: rule));
                Assert.Contains("Rule", refused.Message, StringComparison.Ordinal);
                Assert.Contains("DirectFeedbackAlignment", refused.Message, StringComparison.Ordinal);
                continue;
            }
            var regression = mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "Number", rule: rule).Fit(rows);
            double fit = mlContext.Regression.Evaluate(regression.Transform(rows), "Number").RSquared;
            Assert.True(fit > 0.9, $"{rule.ShortName}: R² {fit:F3}");
        }
    }

    [Fact]
    public void Rules_that_send_no_error_have_no_feedback_gradient_and_say_so()
    {
        MLContext mlContext = new(seed: 1);
        IDataView iris = Tables.Load(mlContext, "iris");
        foreach (FeedbackRule rule in Tests.Feedback.Rules.Further)
        {
            var model = Tables.Pipeline(mlContext, Tables.Quick(rule)).Fit(iris);
            RobustnessReport Attacked(ThreatModel threat) => mlContext.MulticlassClassification.EvaluateRobustness(model, iris, [Attack.Fgsm(0.1f)],
                new RobustnessOptions { ThreatModel = threat });
            Assert.Equal(150, Attacked(ThreatModel.TrueGradient).Rows);
            if (rule.ShortName is "drtp" or "pepita")
                Assert.Contains("TrueGradient", Assert.Throws<InvalidOperationException>(() => Attacked(ThreatModel.FeedbackGradient)).Message,
                    StringComparison.Ordinal);
            else
                Assert.Equal(150, Attacked(ThreatModel.FeedbackGradient).Rows);
        }
    }

    private static SchemaDefinition SchemaDefinition(int features)
    {
        SchemaDefinition schema = Microsoft.ML.Data.SchemaDefinition.Create(typeof(Row));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
        return schema;
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }

        public float Number { get; set; }
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

    /// <summary>A user's rule that asks for all that there is.</summary>
    private sealed class SeesEverything : LayerwiseFeedbackRule
    {
        public float[] Change { get; private set; } = [];

        public float[] Activations { get; private set; } = [];

        public float[] Errors { get; private set; } = [];

        public float LearningRate { get; private set; }

        public float Decay { get; private set; }

        public int Rows { get; private set; }

        public override string Name => "Sees everything";

        public override string ShortName => "sees";

        protected internal override StepSignals Signals => StepSignals.Update | StepSignals.Activations;

        protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();

        protected override void Refresh(FeedbackLayer layer)
        {
            if (Change.Length == 0 || layer.Name is "dense2")
                Change = layer.Update.ToArray();
            (Activations, Errors) = (layer.Activations.ToArray(), layer.OutputErrors.ToArray());
            (LearningRate, Decay, Rows) = (layer.LearningRate, layer.Decay, layer.Rows);
        }
    }
}
