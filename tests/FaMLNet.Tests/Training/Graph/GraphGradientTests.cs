using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using Xunit;

namespace FaMLNet.Tests.Training.Graph;

/// <summary>Every rule's gradients on convolutional networks, against a float64 reference, on the machine at hand.</summary>
public sealed class GraphGradientTests
{
    private const double Tolerance = 1e-4;
    private static readonly Layer ReLU = new Layer.Activate(Activation.ReLU), Flatten = new Layer.Flatten(), Norm = new Layer.BatchNorm(),
        Top = new Layer.Dense();

    public GraphGradientTests() => LibTorch.EnsureLoaded();

    /// <summary>Small numbers of channels among them, where oneDNN is wrong on some machines.</summary>
    public static IEnumerable<(string Name, Layer[] Layers)> Networks =>
    [
        ("dense only", [Flatten, new Layer.Dense(9), new Layer.Activate(Activation.Tanh), Top]),
        ("3x3 1-6-12", [new Layer.Conv2d(6, 3), ReLU, new Layer.Conv2d(12, 3), ReLU, Flatten, Top]),
        ("padding 8-8", [new Layer.Conv2d(8, 3) { Padding = 1 }, ReLU, new Layer.Conv2d(8, 3) { Padding = 1 }, new Layer.Activate(Activation.ELU),
            Flatten, Top]),
        ("16-24 5x5", [new Layer.Conv2d(16, 5) { Padding = 2 }, ReLU, new Layer.Conv2d(24, 5) { Padding = 2 }, ReLU,
            new Layer.AdaptiveAveragePool2d(1), Flatten, Top]),
        ("20-50 forward", [new Layer.Conv2d(20, 3), ReLU, new Layer.Conv2d(50, 3), ReLU, new Layer.AveragePool2d(2), Flatten, Top]),
        ("stride 2", [new Layer.Conv2d(16, 3) { Stride = 2, Padding = 1 }, ReLU, new Layer.Conv2d(12, 3) { Stride = 2 },
            new Layer.Activate(Activation.Sigmoid), Flatten, Top]),
        ("dilation 2", [new Layer.Conv2d(16, 3), ReLU, new Layer.Conv2d(12, 3) { Dilation = 2, Padding = 2 }, ReLU, Flatten, Top]),
        ("groups", [new Layer.Conv2d(8, 3), ReLU, new Layer.Conv2d(12, 3) { Groups = 4 }, ReLU,
            new Layer.Conv2d(12, 3) { Groups = 12, Padding = 1, Bias = false }, ReLU, Flatten, Top]),
        ("1x1", [new Layer.Conv2d(10, 1), new Layer.Activate(Activation.LeakyReLU), new Layer.Conv2d(5, 1) { Stride = 3 }, ReLU, Flatten, Top]),
        ("pool 2", [new Layer.Conv2d(6, 3), ReLU, new Layer.MaxPool2d(2), new Layer.Conv2d(7, 2), ReLU, new Layer.MaxPool2d(2), Flatten, Top]),
        ("pool 3, padding", [new Layer.Conv2d(6, 3), new Layer.MaxPool2d(3) { Stride = 2, Padding = 1 }, ReLU, new Layer.Conv2d(4, 3), ReLU, Flatten,
            Top]),
        ("whole kernel", [new Layer.Conv2d(4, 3) { Stride = 2 }, ReLU, new Layer.Conv2d(20, 4), ReLU, Flatten, new Layer.Dense(6), ReLU, Top]),
        ("norm", [new Layer.Conv2d(6, 3) { Bias = false }, Norm, ReLU, new Layer.Conv2d(8, 3), Norm, new Layer.Activate(Activation.Tanh), Flatten,
            new Layer.Dense(10), Norm, ReLU, Top]),
        ("residual", [new Layer.Conv2d(6, 3) { Padding = 1 }, ReLU,
            new Layer.Residual([new Layer.Conv2d(6, 3) { Padding = 1 }, Norm, ReLU, new Layer.Conv2d(6, 3) { Padding = 1 }, Norm], []), ReLU,
            new Layer.Residual([new Layer.Conv2d(10, 3) { Stride = 2, Padding = 1 }, ReLU, new Layer.Conv2d(10, 3) { Padding = 1 }],
                [new Layer.Conv2d(10, 1) { Stride = 2 }]), ReLU,
            new Layer.Residual([new Layer.Conv2d(14, 3) { Stride = 2, Padding = 1 }, ReLU], [new Layer.DownsampleWithZeros(14)]),
            new Layer.AdaptiveAveragePool2d(1), Flatten, Top]),
        ("concatenate", [new Layer.Conv2d(5, 3), new Layer.Concatenate([Norm, ReLU, new Layer.Conv2d(3, 3) { Padding = 1 }]),
            new Layer.Concatenate([ReLU, new Layer.Conv2d(4, 1)]), new Layer.AdaptiveAveragePool2d(2), Flatten, Top]),
        ("channels last", [new Layer.Conv2d(16, 3) { Padding = 1 }, ReLU, new Layer.Conv2d(32, 3), Norm, ReLU, new Layer.MaxPool2d(2),
            new Layer.Conv2d(16, 2), new Layer.Activate(Activation.Tanh), Flatten, Top]),
        ("channels last, branches", [new Layer.Conv2d(16, 3) { Padding = 1 }, ReLU,
            new Layer.Concatenate([ReLU, new Layer.Conv2d(16, 3) { Padding = 1 }]), Norm, ReLU,
            new Layer.Residual([new Layer.Conv2d(48, 3) { Stride = 2, Padding = 1 }, Norm], [new Layer.DownsampleWithZeros(48)]), ReLU,
                new Layer.Conv2d(16, 1), ReLU, new Layer.AveragePool2d(2), Flatten, Top]),
        ("channels last, residual", [new Layer.Conv2d(32, 3) { Padding = 1, Bias = false }, Norm, ReLU,
            new Layer.Residual([new Layer.Conv2d(32, 3) { Padding = 1 }, Norm, ReLU, new Layer.Conv2d(32, 3) { Padding = 1 }, Norm], []), ReLU,
            new Layer.Residual([Norm, ReLU, new Layer.Conv2d(32, 3) { Padding = 1 }, Norm], []),
            new Layer.Residual([ReLU, new Layer.Conv2d(16, 1) { Stride = 2 }, Norm], [new Layer.Conv2d(16, 1) { Stride = 2 }, Norm]),
                new Layer.Activate(Activation.Tanh), Norm,
            new Layer.Residual([new Layer.Residual([new Layer.Conv2d(16, 3) { Padding = 1 }, Norm], []), Norm], []), new Layer.AveragePool2d(2),
                Flatten, Top]),
        ("output rectified", [new Layer.Conv2d(16, 3), Norm, ReLU, new Layer.Conv2d(7, 7), ReLU, Flatten]),
        ("pad to", [new Layer.PadTo(13), new Layer.Conv2d(4, 4), ReLU, new Layer.MaxPool2d(2), Flatten, Top]),
    ];

