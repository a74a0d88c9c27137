using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training.Autograd;

/// <summary>Layers invoked by forward, past TorchSharp's hooks.</summary>
[CustomNetwork("by-forward")]
public sealed class ByForwardFactory : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => new ByForward(shape);

    private sealed class ByForward : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _a, _b;

        public ByForward(NetworkShape shape) : base("by-forward")
        {
            (_a, _b) = (nn.Linear(shape.Input[0], 8), nn.Linear(8, shape.Outputs));
            register_module("a", _a);
            register_module("b", _b);
        }

        public override Tensor forward(Tensor x) => _b.forward(nn.functional.relu(_a.forward(x)));
    }
}

/// <summary>
/// A TorchSharp network of a user's own, start to end: any modules, branches included; its Linear and Conv2d layers follow the rule.
/// </summary>
[CustomNetwork("two-branches")]
public sealed class TwoBranchesFactory : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => new TwoBranches(shape);

    private sealed class TwoBranches : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _first, _norm, _second, _third, _top;

        public TwoBranches(NetworkShape shape) : base("two-branches")
        {
            _first = nn.Conv2d(shape.Input[0], 16, 3, padding: 1);
            _norm = nn.BatchNorm2d(16);
            _second = nn.Conv2d(16, 16, 3, padding: 1);
            _third = nn.Conv2d(16, 16, 1);
            _top = nn.Linear(16 * shape.Input[1] / 2 * (shape.Input[2] / 2), shape.Outputs);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            Tensor h = nn.functional.relu(_norm.call(_first.call(x)));
            h = nn.functional.relu(_second.call(h) + _third.call(h));
            return _top.call(nn.functional.max_pool2d(h, 2).flatten(1));
        }
    }
}

[CustomNetwork("chain")]
public sealed class ChainFactory : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => nn.Sequential(
        ("a", nn.Conv2d(1, 16, 3)), ("b", nn.ReLU()), ("c", nn.Conv2d(16, 16, 3)), ("d", nn.Tanh()), ("e", nn.Flatten()),
            ("f", nn.Linear(16 * 16, 20)), ("g", nn.ReLU()), ("h", nn.Linear(20, shape.Outputs)));
}

[CustomNetwork("wrong-size")]
public sealed class WrongSizeFactory : ICustomNetworkFactory
{
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => nn.Linear(shape.Input[0], shape.Outputs + 1);
}

