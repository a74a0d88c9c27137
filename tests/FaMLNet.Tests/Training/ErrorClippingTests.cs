using System.Numerics.Tensors;
using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tests.Training.Graph;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>Errors that are clipped where they leave a layer with weights, by every rule, on every way to a gradient.</summary>
public sealed class ErrorClippingTests
{
    private const float Limit = 0.004f;

    public ErrorClippingTests() => LibTorch.EnsureLoaded();

    public static TheoryData<string> Rules => [.. Feedback.Rules.Six.Select(rule => rule.ShortName)];

    [Theory, MemberData(nameof(Rules))]
    public void Gradient_of_dense_networks_is_that_of_the_reference(string rule)
    {
        foreach (Normalization normalization in Enum.GetValues<Normalization>())
            GradientTests.Check(rule, NetworkDefinition.Mlp(16, 9, 5) with { Normalization = normalization }, features: 12, classes: 5, rows: 23,
                seed: 3,
                errorLimit: Limit);
    }

    [Theory, MemberData(nameof(Rules))]
    public void Gradient_of_convolutional_networks_is_that_of_the_reference(string rule)
    {
        foreach ((_, Layer[] layers) in GraphGradientTests.Networks)
            GraphGradientTests.Check(rule, NetworkDefinition.Sequential(layers), new ImageShape(3, 9, 9), rows: 4, errorLimit: Limit);
    }

    /// <summary>By autograd as by the other ways, and there is something to clip; what measures compare with is backpropagation unclipped.</summary>
    [Theory, MemberData(nameof(Rules))]
    public void By_autograd_the_gradient_is_that_of_the_other_ways(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        DenseLayout dense = new(NetworkDefinition.Mlp(12, 9) with { Normalization = Normalization.Batch }, 128, 5);
        GraphLayout graph = new(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU),
            new Layer.Residual([new Layer.Conv2d(16, 3) { Padding = 1 }, new Layer.BatchNorm()], []), new Layer.Activate(Activation.ReLU),
                new Layer.Flatten(),
            new Layer.Dense()), new ImageShape(2, 8, 8), 5);
        TrainingData data = RandomTask.Data(128, 5, 12, seed: 3);
        int[] rows = RandomTask.AllRows(data);
        foreach (NetworkLayout layout in new NetworkLayout[] { dense, graph })
        {
            GradientPlan plan = Plans.Of(rule, 1) with { ErrorLimit = Limit };
            TrainingNetwork OnHost(GradientPlan chosen) => layout is DenseLayout ? new DenseChain(dense, chosen) : new GraphNetwork(graph, chosen);
            AutogradNetwork ByAutograd(GradientPlan chosen) => new(new DefinedForward(layout, new RandomGenerator(1, "dropout")), chosen);
            using TrainingNetwork unbounded = OnHost(plan with { ErrorLimit = null }), expected = OnHost(plan);
            using AutogradNetwork network = ByAutograd(plan), device = ByAutograd(plan with { Device = torch.CPU });
            unbounded.ComputeGradient(data, rows);
            float[] free = unbounded.Gradient.Span.ToArray();
            expected.ComputeGradient(data, rows);
            float[] plain = expected.ComputeBackpropagationGradient().Span.ToArray();
            foreach (TrainingNetwork each in new[] { expected, network, device })
            {
                each.ComputeGradient(data, rows);
                each.Download();
            }
            Assert.InRange(TensorPrimitives.Distance<float>(expected.Gradient.Span, free), 1e-3, 1e3);
            foreach (AutogradNetwork each in new[] { network, device })
            {
                float apart = TensorPrimitives.Distance<float>(expected.Gradient.Span, each.Gradient.Span) / TensorPrimitives.Norm<float>(free);
                Assert.True(apart < 1e-4, $"{name}, {layout.Definition}: {apart}");
                Assert.True(TensorPrimitives.Distance<float>(plain,
                    each.ComputeBackpropagationGradient().Span) < 1e-4 * TensorPrimitives.Norm<float>(plain));
            }
        }
    }

    [Theory, InlineData("fa"), InlineData("dfa")]
    public void A_step_by_autograd_leaves_no_tensors_behind(string name)
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(12, 9), 20, 5);
        TrainingData data = RandomTask.Data(20, 5, 12, seed: 3);
        int[] rows = RandomTask.AllRows(data);
        FeedbackRule rule = FeedbackRule.Parse(name);
        using AutogradNetwork network = new AutogradNetwork(new DefinedForward(layout, new RandomGenerator(1, "dropout")),
            Plans.Of(rule, 1) with { ErrorLimit = Limit }).With(new OptimizerOptions.Sgd());
        for (int step = 0; step < 3; step++)
            network.Step(data, rows, 0.01f);
        long before = LiveTensors.OfThisThread;
        for (int step = 0; step < 20; step++)
            network.Step(data, rows, 0.01f);
        Assert.Equal(before, LiveTensors.OfThisThread);
    }

    [Fact]
    public void A_limit_must_be_above_0_and_is_part_of_what_a_checkpoint_is_of()
    {
        Assert.Contains("above 0", Assert.Throws<ArgumentException>(GradientClipping.OfErrors(0).Validate).Message, StringComparison.Ordinal);
        Assert.Contains("0.5", $"{GradientClipping.OfErrors(0.5f)}", StringComparison.Ordinal);
        Assert.NotEqual(GradientClipping.OfErrors(0.5f), GradientClipping.ByValue(0.5f));
    }
}
