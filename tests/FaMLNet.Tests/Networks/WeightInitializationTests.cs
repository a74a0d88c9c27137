using System.Numerics.Tensors;
using FaMLNet.Computing.Dense;
using FaMLNet.Interop;
using FaMLNet.Tests.Training;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Networks;

/// <summary>From which distribution forward and feedback weights come.</summary>
public sealed class WeightInitializationTests
{
    private const int Inputs = 400, Hidden = 300, Outputs = 50;

    public WeightInitializationTests() => LibTorch.EnsureLoaded();

    public static TheoryData<string, WeightInitialization> RulesAndDistributions()
    {
        TheoryData<string, WeightInitialization> data = [];
        foreach (FeedbackRule rule in Feedback.Rules.Six.Where(rule => rule.ShortName != "bp"))
        {
            foreach (WeightInitialization initialization in Enum.GetValues<WeightInitialization>())
                data.Add(rule.ShortName, initialization);
        }
        return data;
    }

    [Theory, MemberData(nameof(RulesAndDistributions))]
    public void Weights_and_feedback_weights_have_the_deviation_and_the_range_of_their_distribution(string name, WeightInitialization initialization)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        DenseLayout layout = new(NetworkDefinition.Mlp(Hidden, Hidden) with { Initialization = initialization }, Inputs, Outputs);
        using DenseChain chain = new DenseChain(layout, Plans.Of(rule, 1) with { FeedbackInitialization = initialization })
            .With(new OptimizerOptions.Sgd());
        for (int i = 0; i < layout.Layers.Count; i++)
        {
            DenseLayer layer = layout.Layers[i];
            Check(layer.Weight.In((ReadOnlySpan<float>)chain.Weights.Span), initialization, layer.Inputs, layer.Outputs);
            ReadOnlySpan<float> bias = layer.Bias.In((ReadOnlySpan<float>)chain.Weights.Span);
            if (initialization == WeightInitialization.PyTorchDefault)
                Assert.InRange(Math.Abs(TensorPrimitives.MaxMagnitude(bias)), 0.5 / Math.Sqrt(layer.Inputs), 1 / Math.Sqrt(layer.Inputs));
            else
                Assert.Equal(0, TensorPrimitives.Norm(bias));
            if (chain.Feedback.Slices[i] is not { } slice)
                continue;
            ReadOnlySpan<float> feedback = slice.In((ReadOnlySpan<float>)chain.Feedback.Buffer.Span);
            if (name == "usf")
                Assert.All(feedback.ToArray(), value => Assert.Equal(Deviation(initialization, layer.Inputs, layer.Outputs), MathF.Abs(value), 1e-6));
            else
                Check(feedback, initialization, layer.Inputs, name == "dfa" ? Outputs : layer.Outputs);
        }
    }

    /// <summary>The formulas, written from their papers and from PyTorch's documentation.</summary>
    private static double Deviation(WeightInitialization initialization, int fanIn, int fanOut) => initialization switch
    {
        WeightInitialization.XavierUniform or WeightInitialization.XavierNormal => Math.Sqrt(2.0 / (fanIn + fanOut)),
        WeightInitialization.PyTorchDefault => 1 / Math.Sqrt(3.0 * fanIn), // uniform in ±1/√fan-in
        _ => Math.Sqrt(2.0 / fanIn),
    };

    private static void Check(ReadOnlySpan<float> weights, WeightInitialization initialization, int fanIn, int fanOut)
    {
        double expected = Deviation(initialization, fanIn, fanOut), found = TensorPrimitives.Norm(weights) / Math.Sqrt(weights.Length),
            largest = Math.Abs(TensorPrimitives.MaxMagnitude(weights)) / found;
        Assert.InRange(found / expected, 0.97, 1.03);
        if (initialization is WeightInitialization.XavierNormal or WeightInitialization.KaimingNormal)
            Assert.InRange(largest, 3, 7);
        else
            Assert.InRange(largest, 1.65, 1.76); // √3
    }

    [Fact]
    public void A_distribution_of_the_feedback_is_part_of_what_a_checkpoint_is_of()
    {
        string folder = Directory.CreateTempSubdirectory("famlnet").FullName;
        try
        {
            MLContext mlContext = new(1);
            IDataView data = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(Tables.Load(mlContext, "iris"))
                .Transform(Tables.Load(mlContext, "iris"));
            FeedbackAlignmentMulticlassTrainer.Options options = new()
            { NumberOfEpochs = 2, CheckpointFolder = folder, Rule = FeedbackRule.FeedbackAlignment, Network = NetworkDefinition.Mlp(5) };
            float[] first = Feedback();
            Assert.Equal(first, Feedback());
            options.FeedbackInitialization = WeightInitialization.KaimingNormal;
            Assert.Contains("FeedbackScale", Assert.Throws<InvalidOperationException>(Feedback).Message, StringComparison.Ordinal);
            options.CheckpointFolder = null;
            Assert.NotEqual(first, Feedback());
            options.FeedbackInitialization = (WeightInitialization)77;
            Assert.Contains("FeedbackInitialization", Assert.Throws<ArgumentOutOfRangeException>(Feedback).Message, StringComparison.Ordinal);

            float[] Feedback() => mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(data).Model
                .GetFeedbackWeights()["dense2"].Values.ToArray();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
