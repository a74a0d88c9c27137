using FaMLNet.Interop;
using FaMLNet.Persistence;
using FaMLNet.Robustness;
using FaMLNet.Tests.Scoring;
using FaMLNet.Tests.Training.Autograd;
using FaMLNet.Tests.Training.Graph;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>The gradients that attacks follow, by both threat models, against float64 on the machine at hand.</summary>
public sealed class InputGradientTests
{
    private const double Tolerance = 1e-4;
    private readonly MLContext _mlContext = new(seed: 1);

    public InputGradientTests() => LibTorch.EnsureLoaded();

    [Theory, MemberData(nameof(DenseScorerTests.All), MemberType = typeof(DenseScorerTests))]
    public void Of_a_dense_chain_it_is_that_of_the_reference(Activation activation, Normalization normalization)
    {
        foreach (int[] hidden in new int[][] { [], [21], [19, 33, 8] })
        {
            MlpDefinition network = NetworkDefinition.Mlp(hidden) with { Activation = activation, Normalization = normalization };
            foreach (FeedbackRule rule in Feedback.Rules.Six)
            {
                Check(new DenseLayout(network, 13, 5), rule, rows: 21);
                if (hidden.Length > 0)
                    Check(new DenseLayout(network with { LinearSkip = true }, 13, 5), rule, rows: 21);
            }
        }
    }

    [Theory, MemberData(nameof(GraphGradientTests.RulesAndNetworks), MemberType = typeof(GraphGradientTests))]
    public void Of_a_convolutional_network_it_is_that_of_the_reference(string rule, string network) =>
        Check(new GraphLayout(NetworkDefinition.Sequential(GraphGradientTests.Networks.Single(other => other.Name == network).Layers),
            new ImageShape(3, 9, 9), 7), FeedbackRule.Parse(rule), rows: 5);

    /// <summary>The first layer's own way: rows beyond a vector's length, kernels of every size, odd images.</summary>
    [Theory]
    [InlineData(1, 40, 37, 5, 6), InlineData(1, 10, 70, 5, 4), InlineData(3, 12, 11, 3, 7), InlineData(2, 8, 8, 4, 3), InlineData(2, 9, 8, 1, 3)]
    public void Of_a_first_layer_behind_a_pool_it_is_that_of_the_reference(int channels, int height, int width, int kernel, int outputs) =>
        Check(new GraphLayout(NetworkDefinition.Sequential(new Layer.Conv2d(outputs, kernel), new Layer.Activate(Activation.ReLU),
            new Layer.MaxPool2d(2), new Layer.Flatten(), new Layer.Dense()), new ImageShape(channels, height, width), 4),
            FeedbackRule.FeedbackAlignment, rows: 3);

    /// <summary>One to six channels: what oneDNN gets wrong on some machines, and no training needs.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Of_LeNet_it_is_that_of_the_reference_for_every_rule(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        Check(new GraphLayout(NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), 10), rule, rows: 3);
        Check(new GraphLayout(NetworkDefinition.LeNetCifar(), new ImageShape(3, 32, 32), 10), rule, rows: 2);
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Of_ResNet20_it_is_that_of_the_reference_for_every_rule(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        Check(new GraphLayout(NetworkDefinition.ResNet(20), new ImageShape(3, 32, 32), 10), rule, rows: 2);
    }

    [Fact]
    public void Of_a_network_that_resizes_it_is_that_of_the_reference() =>
        Check(new GraphLayout(NetworkDefinition.Sequential(new Layer.ResizeTo(9, 13), new Layer.Conv2d(16, 3), new Layer.Activate(Activation.Tanh),
            new Layer.Flatten(), new Layer.Dense()), new ImageShape(3, 6, 7), 4), FeedbackRule.FeedbackAlignment, rows: 3);