[Trait("Speed", "Slow")]
public sealed class CustomNetworkTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    public CustomNetworkTests() => LibTorch.EnsureLoaded();

    /// <summary>Numbers of channels for which oneDNN is wrong on some machines, by libtorch's own convolutions in a user's module.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.AllNames), MemberType = typeof(Feedback.Rules))]
    public void Small_channels_in_a_users_network_have_right_gradients_on_every_machine(string name)
    {
        SequentialDefinition layers = NetworkDefinition.Sequential(new Layer.Conv2d(6, 3), new Layer.Activate(Activation.Tanh),
            new Layer.Conv2d(12, 3), new Layer.Activate(Activation.Tanh), new Layer.Conv2d(20, 2),
            new Layer.Activate(Activation.Tanh), new Layer.Flatten(), new Layer.Dense());
        GraphLayout graphLayout = new(layers, new ImageShape(1, 8, 8), 10);
        TrainingData data = Training.Graph.GraphGradientTests.Images(graphLayout, 6);
        FeedbackRule rule = FeedbackRule.Parse(name);
        NetworkShape shape = new([1, 8, 8], 10);
        nn.Module<Tensor, Tensor> module = nn.Sequential(("a", nn.Conv2d(1, 6, 3)), ("b", nn.Tanh()), ("c", nn.Conv2d(6, 12, 3)),
            ("d", nn.Tanh()), ("e", nn.Conv2d(12, 20, 2)), ("f", nn.Tanh()), ("g", nn.Flatten()), ("h", nn.Linear(180, 10)));
        CustomLayout layout = new(NetworkDefinition.Custom("small"), shape, module);
        using GraphNetwork expected = new GraphNetwork(graphLayout, Plans.Of(rule, 2)).With(new OptimizerOptions.Sgd());
        using AutogradNetwork network = new AutogradNetwork(new ModuleForward(layout, module), Plans.Of(rule, 2))
            .With(new OptimizerOptions.Sgd());
        for (int step = 0; step < 4; step++)
        {
            Training.Graph.GraphGradientTests.Dirty();
            expected.Step(data, RandomTask.AllRows(data), 0.05f);
            Training.Graph.GraphGradientTests.Dirty();
            network.Step(data, RandomTask.AllRows(data), 0.05f);
            for (int i = 0; i < layout.WeightedLayers.Count; i++)
            {
                double error = RandomTask.RelativeError(layout.WeightedLayers[i].Weight.In(network.Gradient.Span),
                    [.. graphLayout.WeightedLayers[i].Weight.In(expected.Gradient.Span).ToArray().Select(value => (double)value)]);
                Assert.True(error < 1e-3,
                    $"{rule.ShortName}, step {step}, {layout.WeightedLayers[i].Name}: {error:E2}, oneDNN off: {network.IsRerouted}");
            }
        }
    }

    [Fact]
    public void OneDnn_is_switched_off_and_on_again_and_what_is_right_keeps_it()
    {
        // A module that is wrong with oneDNN on purpose.
        using nn.Module<Tensor, Tensor> wrong = new WrongWithOneDnn(), right = nn.Sequential(("a", nn.Flatten()), ("b", nn.Linear(64, 10)));
        Assert.True(ModuleGuard.NeedsOneDnnOff(wrong, new NetworkShape([1, 8, 8], 10), machineIsSuspect: true, first: null));
        Assert.False(ModuleGuard.NeedsOneDnnOff(right, new NetworkShape([1, 8, 8], 10), machineIsSuspect: true, first: null));
        Assert.False(ModuleGuard.NeedsOneDnnOff(wrong, new NetworkShape([1, 8, 8], 10), machineIsSuspect: false, first: null));
        Assert.True(WrongWithOneDnn.IsOn);
        using (OneDnn.Off(true))
        {
            Assert.False(WrongWithOneDnn.IsOn);
            OneDnn.Off(true)!.Dispose();
            Assert.False(WrongWithOneDnn.IsOn);
        }
        Assert.True(WrongWithOneDnn.IsOn);
        Assert.Null(OneDnn.Off(false));
    }

    private sealed class WrongWithOneDnn : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _dense = nn.Linear(64, 10);

        public WrongWithOneDnn() : base("wrong") => RegisterComponents();

        public static bool IsOn => OneDnn.IsEnabled;

        public override Tensor forward(Tensor x)
        {
            Tensor y = _dense.call(x.flatten(1));
            return IsOn ? y * 1.1f : y;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _dense.Dispose();
            base.Dispose(disposing);
        }
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Gradients_are_those_of_the_same_layers_as_data_for_every_rule(string name)
    {
        SequentialDefinition layers = NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU),
            new Layer.Conv2d(16, 3), new Layer.Activate(Activation.Tanh),
            new Layer.Flatten(), new Layer.Dense(20), new Layer.Activate(Activation.ReLU), new Layer.Dense());
        GraphLayout graphLayout = new(layers, new ImageShape(1, 8, 8), 10);
        TrainingData data = Training.Graph.GraphGradientTests.Images(graphLayout, 6);
        int[] rows = RandomTask.AllRows(data);
        FeedbackRule rule = FeedbackRule.Parse(name);
        NetworkShape shape = new([1, 8, 8], 10);
        nn.Module<Tensor, Tensor> module = new ChainFactory().Create(shape);
        CustomLayout layout = new(NetworkDefinition.Custom("chain"), shape, module);
        Assert.Equal(["a", "c", "f", "h"], layout.WeightedLayers.Select(layer => layer.Name));
        using GraphNetwork expected = new GraphNetwork(graphLayout, Plans.Of(rule, 2)).With(new OptimizerOptions.Sgd());
        using AutogradNetwork network = new AutogradNetwork(new ModuleForward(layout, module), Plans.Of(rule, 2))
            .With(new OptimizerOptions.Sgd());
        // The same seed draws the same weights and feedback: both lie in the same order.
        for (int step = 0; step < 3; step++)
        {
            BatchResult a = expected.Step(data, rows, 0.1f), b = network.Step(data, rows, 0.1f);
            Assert.Equal(a.Loss, b.Loss, 1e-4);
            Assert.Equal(a.Correct, b.Correct);
            for (int i = 0; i < layout.WeightedLayers.Count; i++)
            {
                double error = RandomTask.RelativeError(layout.WeightedLayers[i].Weight.In(network.Gradient.Span),
                    [.. graphLayout.WeightedLayers[i].Weight.In(expected.Gradient.Span).ToArray().Select(value => (double)value)]);
                Assert.True(error < 1e-4, $"{rule.ShortName}, step {step}, {layout.WeightedLayers[i].Name}: {error:E2}");
            }
        }
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void A_users_network_trains_by_every_rule_saves_and_loads_where_its_factory_is_registered(string rule)
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(TwoBranchesFactory).Assembly);
        IDataView data = _mlContext.Data.TakeRows(Tables.Load(_mlContext, "digits"), 400);
        ITransformer model = Pipeline("two-branches", FeedbackRule.Parse(rule), epochs: 5).Fit(data);
        double accuracy = _mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy;
        Assert.True(accuracy > 0.6, $"{accuracy:F3}");
        Assert.Equal(["_first", "_second", "_third", "_top"], Tables.ModelOf(model).GetWeights().Keys);
        using MemoryStream zip = new();
        _mlContext.Model.Save(model, data.Schema, zip);
        MLContext other = new();
        other.ComponentCatalog.RegisterAssembly(typeof(TwoBranchesFactory).Assembly);
        ITransformer loaded = other.Model.Load(zip, out _);
        IDataView some = _mlContext.Data.TakeRows(data, 50);
        Assert.Equal(model.Transform(some).GetColumn<float[]>("Score"), loaded.Transform(some).GetColumn<float[]>("Score"));
        Trainers.PipelineTests.AssertSameWeights(Tables.ModelOf(model), Tables.ModelOf(loaded));
        Assert.Equal(Tables.ModelOf(model).Network, Tables.ModelOf(loaded).Network);
    }

    [Fact]
    public void Without_registration_training_and_loading_say_what_to_do()
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
            Pipeline("two-branches", FeedbackRule.Backpropagation, 1).Fit(data));
        Assert.Contains("no factory of the network 'two-branches' is registered", error.Message, StringComparison.Ordinal);
        Assert.Contains("RegisterAssembly", error.Message, StringComparison.Ordinal);
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(TwoBranchesFactory).Assembly);
        using MemoryStream zip = new();
        _mlContext.Model.Save(Pipeline("two-branches", FeedbackRule.Backpropagation, 1).Fit(data), data.Schema, zip);
        Exception load = Assert.ThrowsAny<Exception>(() => new MLContext().Model.Load(zip, out _));
        Assert.Contains("RegisterAssembly", load.ToString(), StringComparison.Ordinal);
        error = Assert.Throws<InvalidOperationException>(() => Pipeline("wrong-size", FeedbackRule.Backpropagation, 1, image: false).Fit(data));
        Assert.Contains("must give rows × 10", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<InvalidOperationException>(() => Pipeline("chain", FeedbackRule.Backpropagation, 1, image: false).Fit(data));
        Assert.Contains("cannot take rows of 64", error.Message, StringComparison.Ordinal);
    }

    /// <summary>As older tutorials write modules: no rule, nor any measurement, sees a layer that is not called.</summary>
    [Theory, InlineData("bp"), InlineData("fa"), InlineData("dfa")]
    public void A_module_whose_layers_are_invoked_by_forward_is_told_to_call_them(string rule)
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(ByForwardFactory).Assembly);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
            Pipeline("by-forward", FeedbackRule.Parse(rule), 1, image: false).Fit(Tables.Load(_mlContext, "digits")));
        Assert.Contains("never invokes call(x) on its layers 'a', 'b'", error.Message, StringComparison.Ordinal);
        Assert.Contains("write layer.call(x) instead of layer.forward(x)", error.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Steps_and_measurements_leave_no_live_tensor_behind(string name)
    {
        NetworkShape shape = new([1, 8, 8], 10);
        TrainingData data = RandomTask.Data(64, 10, 6, seed: 1);
        FeedbackRule rule = FeedbackRule.Parse(name);
        nn.Module<Tensor, Tensor> module = new ChainFactory().Create(shape);
        using AutogradNetwork network = new AutogradNetwork(new ModuleForward(new CustomLayout(NetworkDefinition.Custom("chain"), shape, module),
            module), Plans.Of(rule, 2)).With(new OptimizerOptions.Sgd());
        void StepAndMeasure()
        {
            network.Step(data, RandomTask.AllRows(data), 0.01f);
            new FaMLNet.Diagnostics.Measurement(LayerDiagnostics.UpdateAngle | LayerDiagnostics.Alignment, network).BeforeUpdate(null);
        }
        StepAndMeasure();
        long before = LiveTensors.OfThisThread;
        for (int i = 0; i < 5; i++)
            StepAndMeasure();
        Assert.Equal(before, LiveTensors.OfThisThread);
    }

    [Fact]
    public void Initial_weights_can_be_kept()
    {
        NetworkShape shape = new([1, 8, 8], 10);
        nn.Module<Tensor, Tensor> module = new ChainFactory().Create(shape);
        Dictionary<string, float[]> before = module.named_parameters()
            .ToDictionary(pair => pair.name, pair => pair.parameter.data<float>().ToArray());
        CustomDefinition definition = NetworkDefinition.Custom("chain") with { KeepInitialWeights = true };
        CustomLayout layout = new(definition, shape, module);
        using AutogradNetwork network = new AutogradNetwork(new ModuleForward(layout, module), Plans.Of(FeedbackRule.FeedbackAlignment,
            2) with
        { InitialWeightScale = 0.1f }).With(new OptimizerOptions.Sgd());
        foreach (ParameterSlice slice in layout.Parameters)
            Assert.Equal(before[slice.Name], slice.In(network.Weights.Span).ToArray());
    }

    private IEstimator<ITransformer> Pipeline(string name, FeedbackRule rule, int epochs, bool image = true) =>
        _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMinMax("Features"))
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = rule,
                Network = NetworkDefinition.Custom(name),
                ImageShape = image ? new ImageShape(1, 8, 8) : null,
                NumberOfEpochs = epochs,
                Optimizer = new OptimizerOptions.Adam { LearningRate = 0.003f },
                Seed = 1,
            }));
}