    public static TheoryData<string, string> RulesAndNetworks()
    {
        TheoryData<string, string> data = [];
        foreach (FeedbackRule rule in Feedback.Rules.Six)
        {
            foreach ((string name, _) in Networks)
                data.Add(rule.ShortName, name);
        }
        return data;
    }

    [Theory, MemberData(nameof(RulesAndNetworks))]
    public void Gradient_is_that_of_the_reference_for_every_rule_and_layer(string rule, string network) =>
        Check(rule, NetworkDefinition.Sequential(Networks.Single(other => other.Name == network).Layers), new ImageShape(3, 9, 9), rows: 4);

    /// <summary>
    /// The ways round libtorch's kernels, on machines that need none as well: their autograd keeps a copy of the weights, which the
    /// feedback weights must not miss.
    /// </summary>
    [Theory, MemberData(nameof(RulesAndNetworks))]
    public void Gradient_is_that_of_the_reference_where_convolutions_go_another_way(string rule, string network)
    {
        foreach (Convolution way in new[] { ConvolutionGuard.Padded, ConvolutionGuard.Unfolded })
            Check(rule, NetworkDefinition.Sequential(Networks.Single(other => other.Name == network).Layers), new ImageShape(3, 9, 9), rows: 4,
                new ConvolutionGuard(way));
    }

