using CsCheck;
using FaMLNet.Computing.Dense;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>Every rule's gradients against a float64 reference.</summary>
public sealed class GradientTests
{
    private const double Tolerance = 1e-5;

    public GradientTests() => LibTorch.EnsureLoaded();

    public static TheoryData<string, int[]> RulesAndSizes()
    {
        TheoryData<string, int[]> data = [];
        foreach (FeedbackRule rule in Feedback.Rules.Six)
        {
            foreach (int[] hidden in new int[][] { [], [1], [7], [16, 5], [64, 32], [33, 17, 9], [128, 64, 32, 16] })
                data.Add(rule.ShortName, hidden);
        }
        return data;
    }

    [Theory, MemberData(nameof(RulesAndSizes))]
    public void Gradient_is_that_of_the_reference_for_every_rule_and_size(string rule, int[] hidden)
    {
        foreach (Activation activation in Enum.GetValues<Activation>())
        {
            foreach (Normalization normalization in Enum.GetValues<Normalization>())
            {
                MlpDefinition network = NetworkDefinition.Mlp(hidden) with { Activation = activation, Normalization = normalization };
                Check(rule, network, features: 12, classes: 5, rows: 23, seed: 3);
                if (hidden.Length > 0)
                    Check(rule, network with { LinearSkip = true }, features: 12, classes: 5, rows: 23, seed: 3);
            }
        }
    }

    /// <summary>Layers whose passes are divided among threads, into parts of unequal size.</summary>
    [Theory, MemberData(nameof(RulesAndActivations))]
    [Trait("Speed", "Slow")]
    public void Gradient_is_that_of_the_reference_for_large_layers(string rule, Activation activation) =>
        Check(rule, NetworkDefinition.Mlp(401, 311) with { Activation = activation, LinearSkip = activation > Activation.Tanh }, features: 37,
            classes: 4, rows: 70, seed: 4);

    /// <summary>Every rule with one of the activations, every activation with one of the rules: sizes ask for no more.</summary>
    public static TheoryData<string, Activation> RulesAndActivations()
    {
        Activation[] activations = Enum.GetValues<Activation>();
        FeedbackRule[] rules = [.. Feedback.Rules.Six];
        TheoryData<string, Activation> data = [];
        for (int i = 0; i < Math.Max(rules.Length, activations.Length); i++)
            data.Add(rules[i % rules.Length].ShortName, activations[i % activations.Length]);
        return data;
    }

    [Fact]
    public void Gradient_is_that_of_the_reference_for_random_networks() =>
        (from rule in Gen.OneOfConst([.. Feedback.Rules.Six.Select(rule => rule.ShortName)])
         from hidden in Gen.Int[5, 40].Array[0, 4]
         from activation in Gen.Enum<Activation>()
         from normalization in Gen.Enum<Normalization>()
         from initialization in Gen.Enum<WeightInitialization>()
         from dropout in Gen.OneOfConst(0f, 0.3f)
         from skip in Gen.Bool
         from features in Gen.Int[2, 50]
         from classes in Gen.Int[2, 12]
         from rows in Gen.Int[6, 70]
         from seed in Gen.Int
         select (rule, hidden, activation, normalization, initialization, dropout, skip, features, classes, rows, seed))
        .Sample(t => Check(t.rule,
            NetworkDefinition.Mlp(t.hidden) with
            {
                Activation = t.activation,
                Normalization = t.normalization,
                Initialization = t.initialization,
                Dropout = t.dropout,
                LinearSkip = t.skip && t.hidden.Length > 0,
            },
            t.features, t.classes, t.rows, t.seed,
            // Normalising over a nearly constant unit amplifies rounding; the fixed cases above hold 1e-5 with normalisation too.
            tolerance: t.normalization == Normalization.None ? Tolerance : 10 * Tolerance), iter: 400, threads: 1);

    [Fact]
    public void Backpropagation_is_the_gradient_of_the_loss()
    {
        // The reference itself, by finite differences: otherwise both could be wrong alike.
        DenseLayout layout = new(NetworkDefinition.Mlp(6, 5) with { Activation = Activation.Tanh, Normalization = Normalization.Layer }, 4, 3);
        TrainingData data = RandomTask.Data(4, 3, 9, seed: 5, weighted: true);
        int[] rows = RandomTask.AllRows(data);
        using DenseChain chain = Chain(layout, FeedbackRule.Backpropagation, 5);
        float[] parameters = chain.Weights.Span.ToArray();
        double[] gradient = RandomTask.Reference(layout, chain)
            .Gradient(RandomTask.Features(data, rows), RandomTask.Labels(data, rows), RandomTask.Weights(data, rows)).Gradient;
        foreach (ParameterSlice slice in layout.Parameters)
        {
            for (int i = slice.Offset; i < slice.Offset + slice.Length; i++)
            {
                const float Step = 1f / 128;
                double slope = (LossWith(i, Step) - LossWith(i, -Step)) / (2 * Step);
                Assert.Equal(slope, gradient[i], 4e-4);
            }
        }

        double LossWith(int index, float change)
        {
            float[] changed = [.. parameters];
            changed[index] += change;
            return new ReferenceNetwork(layout, changed, new double[layout.Layers.Count][], direct: false)
                .Gradient(RandomTask.Features(data, rows), RandomTask.Labels(data, rows), RandomTask.Weights(data, rows)).Loss;
        }
    }

