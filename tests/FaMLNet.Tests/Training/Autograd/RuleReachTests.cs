using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks;
using FaMLNet.Training;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training.Autograd;

/// <summary>Modules as people write them: every rule either reaches each layer, to a float64 reference, or refuses with the layer's name.</summary>
public sealed class RuleReachTests
{
    private static readonly FeedbackRule[] Rules = [.. Feedback.Rules.Six];

    public RuleReachTests() => LibTorch.EnsureLoaded();

    /// <summary>Modules, by name, that rules must reach.</summary>
    private static IEnumerable<(string Name, Func<nn.Module<Tensor, Tensor>> Create)> Reached =>
    [
        ("a layer used twice", () => new Net(new() { ["a"] = nn.Linear(12, 8), ["b"] = nn.Linear(8, 8), ["c"] = nn.Linear(8, 5) }, (m, x) =>
            m("c", m("b", m("b", m("a", x).tanh()).tanh()).sigmoid()))),
        ("the first layer used twice", () => new Net(new() { ["a"] = nn.Linear(12, 12), ["b"] = nn.Linear(12, 5) }, (m, x) =>
            m("b", m("a", m("a", x).tanh()).tanh()))),
        ("two layers fed by one tensor", () => new Net(
            new() { ["a"] = nn.Linear(12, 8), ["b"] = nn.Linear(8, 6), ["c"] = nn.Linear(8, 6), ["d"] = nn.Linear(6, 5) }, (m, x) =>
        {
            Tensor h = m("a", x).tanh();
            return m("d", (m("b", h) * m("c", h)).tanh());
        })),
        ("skip connections", () => new Net(new() { ["a"] = nn.Linear(12, 8), ["b"] = nn.Linear(8, 8), ["c"] = nn.Linear(8, 5) }, (m, x) =>
        {
            Tensor h = m("a", x).tanh();
            return m("c", h + m("b", h).tanh() + h * h);
        })),
        ("activations in place", () => new Net(new() { ["a"] = nn.Linear(12, 8), ["b"] = nn.Linear(8, 8), ["c"] = nn.Linear(8, 5) }, (m, x) =>
        {
            Tensor h = m("a", x);
            h.tanh_();
            Tensor y = m("b", h);
            y.sigmoid_();
            return m("c", y);
        })),
        ("an input changed in place behind its layer", () =>
            new Net(new() { ["a"] = nn.Linear(12, 8), ["b"] = nn.Linear(8, 8), ["c"] = nn.Linear(8, 5) }, (m, x) =>
        {
            Tensor h = m("a", x) * 1.5f, kept = h.clone(), y = m("b", kept.tanh());
            kept.neg_();
            return m("c", (y + kept).tanh());
        })),
        ("Conv1d", () => new Net(new() { ["a"] = nn.Conv1d(1, 4, 3), ["b"] = nn.Conv1d(4, 3, 3), ["c"] = nn.Linear(24, 5) }, (m, x) =>
            m("c", m("b", m("a", x.unsqueeze(1)).tanh()).tanh().flatten(1)))),
        ("Conv3d", () => new Net(new() { ["a"] = nn.Conv3d(1, 4, 2), ["b"] = nn.Conv3d(4, 3, 1), ["c"] = nn.Linear(6, 5) }, (m, x) =>
            m("c", m("b", m("a", x.view(-1, 1, 2, 2, 3)).tanh()).tanh().flatten(1)))),
        ("a linear layer over a sequence", () =>
            new Net(new() { ["a"] = nn.Linear(4, 6), ["b"] = nn.Linear(6, 6), ["c"] = nn.Linear(18, 5) }, (m, x) =>
            m("c", m("b", m("a", x.view(-1, 3, 4)).tanh()).tanh().flatten(1)))),
        ("rows of a sequence one after the other", () =>
            new Net(new() { ["a"] = nn.Linear(4, 6), ["b"] = nn.Linear(6, 6), ["c"] = nn.Linear(18, 5) }, (m, x) =>
            m("c", m("b", m("a", x.view(-1, 4)).tanh()).tanh().view(-1, 18)))),
        ("embedding", () => new Net(new() { ["e"] = nn.Embedding(2, 4), ["b"] = nn.Linear(48, 6), ["c"] = nn.Linear(6, 5) }, (m, x) =>
            m("c", m("b", m("e", x.gt(0.5f).to(ScalarType.Int64)).flatten(1)).tanh()))),
    ];