    /// <summary>
    /// Convolution, ReLU and pool in one node: rows beyond a vector's length, kernels of every size that it takes, odd images, single rows.
    /// </summary>
    [Theory]
    [InlineData(1, 40, 37, 5, 6, 3), InlineData(1, 10, 70, 5, 4, 1), InlineData(3, 12, 11, 3, 7, 2), InlineData(5, 9, 9, 4, 5, 3),
        InlineData(8, 8, 8, 2, 3, 2), InlineData(2, 17, 16, 7, 2, 2), InlineData(1, 16, 16, 8, 3, 2),
        InlineData(2, 8, 8, 1, 3, 1)]
    public void Gradient_behind_a_pool_is_that_of_the_reference_for_every_rule(int channels, int height, int width, int kernel, int outputs, int rows)
    {
        foreach (bool bias in new[] { true, false })
        {
            SequentialDefinition network = NetworkDefinition.Sequential(new Layer.Conv2d(outputs, kernel) { Bias = bias }, ReLU,
                new Layer.MaxPool2d(2),
                new Layer.Conv2d(outputs + 1, 1) { Bias = bias }, ReLU, new Layer.MaxPool2d(2), Flatten, Top);
            foreach (FeedbackRule rule in Feedback.Rules.Six)
                Check(rule.ShortName, network, new ImageShape(channels, height, width), rows);
        }
    }

