using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Rows;
using Microsoft.ML.Data;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>What a rule may ask of a step: the update of the weights, activations and errors.</summary>
public sealed class RuleSignalTests
{
    private static readonly DenseLayout Layout = new(NetworkDefinition.Mlp(24, 13, 8), 10, 5);
    private readonly TrainingData _data = RandomTask.Data(10, 5, 64, seed: 7, weighted: true);
    private readonly int[] _rows;

    public RuleSignalTests()
    {
        LibTorch.EnsureLoaded();
        _rows = RandomTask.AllRows(_data);
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