    [Fact]
    public void The_trial_of_a_module_can_be_cancelled_before_each_layer_and_leaves_no_hook()
    {
        foreach ((string name, Func<nn.Module<Tensor, Tensor>> create) in Reached)
        {
            using DisposeScope scope = NewDisposeScope();
            nn.Module<Tensor, Tensor> module = create();
            CustomLayout layout = new(NetworkDefinition.Custom("x"), new NetworkShape([12], 5), module);
            int layers = 0, calls = 0;
            RuleReach.Check(layout, module, FeedbackRule.FeedbackAlignment, () => layers++);
            Assert.True(layers >= 2, name);
            Assert.Throws<OperationCanceledException>(() => RuleReach.Check(layout, module, FeedbackRule.FeedbackAlignment, () =>
            {
                if (++calls == layers)
                    throw new OperationCanceledException();
            }));
            Assert.Equal(layers, calls);
            module.call(zeros(1, 12));
            Assert.Equal(layers, calls);
        }
    }

    /// <summary>
    /// One layer's weights are replaced, in a copy in float64 without hooks, on the way back only: by hand, not by FaMLNet's means.
    /// </summary>
    [Fact]
    public void Gradients_of_every_rule_are_those_of_a_float64_reference()
    {
        List<string> wrong = [];
        foreach ((string name, Func<nn.Module<Tensor, Tensor>> create) in Reached)
        {
            foreach (FeedbackRule rule in Rules)
            {
                using DisposeScope scope = NewDisposeScope();
                nn.Module<Tensor, Tensor> module = create();
                CustomLayout layout = new(NetworkDefinition.Custom("x"), new NetworkShape([12], 5), module);
                RuleReach.Check(layout, module, rule);
                TrainingData data = RandomTask.Data(12, 5, 4, seed: 3);
                using AutogradNetwork network = new AutogradNetwork(new ModuleForward(layout, module), Plans.Of(rule, 2))
                    .With(new OptimizerOptions.Sgd());
                network.ComputeGradient(data, RandomTask.AllRows(data));
                Dictionary<string, double[]> expected = Reference(create(), layout, network, data);
                foreach (ParameterSlice slice in layout.Parameters)
                {
                    double error = RandomTask.RelativeError(slice.In((ReadOnlySpan<float>)network.Gradient.Span), expected[slice.Name]);
                    if (!(error < 1e-4))
                        wrong.Add($"{name}, {rule.ShortName}, {slice.Name}: {error:E2}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("forward", "layer '_b'", "layer.call(x)")]
    [InlineData("weight", "layer '_b'", "layer.call(x)")]
    public void A_layer_that_a_rule_cannot_reach_is_refused_by_name(string kind, string layer, string cure)
    {
        foreach (FeedbackRule rule in Rules)
        {
            using nn.Module<Tensor, Tensor> module = kind switch
            {
                "forward" => new Escaping(x => x.b.forward(x.h)),
                _ => new Escaping(x => nn.functional.linear(x.h, x.b.weight!, x.b.bias)),
            };
            CustomLayout layout = new(NetworkDefinition.Custom("x"), new NetworkShape([12], 5), module);
            if (rule == FeedbackRule.Backpropagation)
            {
                RuleReach.Check(layout, module, rule);
                continue;
            }
            InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => RuleReach.Check(layout, module, rule));
            Assert.Contains(layer, error.Message, StringComparison.Ordinal);
            Assert.Contains(cure, error.Message, StringComparison.Ordinal);
            Assert.True(module.training);
        }
    }

    [Fact]
    public void Inputs_whose_rows_are_mixed_or_of_two_sizes_are_refused_by_direct_rules_alone()
    {
        foreach ((Net module, string expected) in new[]
        {
            (new Net(new() { ["a"] = nn.Linear(4, 6), ["b"] = nn.Linear(6, 6), ["c"] = nn.Linear(18, 5) }, (m, x) =>
                m("c", m("b", m("a", x.view(-1, 3, 4)).tanh().transpose(0, 1).contiguous()).tanh().transpose(0, 1).flatten(1))),
                "rows do not come first"),
            (new Net(new() { ["a"] = nn.Linear(12, 6), ["b"] = nn.Linear(3, 3), ["c"] = nn.Linear(9, 5) }, (m, x) =>
            {
                Tensor h = m("a", x).tanh();
                return m("c", cat([m("b", h.view(-1, 2, 3)).flatten(1), m("b", h.slice(1, 0, 3, 1))], 1));
            }), "inputs a row and with"),
        })
        {
            CustomLayout layout = new(NetworkDefinition.Custom("x"), new NetworkShape([12], 5), module);
            RuleReach.Check(layout, module, FeedbackRule.FeedbackAlignment);
            InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
                RuleReach.Check(layout, module, FeedbackRule.DirectFeedbackAlignment));
            Assert.Contains("layer 'b'", error.Message, StringComparison.Ordinal);
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
            module.Dispose();
        }
    }

    /// <summary>What is native inside (attention, recurrent cells) backpropagates locally; the layers around it follow the rule.</summary>
    [Fact]
    public void Attention_and_recurrent_cells_backpropagate_within_themselves()
    {
        foreach (FeedbackRule rule in Rules)
        {
            foreach (Func<nn.Module<Tensor, Tensor>> create in new Func<nn.Module<Tensor, Tensor>>[] { () => new Attention(), () => new Recurrent() })
            {
                nn.Module<Tensor, Tensor> module = create();
                CustomLayout layout = new(NetworkDefinition.Custom("x"), new NetworkShape([12], 5), module);
                Assert.Equal(["_in", "_out"], layout.WeightedLayers.Select(layer => layer.Name));
                RuleReach.Check(layout, module, rule);
                TrainingData data = RandomTask.Data(12, 5, 4, seed: 3);
                using AutogradNetwork network = new AutogradNetwork(new ModuleForward(layout, module), Plans.Of(rule, 2))
                    .With(new OptimizerOptions.Adam { LearningRate = 0.01f });
                double first = network.Step(data, RandomTask.AllRows(data), 0.01f).Loss, last = first;
                for (int i = 0; i < 60; i++)
                    last = network.Step(data, RandomTask.AllRows(data), 0.01f).Loss;
                Assert.True(last < 0.5 * first, $"{rule.ShortName}: {first} to {last}");
                Assert.All(layout.Parameters, slice => Assert.True(slice.In((ReadOnlySpan<float>)network.Gradient.Span).ToArray()
                    .Any(value => value != 0) || slice.Name.Contains("bias", StringComparison.Ordinal), slice.Name));
            }
        }
    }

    [Fact]
    public void The_cause_of_a_failure_survives_a_module_that_cannot_be_disposed()
    {
        CustomDefinition definition = NetworkDefinition.Custom("undisposable");
        TrainingRequest request = new()
        {
            Task = new MulticlassTask(),
            Rule = FeedbackRule.FeedbackAlignment,
            Network = definition,
            DefaultOptimizer = new OptimizerOptions.Sgd(),
            FeedbackScale = 1,
            NumberOfEpochs = 1,
            BatchSize = 4,
            Seed = 1,
            CenterFeatures = false,
            Environment = Register(),
        };
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => NetworkFactory.Open(request, 12, 5));
        Assert.Contains("layer '_b'", error.Message, StringComparison.Ordinal);
        // And a training that succeeded stays one.
        using (AutogradNetwork network = new AutogradNetwork(new ModuleForward(new CustomLayout(definition, new NetworkShape([12], 5),
            new Undisposable()),
            new Undisposable()), Plans.Of(FeedbackRule.Backpropagation, 1)).With(new OptimizerOptions.Sgd()))
            Assert.NotNull(network);
    }

    private static Microsoft.ML.Runtime.IHostEnvironment Register()
    {
        Microsoft.ML.MLContext mlContext = new();
        mlContext.ComponentCatalog.RegisterAssembly(typeof(UndisposableFactory).Assembly);
        return (Microsoft.ML.Runtime.IHostEnvironment)mlContext;
    }

    [CustomNetwork("undisposable")]
    public sealed class UndisposableFactory : ICustomNetworkFactory
    {
        public nn.Module<Tensor, Tensor> Create(NetworkShape shape) => new Undisposable();
    }

    private sealed class Undisposable() : Escaping(x => x.b.forward(x.h))
    {
#pragma warning disable CA2215 // on purpose
        protected override void Dispose(bool disposing)
        {
            if (disposing)
                throw new InvalidOperationException("this module does not like to go");
        }
#pragma warning restore CA2215
    }

    /// <summary>The rule's gradients in float64, from the definition: custom autograd at each weighted layer.</summary>
    private static Dictionary<string, double[]> Reference(nn.Module<Tensor, Tensor> copy, CustomLayout layout, AutogradNetwork network,
        TrainingData data)
    {
        using DisposeScope scope = NewDisposeScope();
        copy.to(ScalarType.Float64);
        Dictionary<string, Parameter> parameters = copy.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        using (no_grad())
        {
            foreach (ParameterSlice slice in layout.Parameters)
                parameters[slice.Name].copy_(tensor(slice.In((ReadOnlySpan<float>)network.Weights.Span).ToArray(),
                    parameters[slice.Name].shape).to(ScalarType.Float64));
        }
        int rows = data.Count;
        float[] features = new float[rows * 12];
        for (int i = 0; i < rows; i++)
            data.CopyRow(i, features.AsSpan(i * 12, 12));
        Tensor x = tensor(features, [rows, 12]).to(ScalarType.Float64), labels = tensor(data.Labels.ToArray().Select(label => (long)label).ToArray());
        // The error at the output, from a pass of its own: what direct rules project.
        Tensor logits = copy.call(x).detach(), error = (logits.softmax(1) - nn.functional.one_hot(labels, 5).to(ScalarType.Float64)) / rows;
        if (network.Feedback.Rule != FeedbackRule.Backpropagation)
        {
            Dictionary<string, nn.Module<Tensor, Tensor>> modules = CustomLayout.WeightedModules(copy);
            for (int i = layout.FirstWithFeedback; i < layout.WeightedLayers.Count; i++)
            {
                WeightedLayer layer = layout.WeightedLayers[i];
                Tensor feedback = tensor(network.Feedback.Slices[i]!.In((ReadOnlySpan<float>)network.Feedback.Buffer.Span).ToArray(),
                    [.. network.Feedback.Slices[i]!.Shape.Select(size => (long)size)]).to(ScalarType.Float64);
                nn.Module<Tensor, Tensor> target = modules[layer.Name];
                if (network.Feedback.Route.StartsAtOutput)
                {
                    // A value of the input's that passes e·B back instead of what comes: y = x.detach() + (x − x.detach())·0 with the
                    // projected error added as Σ x·(e·B).
                    target.register_forward_pre_hook((_, input) =>
                    {
                        if (input.requires_grad)
                            Extra.Value!.Add((input.clone() * error.mm(feedback).reshape(input.shape)).sum());
                        return input.detach();
                    });
                }
                else
                {
                    // layer(x; W) in value; ∂/∂W as with W, ∂/∂x as with B.
                    target.register_forward_hook((self, input, output) =>
                        Apply(self, input.detach(), parameters[$"{layer.Name}.weight"], parameters.GetValueOrDefault($"{layer.Name}.bias"))
                        + (Apply(self, input, feedback, null) - Apply(self, input.detach(), feedback, null)));
                }
            }
        }
        Extra.Value = [];
        Tensor loss = nn.functional.cross_entropy(copy.call(x), labels);
        foreach (Tensor extra in Extra.Value)
            loss = loss + extra;
        loss.backward();
        return layout.Parameters.ToDictionary(slice => slice.Name, slice => parameters[slice.Name].grad is { } grad ? grad.data<double>().ToArray()
            : new double[slice.Length]);
    }

    private static readonly ThreadLocal<List<Tensor>> Extra = new(() => []);

    private static Tensor Apply(nn.Module<Tensor, Tensor> layer, Tensor x, Tensor weight, Tensor? bias) => layer switch
    {
        Conv1d => nn.functional.conv1d(x, weight, bias),
        Conv3d => nn.functional.conv3d(x, weight, bias),
        _ => nn.functional.linear(x, weight, bias),
    };

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        private readonly Dictionary<string, nn.Module<Tensor, Tensor>> _layers;
        private readonly Func<Func<string, Tensor, Tensor>, Tensor, Tensor> _forward;

        public Net(Dictionary<string, nn.Module<Tensor, Tensor>> layers, Func<Func<string, Tensor, Tensor>, Tensor, Tensor> forward) : base("net")
        {
            _layers = layers;
            _forward = forward;
            foreach ((string name, nn.Module<Tensor, Tensor> layer) in layers)
                register_module(name, layer);
        }

        public override Tensor forward(Tensor x) => _forward((name, input) => _layers[name].call(input), x);
    }

    private class Escaping : nn.Module<Tensor, Tensor>
    {
        private readonly Linear _a = nn.Linear(12, 8), _b = nn.Linear(8, 8), _c = nn.Linear(8, 5);
        private readonly Func<(Linear b, Tensor h), Tensor> _middle;

        public Escaping(Func<(Linear b, Tensor h), Tensor> middle) : base("escaping")
        {
            _middle = middle;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => _c.call(_middle((_b, _a.call(x).tanh())).tanh());
    }

    private sealed class Attention : nn.Module<Tensor, Tensor>
    {
        private readonly Linear _in = nn.Linear(4, 8), _out = nn.Linear(24, 5);
        private readonly MultiheadAttention _attention = nn.MultiheadAttention(8, 2);

        public Attention() : base("attention") => RegisterComponents();

        public override Tensor forward(Tensor x)
        {
            Tensor h = _in.call(x.view(-1, 3, 4)).transpose(0, 1);
            return _out.call(_attention.call(h, h, h).Item1.transpose(0, 1).flatten(1).tanh());
        }
    }

    private sealed class Recurrent : nn.Module<Tensor, Tensor>
    {
        private readonly Linear _in = nn.Linear(4, 8), _out = nn.Linear(24, 5);
        private readonly LSTM _lstm = nn.LSTM(8, 8, batchFirst: true);

        public Recurrent() : base("recurrent") => RegisterComponents();

        public override Tensor forward(Tensor x) => _out.call(_lstm.call(_in.call(x.view(-1, 3, 4))).Item1.flatten(1));
    }
}