    [Fact]
    public void Logits_of_any_size_give_finite_gradients()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(), 2, 3);
        TrainingData data = RandomTask.Data(2, 3, 8, seed: 1);
        using DenseChain chain = Chain(layout, FeedbackRule.Backpropagation, 1);
        chain.Weights.Span.Clear();
        layout.Layers[0].Weight.In(chain.Weights.Span).Fill(1e4f);
        layout.Layers[0].Weight.In(chain.Weights.Span)[0] = -1e4f;
        BatchResult result = chain.ComputeGradient(data, RandomTask.AllRows(data));
        Assert.True(double.IsFinite(result.Loss));
        Assert.All(chain.Gradient.Span.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void A_smaller_batch_after_a_larger_one_leaves_no_trace_of_it()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(9), 6, 4);
        TrainingData data = RandomTask.Data(6, 4, 40, seed: 2);
        int[] rows = RandomTask.AllRows(data);
        using DenseChain chain = Chain(layout, FeedbackRule.FeedbackAlignment, 2);
        chain.ComputeGradient(data, rows.AsSpan(0, 16));
        chain.ComputeGradient(data, rows.AsSpan(16, 3));
        float[] after = chain.Gradient.Span.ToArray();
        using DenseChain fresh = Chain(layout, FeedbackRule.FeedbackAlignment, 2);
        fresh.ComputeGradient(data, rows.AsSpan(16, 3));
        Assert.Equal(fresh.Gradient.Span.ToArray(), after);
    }

    internal static DenseChain Chain(DenseLayout layout, FeedbackRule rule, int seed, OptimizerOptions? optimizer = null, float? errorLimit = null) =>
        new DenseChain(layout, Plans.Of(rule, seed) with { ErrorLimit = errorLimit }).With(optimizer ?? new OptimizerOptions.Sgd());

    internal static void Check(string rule, MlpDefinition network, int features, int classes, int rows, int seed, double tolerance = Tolerance,
        float? errorLimit = null)
    {
        DenseLayout layout = new(network, features, classes);
        TrainingData data = RandomTask.Data(features, classes, rows, seed, weighted: true);
        int[] order = RandomTask.AllRows(data);
        using DenseChain chain = Chain(layout, FeedbackRule.Parse(rule), seed, errorLimit: errorLimit);
        // Biases and normalisation away from their start values, so that they matter.
        RandomGenerator random = new(seed, "test parameters");
        foreach (ParameterSlice slice in layout.Parameters.Where(slice => slice.Shape.Length == 1))
        {
            Span<float> values = slice.In(chain.Weights.Span);
            random.FillUniform(values, slice.Name.StartsWith("norm", StringComparison.Ordinal) ? 0.5f : -0.3f,
                slice.Name.StartsWith("norm", StringComparison.Ordinal) ? 1.5f : 0.3f);
        }
        if (layout.Skip is { } skip)
            random.FillUniform(skip.In(chain.Weights.Span), -0.3f, 0.3f);
        ReferenceNetwork reference = new(layout, chain.Weights.Span, RandomTask.Feedback(chain.Feedback),
            chain.Feedback.Route.StartsAtOutput)
        { Mask = Masks(layout, rows, seed), ErrorLimit = errorLimit ?? double.PositiveInfinity };

        BatchResult result = chain.ComputeGradient(data, order);

        (double loss, double[] gradient) = reference.Gradient(RandomTask.Features(data, order), RandomTask.Labels(data, order),
            RandomTask.Weights(data, order));
        if (reference.DistanceFromKink < 2e-6)
            return;
        Assert.Equal(loss, result.Loss / rows, 1e-5 * Math.Max(1, loss));
        double error = RandomTask.RelativeError(chain.Gradient.Span, gradient);
        Assert.True(error < tolerance,
            $"relative error {error:E2} of the gradient, {rule}, {network}, {features} features, {classes} classes, {rows} rows, seed {seed}");
        double total = Math.Sqrt(gradient.Sum(value => value * value));
        foreach (DenseLayer layer in layout.Layers)
        {
            double[] expected = gradient[layer.Weight.Offset..(layer.Weight.Offset + layer.Weight.Length)];
            // A layer with one input before batch normalisation has no gradient but rounding: what is a thousandth of the whole is measured by that.
            double share = Math.Sqrt(expected.Sum(value => value * value)) / total;
            double layerError = RandomTask.RelativeError(layer.Weight.In((ReadOnlySpan<float>)chain.Gradient.Span), expected) * Math.Min(1,
                share * 1000);
            Assert.True(layerError < tolerance, $"relative error {layerError:E2} of {layer.Name}, {rule}, {network}, {features} features, "
                + $"{classes} classes, {rows} rows, seed {seed}");
        }
    }

    /// <summary>The dropout masks that the first step of a training of this seed draws.</summary>
    private static Func<int, int, int, double>? Masks(DenseLayout layout, int rows, int seed)
    {
        if (layout.Network.Dropout == 0)
            return null;
        int width = (rows + 15) / 16 * 16;
        RandomGenerator random = new(seed, "dropout");
        float[][] masks = [.. layout.Network.HiddenUnits.Select(units => new float[units * width])];
        foreach (float[] mask in masks)
            random.FillUniform(mask, 0, 1);
        return (layer, unit, row) => masks[layer][unit * width + row] < layout.Network.Dropout ? 0 : 1 / (1 - (double)layout.Network.Dropout);
    }
}