    /// <summary>As many channels as rows and columns: shapes alone do not tell the two orders of memory apart.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Gradient_of_a_cube_of_channels_is_that_of_the_reference(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        Check(rule.ShortName, NetworkDefinition.Sequential(new Layer.Conv2d(16, 3) { Padding = 1 }, Norm, ReLU,
            new Layer.Conv2d(16, 3) { Padding = 1 }, ReLU, Flatten, Top), new ImageShape(1, 16, 16), rows: 2);
    }

    /// <summary>As many pixels as are divided among threads, in both orders of memory.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Gradient_of_large_images_is_that_of_the_reference_for_every_rule(string name)
    {
        SequentialDefinition together = NetworkDefinition.Sequential(new Layer.Conv2d(16, 3) { Padding = 1, Bias = false }, Norm, ReLU,
            new Layer.Residual([new Layer.Conv2d(16, 1) { Bias = false }, Norm], []), ReLU, new Layer.Conv2d(16, 1) { Bias = false }, Norm,
            new Layer.AveragePool2d(8), Flatten, Top);
        SequentialDefinition apart = NetworkDefinition.Sequential(new Layer.Conv2d(12, 3) { Padding = 1 }, ReLU, new Layer.Conv2d(12, 1), ReLU,
            new Layer.AveragePool2d(8), Flatten, Top);
        FeedbackRule rule = FeedbackRule.Parse(name);
        Check(rule.ShortName, together, new ImageShape(1, 32, 32), rows: 3);
        Check(rule.ShortName, apart, new ImageShape(1, 32, 32), rows: 3);
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Gradient_of_LeNet_is_that_of_the_reference_for_every_rule(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        Check(rule.ShortName, NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), rows: 2);
        Check(rule.ShortName, NetworkDefinition.LeNet() with { Activation = Activation.Tanh }, new ImageShape(1, 28, 28), rows: 2);
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Gradient_of_ResNet20_is_that_of_the_reference_for_every_rule(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        Check(rule.ShortName, NetworkDefinition.ResNet(20), new ImageShape(3, 16, 16), rows: 3);
    }

    [Fact]
    public void Direct_feedback_compares_with_backpropagation_on_the_same_batch()
    {
        GraphLayout layout = new(NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), 10);
        TrainingData data = Images(layout, 6);
        using GraphNetwork dfa = Network(layout, FeedbackRule.DirectFeedbackAlignment), bp = Network(layout, FeedbackRule.Backpropagation);
        dfa.ComputeGradient(data, RandomTask.AllRows(data));
        float[] before = dfa.Gradient.Span.ToArray();
        bp.ComputeGradient(data, RandomTask.AllRows(data));
        double error = RandomTask.RelativeError(dfa.ComputeBackpropagationGradient().Span,
            [.. bp.Gradient.Span.ToArray().Select(value => (double)value)]);
        Assert.True(error < 1e-6, $"{error}");
        Assert.Equal(before, dfa.Gradient.Span.ToArray());
        dfa.ComputeGradient(data, RandomTask.AllRows(data));
        Assert.True(RandomTask.RelativeError(dfa.Gradient.Span, [.. before.Select(value => (double)value)]) < 1e-6);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void A_step_leaves_no_live_tensor_behind()
    {
        foreach (SequentialDefinition network in new[] { NetworkDefinition.LeNet(), NetworkDefinition.ResNet(20) })
        {
            GraphLayout layout = new(network, new ImageShape(1, 16, 16), 10);
            TrainingData data = Images(layout, 8);
            foreach (FeedbackRule rule in FeedbackRule.All)
            {
                long start = LiveTensors.OfThisThread;
                using (GraphNetwork chain = Network(layout, rule))
                {
                    chain.Step(data, RandomTask.AllRows(data), 0.01f);
                    chain.Step(data, RandomTask.AllRows(data), 0.01f);
                    long before = LiveTensors.OfThisThread;
                    for (int i = 0; i < 3; i++)
                        chain.Step(data, RandomTask.AllRows(data), 0.01f);
                    Assert.Equal(before, LiveTensors.OfThisThread);
                }
                Assert.Equal(start, LiveTensors.OfThisThread);
            }
        }
    }

    [Fact]
    public void Measuring_everything_again_and_again_leaves_no_live_tensor_behind()
    {
        GraphLayout layout = new(NetworkDefinition.LeNet(), new ImageShape(1, 16, 16), 10);
        TrainingData data = Images(layout, 8);
        using GraphNetwork network = Network(layout, FeedbackRule.DirectFeedbackAlignment);
        FaMLNet.Diagnostics.Measurement measurement = new(LayerDiagnostics.All, network);
        FaMLNet.Diagnostics.UnitActivity activity = new(2);
        network.Activity = activity;
        void Measure()
        {
            activity.Begin(afterGap: false);
            network.ComputeGradient(data, RandomTask.AllRows(data));
            measurement.BeforeUpdate(activity);
            measurement.AfterUpdate();
        }
        Measure();
        long before = LiveTensors.OfThisThread;
        for (int i = 0; i < 5; i++)
            Measure();
        Assert.Equal(before, LiveTensors.OfThisThread);
    }

    /// <summary>Leaves NaN in memory that the allocator will hand out next.</summary>
    internal static void Dirty() => ConvolutionGuard.Dirty();

    internal static TrainingData Images(GraphLayout layout, int rows)
    {
        TrainingData data = new(layout.Inputs, layout.Outputs, rows);
        RandomGenerator random = new(5, "images");
        for (int row = 0; row < rows; row++)
        {
            random.FillUniform(data.Next(), 0, 1);
            data.Commit(random.NextInt32(layout.Outputs), null);
        }
        return data;
    }

    internal static GraphNetwork Network(GraphLayout layout, FeedbackRule rule, ConvolutionGuard? guard = null, float? errorLimit = null) =>
        new GraphNetwork(layout, Plans.Of(rule, 2) with { ErrorLimit = errorLimit }, guard).With(new OptimizerOptions.Sgd());

    internal static void Check(string rule, SequentialDefinition network, ImageShape image, int rows, ConvolutionGuard? guard = null,
        float? errorLimit = null)
    {
        GraphLayout layout = new(network, image, 7);
        TrainingData data = Images(layout, rows);
        using GraphNetwork chain = Network(layout, FeedbackRule.Parse(rule), guard, errorLimit);
        data.MeasureChannels(RandomTask.AllRows(data), image.Channels, layout.InputMean.In(chain.Statistics.Span),
            layout.InputDeviation.In(chain.Statistics.Span));
        RandomGenerator random = new(3, "test parameters");
        foreach (ParameterSlice slice in layout.Parameters.Where(slice => slice.Shape.Length == 1))
            random.FillUniform(slice.In(chain.Weights.Span), layout.Scales.Contains(slice) ? 0.5f : -0.3f, layout.Scales.Contains(slice) ? 1.5f
                : 0.3f);
        ReferenceGraph reference = new(layout, chain.Weights.Span, chain.Statistics.Span, RandomTask.Feedback(chain.Feedback),
            chain.Feedback.Route.StartsAtOutput)
        { ErrorLimit = errorLimit ?? double.PositiveInfinity };
        int[] order = RandomTask.AllRows(data);

        BatchResult result = chain.ComputeGradient(data, order);

        double loss = reference.Run(RandomTask.Features(data, order), RandomTask.Labels(data, order));
        Assert.Equal(loss, result.Loss / rows, 1e-4 * Math.Max(1, loss));
        double total = Math.Sqrt(reference.Gradient.Sum(value => value * value));
        foreach (ParameterSlice slice in layout.Parameters)
        {
            double[] expected = reference.Gradient[slice.Offset..(slice.Offset + slice.Length)];
            // What is a thousandth of the whole (a bias before batch normalisation: 0 but for rounding) is measured by that.
            double share = Math.Sqrt(expected.Sum(value => value * value)) / total;
            double error = share == 0 ? 0 : RandomTask.RelativeError(slice.In((ReadOnlySpan<float>)chain.Gradient.Span), expected) * Math.Min(1,
                share * 1000);
            Assert.True(error < Tolerance,
                $"relative error {error:E2} of {slice.Name}, {rule}, {network}; distance from a kink {reference.DistanceFromKink:E2}");
        }
    }
}
