using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Persistence;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using FaMLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Training.Autograd;

/// <summary>
/// The general way, which serves on a GPU: held to the ways of the host, on the host's own device everywhere and on CUDA where there is
/// one.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class AutogradNetworkTests
{
    private static readonly Layer ReLU = new Layer.Activate(Activation.ReLU);

    public AutogradNetworkTests() => LibTorch.EnsureLoaded();

    private static readonly string[] AllDevices = ["cpu", "cuda"];

    public static TheoryData<string> Devices => [.. AllDevices];

    public static MatrixTheoryData<string, string> DevicesAndRules => new(AllDevices, FeedbackRule.All.Select(rule => rule.ShortName));

    public static MatrixTheoryData<string, string> DevicesAndUsersRules => new(AllDevices,
        FeedbackRule.All.Select(rule => rule.ShortName).Append(new Tests.Feedback.TernaryFeedback().ShortName));

    public static MatrixTheoryData<string, string> DevicesAndSignRules => new(AllDevices, ["usf", "brsf", "frsf"]);

    public static MatrixTheoryData<string, string> DevicesAndSix => new(AllDevices, Feedback.Rules.Six.Select(rule => rule.ShortName));

    /// <summary>Channels in multiples of 16, for which oneDNN is right on every machine: the general way has no guard.</summary>
    private static IEnumerable<NetworkLayout> Layouts()
    {
        ImageShape image = new(2, 8, 8);
        yield return new DenseLayout(NetworkDefinition.Mlp(), 128, 5);
        foreach (Activation activation in Enum.GetValues<Activation>())
            yield return new DenseLayout(NetworkDefinition.Mlp(12, 9) with { Activation = activation }, 128, 5);
        yield return new DenseLayout(NetworkDefinition.Mlp(12, 9) with { Normalization = Normalization.Batch }, 128, 5);
        yield return new DenseLayout(NetworkDefinition.Mlp(12, 9) with { Normalization = Normalization.Layer }, 128, 5);
        yield return new DenseLayout(NetworkDefinition.Mlp(12, 9) with { LinearSkip = true }, 128, 5);
        yield return new GraphLayout(NetworkDefinition.Sequential(new Layer.PadTo(10), new Layer.Conv2d(16, 3), ReLU, new Layer.MaxPool2d(2),
            new Layer.Conv2d(16, 2) { Padding = 1 }, new Layer.Activate(Activation.Tanh), new Layer.Flatten(), new Layer.Dense(7), ReLU,
            new Layer.Dense()), image, 5);
        yield return new GraphLayout(NetworkDefinition.Sequential(new Layer.ResizeTo(6, 7), new Layer.Conv2d(16, 3) { Padding = 1 },
            new Layer.BatchNorm(), ReLU, new Layer.Concatenate([new Layer.Conv2d(16, 1)]),
            new Layer.Residual([new Layer.Conv2d(48, 3) { Stride = 2, Padding = 1 }, new Layer.BatchNorm()], [new Layer.DownsampleWithZeros(48)]),
                ReLU, new Layer.AdaptiveAveragePool2d(1), new Layer.Flatten(), new Layer.Dense()), image, 5);
    }

    [Theory, MemberData(nameof(DevicesAndRules))]
    public void Gradients_losses_and_updates_are_those_of_the_host_for_every_rule(string name, string shortName)
    {
        torch.Device device = Device(name);
        TrainingData data = RandomTask.Data(128, 5, 12, seed: 3, weighted: true);
        int[] rows = RandomTask.AllRows(data);
        // With an ε that keeps the adaptive ones from magnifying the rounding of gradients next to 0.
        OptimizerOptions[] optimizers =
        [
            new OptimizerOptions.Sgd { WeightDecay = 0.01f }, new OptimizerOptions.Sgd { Nesterov = true },
                new OptimizerOptions.Adam { Epsilon = 1e-3f }, new OptimizerOptions.AdamW { Epsilon = 1e-3f },
            new OptimizerOptions.RmsProp { Momentum = 0.5f, Epsilon = 1e-3f },
        ];
        FeedbackRule rule = FeedbackRule.Parse(shortName);
        int turn = FeedbackRule.All.ToList().IndexOf(rule);
        foreach (NetworkLayout layout in Layouts())
        {
            OptimizerOptions optimizer = optimizers[turn++ % optimizers.Length];
            GradientPlan plan = Plans.Of(rule, 2) with { LabelSmoothing = 0.1f };
            GradientClipping clipping = GradientClipping.ByGlobalNorm(0.5f);
            using TrainingNetwork expected = layout is DenseLayout dense ? new DenseChain(dense, plan).With(optimizer, clipping)
                : new GraphNetwork((GraphLayout)layout, plan).With(optimizer, clipping);
            using AutogradNetwork network = new AutogradNetwork(new DefinedForward(layout, new RandomGenerator(2, "dropout")),
                plan with { Device = device }).With(optimizer, clipping);
            for (int step = 0; step < (rule.ShortName == "brsf" ? 1 : 3); step++) // brSF redraws from another stream there
            {
                BatchResult a = expected.ComputeGradient(data, rows);
                network.ComputeGradient(data, rows);
                BatchResult b = network.TakeTotals();
                Assert.True(Math.Abs(a.Loss - b.Loss) < 1e-4 * a.Loss,
                    $"loss {b.Loss}, expected {a.Loss}: {rule.ShortName}, {layout.Definition}, {optimizer}, step {step}");
                Assert.Equal(a.Weight, b.Weight, 1e-4);
                Assert.Equal(a.Correct, b.Correct);
                network.Download();
                Same(expected.Gradient.Span, network.Gradient.Span, $"{rule.ShortName}, {layout.Definition}, step {step}");
                float[] one = expected.ComputeBackpropagationGradient().Span.ToArray(),
                    other = network.ComputeBackpropagationGradient().Span.ToArray();
                Same(one, other, $"backpropagation beside {rule.ShortName}, {layout.Definition}");
                expected.Update(0.01f);
                network.Update(0.01f);
            }
            network.Download();
            Same(expected.Weights.Span, network.Weights.Span, $"weights, {rule.ShortName}, {layout.Definition}, {optimizer}");
            Same(expected.Statistics.Span, network.Statistics.Span, "statistics");
            EvaluationResult c = expected.Evaluate(data, rows, 2), d = network.Evaluate(data, rows, 2);
            Assert.Equal(c.Loss, d.Loss, 1e-2);
            Assert.Equal((c.Correct, c.AmongTop), (d.Correct, d.AmongTop));
        }
    }

    [Theory, MemberData(nameof(DevicesAndSignRules))]
    public void Sign_concordant_feedback_follows_the_weights_on_the_device(string name, string shortName)
    {
        torch.Device device = Device(name);
        DenseLayout layout = new(NetworkDefinition.Mlp(10, 8), 6, 3);
        TrainingData data = RandomTask.Data(6, 3, 10, seed: 1);
        FeedbackRule rule = FeedbackRule.Parse(shortName);
        using AutogradNetwork network = new AutogradNetwork(new DefinedForward(layout, new RandomGenerator(2, "dropout")), Plans.Of(rule,
            2) with
        { Device = device }).With(new OptimizerOptions.Sgd());
        float[] before = [.. network.Feedback.Buffer.Span.ToArray().Select(MathF.Abs)];
        for (int step = 0; step < 30; step++)
            network.Step(data, RandomTask.AllRows(data), 0.3f);
        network.Download();
        for (int i = 1; i < 3; i++)
        {
            float[] weights = layout.WeightedLayers[i].Weight.In(network.Weights.Span).ToArray(),
                feedback = network.Feedback.Slices[i]!.In(network.Feedback.Buffer.Span).ToArray();
            Assert.All(weights.Zip(feedback), pair => Assert.Equal(float.IsNegative(pair.First), float.IsNegative(pair.Second)));
            float bound = MathF.Sqrt(3) * network.Feedback.StandardDeviation(i);
            Assert.All(feedback, value => Assert.InRange(MathF.Abs(value), 0, bound * 1.0001f));
        }
        float[] after = [.. network.Feedback.Buffer.Span.ToArray().Select(MathF.Abs)];
        Assert.Equal(rule.ShortName != "brsf", before.SequenceEqual(after));
    }

    [Theory, MemberData(nameof(DevicesAndUsersRules))]
    public void A_users_module_and_a_users_rule_train_on_the_device(string name, string shortName)
    {
        torch.Device device = Device(name);
        NetworkShape shape = new([1, 8, 8], 10);
        TrainingData data = RandomTask.Data(64, 10, 6, seed: 1);
        Tests.Feedback.TernaryFeedback own = new();
        FeedbackRule rule = shortName == own.ShortName ? own : FeedbackRule.Parse(shortName);
        torch.nn.Module<torch.Tensor, torch.Tensor> one = new ChainFactory().Create(shape), other = new ChainFactory().Create(shape);
        CustomLayout layout = new(NetworkDefinition.Custom("chain"), shape, one);
        using AutogradNetwork expected = new AutogradNetwork(new ModuleForward(layout, one), Plans.Of(rule, 2)).With(new OptimizerOptions.Sgd());
        using AutogradNetwork network = new AutogradNetwork(new ModuleForward(layout, other, device), Plans.Of(rule, 2) with { Device = device })
            .With(new OptimizerOptions.Sgd());
        expected.Step(data, RandomTask.AllRows(data), 0.1f);
        network.Step(data, RandomTask.AllRows(data), 0.1f);
        network.Download();
        Same(expected.Weights.Span, network.Weights.Span, rule.ShortName);
    }

    [Theory, MemberData(nameof(Devices))]
    public void Steps_leave_no_live_tensor_behind(string name)
    {
        torch.Device device = Device(name);
        TrainingData data = RandomTask.Data(128, 5, 12, seed: 3);
        foreach (NetworkLayout layout in Layouts().Skip(8))
        {
            foreach (FeedbackRule rule in FeedbackRule.All)
            {
                long start = LiveTensors.OfThisThread;
                using (AutogradNetwork network = new AutogradNetwork(new DefinedForward(layout, new RandomGenerator(2, "dropout")), Plans.Of(rule,
                    2) with
                { Device = device }).With(new OptimizerOptions.Adam()))
                using (network.StepOf())
                {
                    void Use()
                    {
                        network.Step(data, RandomTask.AllRows(data), 0.01f);
                        network.ComputeBackpropagationGradient();
                        network.Evaluate(data, RandomTask.AllRows(data), 1);
                        network.TakeTotals();
                        network.Download();
                    }
                    Use();
                    long before = LiveTensors.OfThisThread;
                    for (int i = 0; i < 2; i++)
                        Use();
                    Assert.Equal(before, LiveTensors.OfThisThread);
                }
                Assert.Equal(start, LiveTensors.OfThisThread);
            }
        }
    }

    [Theory, MemberData(nameof(DevicesAndSix))]
    public void A_whole_training_learns_on_the_device_with_everything_on(string name, string shortName)
    {
        torch.Device device = Device(name);
        MLContext mlContext = new(seed: 1);
        IDataView raw = Tables.Load(mlContext, "digits");
        IDataView data = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMinMax("Features")).Fit(raw)
            .Transform(raw);
        using IChannel channel = ((IHostEnvironment)mlContext).Start("test");
        FeedbackRule rule = FeedbackRule.Parse(shortName);
        foreach ((NetworkDefinition network, bool streams) in new (NetworkDefinition, bool)[]
        {
            (NetworkDefinition.Mlp(64) with { Dropout = 0.1f, Normalization = Normalization.Batch }, true),
            (NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.BatchNorm(), ReLU, new Layer.Dropout(0.1f), new Layer.Flatten(),
            new Layer.Dense()), false),
        })
        {
            FeedbackAlignmentMulticlassTrainer.Options options = new()
            {
                Rule = rule,
                Network = network,
                NumberOfEpochs = 6,
                Seed = 1,
                ValidationFraction = 0.2,
                EarlyStopping = new EarlyStopping(),
                Optimizer = new OptimizerOptions.Adam { LearningRate = 0.003f },
                Augmentation = network is MlpDefinition ? null : Augmentation.RandomCrop(1),
            };
            TrainingRequest request = options.ToRequest(() => 1) with { Device = device };
            RowColumns columns = new(data.Schema["Features"], data.Schema["Label"], null);
            using RowSource source = streams ? new StreamedRows(data, columns, null, 0.2, null, 1, fingerprint: false, channel, () => { },
                poolRows: 500)
                : new InMemoryRows(TrainingDataReader.Read(data, columns.Features, columns.Label, null, channel, () => { }),
                validationFraction: 0.2, seed: 1);
            TrainedNetwork trained = Trainings.Run(request, source);
            Assert.True(trained.History.Max(epoch => epoch.ValidationAccuracy) > 0.85,
                $"{rule.ShortName}, {network}: {trained.History.Max(epoch => epoch.ValidationAccuracy)}");
            Assert.All(trained.History, epoch => Assert.Equal(rule.ShortName == "bp", epoch.AlignmentAngle.Values.All(angle => angle == 0)));
            // The model scores on the host as it was measured on the device.
            FeedbackAlignmentMulticlassModelParameters model = new((IHostEnvironment)mlContext, trained);
            Assert.Equal(rule, model.Rule);
        }
    }

    [Fact]
    public void Without_a_gpu_the_context_decides_between_a_warning_and_an_exception()
    {
        if (torch.cuda.is_available())
            Assert.Skip("there is a GPU here; this is about machines without");
        List<string> warnings = [];
        MLContext mlContext = new(seed: 1) { GpuDeviceId = 0, FallbackToCpu = true };
        mlContext.Log += (_, message) => warnings.Add(message.Message);
        Tables.Pipeline(mlContext, Tables.Quick(epochs: 1)).Fit(Tables.Load(mlContext, "iris"));
        Assert.Single(warnings, warning => warning.Contains("Training on the CPU, as FallbackToCpu allows", StringComparison.Ordinal));
        mlContext.FallbackToCpu = false;
        NotSupportedException error = Assert.Throws<NotSupportedException>(() =>
            Tables.Pipeline(mlContext, Tables.Quick(epochs: 1)).Fit(Tables.Load(mlContext, "iris")));
        Assert.Contains("finds no CUDA device", error.Message, StringComparison.Ordinal);
        Assert.Contains("FallbackToCpu", error.Message, StringComparison.Ordinal);
    }

    private static torch.Device Device(string name)
    {
        if (name == "cuda" && !torch.cuda.is_available())
            Assert.Skip("needs a CUDA device and a CUDA package of libtorch");
        return torch.device(name);
    }

    private static void Same(ReadOnlySpan<float> expected, ReadOnlySpan<float> found, string what)
    {
        double error = RandomTask.RelativeError(found, [.. expected.ToArray().Select(value => (double)value)]);
        Assert.True(error < 2e-4, $"relative error {error:E2}: {what}");
    }
}
