using System.Numerics.Tensors;
using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Training;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>Weights that keep the norms that they start with, by every rule, on every way to a gradient.</summary>
public sealed class WeightNormsTests
{
    public WeightNormsTests() => LibTorch.EnsureLoaded();

    public static TheoryData<string> Rules => [.. Feedback.Rules.Six.Select(rule => rule.ShortName)];

    [Theory, MemberData(nameof(Rules))]
    [Trait("Speed", "Slow")]
    public void After_every_step_each_layer_has_its_first_norm_and_the_direction_of_a_free_step(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        OptimizerOptions optimizer = new OptimizerOptions.Adam { LearningRate = 0.01f };
        DenseLayout dense = new(NetworkDefinition.Mlp(12, 9) with { Normalization = Normalization.Batch }, 128, 5);
        GraphLayout graph = new(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU),
            new Layer.Conv2d(16, 2), new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense()), new ImageShape(2, 8, 8), 5);
        Func<TrainingNetwork>[] ways =
        [
            () => new DenseChain(dense, Plans.Of(rule, 1)).With(optimizer), () => new GraphNetwork(graph, Plans.Of(rule, 1)).With(optimizer),
            () => new AutogradNetwork(new DefinedForward(graph, new RandomGenerator(1, "dropout")), Plans.Of(rule, 1)).With(optimizer),
            () => new AutogradNetwork(new DefinedForward(dense, new RandomGenerator(1, "dropout")), Plans.Of(rule, 1) with { Device = torch.CPU })
                .With(optimizer),
        ];
        TrainingData data = RandomTask.Data(128, 5, 12, seed: 3);
        int[] rows = RandomTask.AllRows(data);
        foreach (Func<TrainingNetwork> create in ways)
        {
            using TrainingNetwork free = create(), bound = create();
            float[] first = [.. bound.With(optimizer, keepsNorms: true).StepOf().Norms!.Values];
            for (int step = 0; step < 5; step++)
            {
                free.Step(data, rows, 0.01f);
                bound.Step(data, rows, 0.01f);
                free.Download();
                bound.Download();
                for (int i = 0; i < first.Length; i++)
                {
                    ParameterSlice slice = bound.Layout.WeightedLayers[i].Weight;
                    Span<float> own = slice.In(bound.Weights.Span), other = slice.In(free.Weights.Span);
                    Assert.Equal(1, TensorPrimitives.Norm<float>(own) / first[i], 1e-5);
                    if (step == 0)
                        Assert.Equal(1, TensorPrimitives.CosineSimilarity<float>(own, other), 1e-5);
                }
            }
            // Free weights do change their norms, so the test looks at something.
            Assert.Contains(Enumerable.Range(0, first.Length), i =>
                Math.Abs(TensorPrimitives.Norm<float>(free.Layout.WeightedLayers[i].Weight.In(free.Weights.Span)) / first[i] - 1) > 0.01);
        }
    }

    [Fact]
    public void Weights_that_start_at_0_are_left_alone()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(4), 3, 2);
        float[] weights = new float[layout.ParameterLength];
        layout.Layers[0].Weight.In(weights.AsSpan()).Fill(1);
        WeightNorms norms = new(layout, weights);
        layout.Layers[0].Weight.In(weights.AsSpan()).Fill(3);
        layout.Layers[1].Weight.In(weights.AsSpan()).Fill(0.5f);
        layout.Layers[1].Bias.In(weights.AsSpan()).Fill(7);
        norms.Apply(weights);
        Assert.All(layout.Layers[0].Weight.In((ReadOnlySpan<float>)weights).ToArray(), value => Assert.Equal(1, value, 1e-6));
        Assert.All(layout.Layers[1].Weight.In((ReadOnlySpan<float>)weights).ToArray(), value => Assert.Equal(0.5f, value));
        Assert.All(layout.Layers[1].Bias.In((ReadOnlySpan<float>)weights).ToArray(), value => Assert.Equal(7, value));
    }
}