    /// <summary>A module of the user's own against the same network as data.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Of_a_module_it_is_that_of_the_reference_for_every_rule(string name)
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(ChainFactory).Assembly);
        GraphLayout twin = new(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Conv2d(16, 3),
            new Layer.Activate(Activation.Tanh), new Layer.Flatten(), new Layer.Dense(20), new Layer.Activate(Activation.ReLU), new Layer.Dense()),
            new ImageShape(1, 8, 8), 6);
        CustomDefinition definition = NetworkDefinition.Custom("chain");
        NetworkShape shape = new([1, 8, 8], 6);
        using TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor> module =
            definition.Build((Microsoft.ML.Runtime.IHostEnvironment)_mlContext, shape);
        CustomLayout layout = new(definition, shape, module);
        FeedbackRule rule = FeedbackRule.Parse(name);
        using FeedbackAlignmentMulticlassModelParameters model = RandomModel.Of(_mlContext, layout, rule, seed: 3);
        TrainedNetwork trained = ((INetworkModel)model).ToTrained(definition, 64, 6);
        float[] parameters = new float[twin.ParameterLength], statistics = new float[twin.StatisticsLength];
        Array.Fill(statistics, 1);
        twin.InputMean.In(statistics.AsSpan()).Clear();
        foreach ((ParameterSlice own, ParameterSlice other) in layout.Parameters.Zip(twin.Parameters))
            own.In(trained.Parameters.AsSpan()).CopyTo(other.In(parameters.AsSpan()));
        float[] feedback = [.. trained.Feedback];
        using FeedbackAlignmentMulticlassModelParameters same = new((Microsoft.ML.Runtime.IHostEnvironment)_mlContext,
            new TrainedNetwork(twin, rule, parameters, statistics, feedback, []));
        Check(model, twin, same, rows: 4);
    }

    /// <summary>A row's gradient is the same to the last bit, whatever stands beside it and wherever it stands.</summary>
    [Fact]
    public void A_row_does_not_depend_on_the_rows_beside_it()
    {
        NetworkLayout[] layouts =
        [
            new DenseLayout(NetworkDefinition.Mlp(50, 30), 40, 7), new GraphLayout(NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), 10),
            new GraphLayout(NetworkDefinition.ResNet(20), new ImageShape(3, 16, 16), 10),
            new GraphLayout(NetworkDefinition.LeNetCifar(), new ImageShape(3, 32, 32), 10),
        ];
        using ThreadCount single = new(1);
        foreach (NetworkLayout layout in layouts)
        {
            using FeedbackAlignmentMulticlassModelParameters model = RandomModel.Of(_mlContext, layout, FeedbackRule.FeedbackAlignment, seed: 5);
            float[][] rows = RandomModel.Rows(70, layout.Inputs, seed: 6);
            (float[] logits, float[] gradients) = Run(model, ThreatModel.TrueGradient, rows);
            foreach (int[] some in new int[][] { [69], [3, 1, 2], [.. Enumerable.Range(0, 70).Reverse()] })
            {
                (float[] found, float[] gradient) = Run(model, ThreatModel.TrueGradient, [.. some.Select(row => rows[row])]);
                for (int i = 0; i < some.Length; i++)
                {
                    Assert.Equal(logits.AsSpan(some[i] * layout.Outputs, layout.Outputs), found.AsSpan(i * layout.Outputs, layout.Outputs));
                    Assert.Equal(gradients.AsSpan(some[i] * layout.Inputs, layout.Inputs), gradient.AsSpan(i * layout.Inputs, layout.Inputs));
                }
            }
        }
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Gradients_leave_no_live_tensor_behind(string name)
    {
        GraphLayout layout = new(NetworkDefinition.ResNet(20), new ImageShape(3, 16, 16), 10);
        FeedbackRule rule = FeedbackRule.Parse(name);
        using FeedbackAlignmentMulticlassModelParameters model = RandomModel.Of(_mlContext, layout, rule, seed: 5);
        float[][] rows = RandomModel.Rows(3, layout.Inputs, seed: 6);
        Run(model, ThreatModel.FeedbackGradient, rows);
        long before = LiveTensors.OfThisThread;
        Run(model, ThreatModel.FeedbackGradient, rows);
        Assert.Equal(before, LiveTensors.OfThisThread);
    }

    private void Check(NetworkLayout layout, FeedbackRule rule, int rows)
    {
        using FeedbackAlignmentMulticlassModelParameters model = RandomModel.Of(_mlContext, layout, rule, seed: 1);
        Check(model, layout, model, rows);
    }

    private static void Check(FeedbackAlignmentMulticlassModelParameters model, NetworkLayout layout,
        FeedbackAlignmentMulticlassModelParameters reference, int rows)
    {
        float[][] x = RandomModel.Rows(rows, layout.Inputs, seed: 2, low: -1, high: 1);
        foreach (ThreatModel threat in Enum.GetValues<ThreatModel>())
        {
            (double[] logits, double[] gradients) = new ReferenceInputGradient(layout, reference, threat == ThreatModel.FeedbackGradient)
                .Run(x, Errors(rows * layout.Outputs));
            (float[] found, float[] gradient) = Run(model, threat, x, Errors(rows * layout.Outputs));
            double logitError = Training.RandomTask.RelativeError(found, logits), error = Training.RandomTask.RelativeError(gradient, gradients);
            Assert.True(logitError < Tolerance && error < Tolerance,
                $"{layout.Definition}, {model.Rule}, {threat}: logits off by {logitError:E1}, gradient by {error:E1}");
            Assert.Contains(gradient, value => value != 0);
        }
    }

    private static float[] Errors(int length) => [.. Enumerable.Range(0, length).Select(i => MathF.Sin(1 + i))];

    private static (float[] Logits, float[] Gradients) Run(FeedbackAlignmentMulticlassModelParameters model, ThreatModel threat, float[][] rows,
        float[]? fixedErrors = null)
    {
        float[] gradients = new float[rows.Length * rows[0].Length];
        List<float> logits = [];
        using InputGradient way = new AttackedNetwork(model, Threshold: null).OpenGradient(threat);
        way.Run([.. rows.SelectMany(row => row)], rows.Length, (found, errors) =>
        {
            int start = logits.Count;
            logits.AddRange(found);
            if (fixedErrors != null)
                fixedErrors.AsSpan(start, errors.Length).CopyTo(errors);
            for (int i = 0; fixedErrors == null && i < errors.Length; i++)
                errors[i] = MathF.Sin(found[i]);
        }, gradients);
        return ([.. logits], gradients);
    }
}
