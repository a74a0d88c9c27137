using System.Numerics.Tensors;
using System.Text.Json;
using FaMLNet.Computing.Dense;
using FaMLNet.Interop;
using FaMLNet.Persistence;
using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Training.Dense;

/// <summary>
/// The linear path past the hidden layers. Its gradients by the six rules, sparse and dense, are held to float64 where all gradients are.
/// </summary>
public sealed class LinearSkipTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    public LinearSkipTests() => LibTorch.EnsureLoaded();

    /// <summary>No rule touches it, not even one that modulates the input: its gradient is the output's error times the rows as they are.</summary>
    [Fact]
    public void By_every_rule_its_gradient_is_that_of_backpropagation()
    {
        foreach (int features in new[] { 11, 40 }) // few are padded
        {
            TrainingData data = RandomTask.Data(features, 5, 23, seed: 3, weighted: true);
            foreach (FeedbackRule rule in FeedbackRule.All)
            {
                DenseLayout layout = new(NetworkDefinition.Mlp(14, 9) with { LinearSkip = true, Dropout = 0.2f }, features, 5);
                using DenseChain chain = GradientTests.Chain(layout, rule, seed: 2);
                new RandomGenerator(5, "test skip").FillUniform(layout.Skip!.In(chain.Weights.Span), -0.3f, 0.3f);
                chain.ComputeGradient(data, RandomTask.AllRows(data));
                float[] found = layout.Skip.In(chain.Gradient.Span).ToArray(),
                    expected = layout.Skip.In(chain.ComputeBackpropagationGradient().Span).ToArray();
                Assert.Contains(expected, value => value != 0);
                Assert.Equal(expected, found);
            }
        }
    }

    [Fact]
    public void It_starts_at_0_so_that_the_network_is_the_same_as_without()
    {
        TrainingData data = RandomTask.Data(12, 5, 23, seed: 3);
        int[] rows = RandomTask.AllRows(data);
        using DenseChain with = GradientTests.Chain(new DenseLayout(NetworkDefinition.Mlp(14, 9) with { LinearSkip = true }, 12, 5),
            FeedbackRule.FeedbackAlignment, seed: 2), without = GradientTests.Chain(new DenseLayout(NetworkDefinition.Mlp(14, 9), 12, 5),
            FeedbackRule.FeedbackAlignment, seed: 2);
        Assert.Equal(without.Evaluate(data, rows, 1), with.Evaluate(data, rows, 1));
        with.Step(data, rows, 0.1f);
        without.Step(data, rows, 0.1f);
        Assert.Equal(without.Weights.Span.ToArray(), with.Weights.Span[..without.Weights.Length].ToArray());
        Assert.True(with.Evaluate(data, rows, 1).Loss < without.Evaluate(data, rows, 1).Loss);
    }

    /// <summary>Feature by feature it lies between the weights of the first layer, which keep their norm, while it goes its own way.</summary>
    [Fact]
    public void Constrained_norms_are_those_of_the_layers_alone()
    {
        (TrainingData sparse, TrainingData dense) = SparseTask.Data(90, 5, 40, seed: 6);
        SparseFeatures features = SparseFeatures.Of(sparse, RandomTask.AllRows(sparse));
        MlpDefinition network = NetworkDefinition.Mlp(14, 9) with { LinearSkip = true };
        DenseLayout packed = new(network, 90, 5, features.ValuesPerRow), model = packed.ToModel();
        OptimizerOptions optimizer = new OptimizerOptions.Sgd { Momentum = 0 };
        using DenseChain one = new DenseChain(packed, Plans.Of(FeedbackRule.FeedbackAlignment, 2), features).With(optimizer),
            other = new DenseChain(model, Plans.Of(FeedbackRule.FeedbackAlignment, 2)).With(optimizer);
        packed.Unpack(one.Weights.Span).CopyTo(other.Weights.Span);
        float[] norms = one.With(optimizer, keepsNorms: true).StepOf().Norms!.Values,
            others = other.With(optimizer, keepsNorms: true).StepOf().Norms!.Values;
        for (int i = 0; i < 3; i++)
            Assert.Equal(others[i], norms[i], 1e-4f);
        float first = norms[0];
        for (int step = 0; step < 20; step++)
        {
            int[] rows = [.. Enumerable.Range(0, 12).Select(i => (step * 5 + i) % 40)];
            one.Step(sparse, rows, 0.5f);
            other.Step(dense, rows, 0.5f);
        }
        float[] found = packed.Unpack(one.Weights.Span), expected = other.Weights.Span.ToArray();
        Assert.InRange(RandomTask.RelativeError(found, [.. expected.Select(value => (double)value)]), 0, 1e-4);
        Assert.Equal(1, TensorPrimitives.Norm<float>(model.Layers[0].Weight.In(found)) / first, 1e-5);
        Assert.InRange(TensorPrimitives.Norm<float>(model.Skip!.In(found)), 0.1f, float.MaxValue);
    }

    /// <summary>One unit says little of four classes; the linear path says it all. What was centred is scored as it was measured.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.AllNames), MemberType = typeof(Feedback.Rules))]
    public void It_learns_what_the_hidden_layer_cannot_and_scores_as_it_was_measured(string name)
    {
        IDataView rows = Rows(400, 1), test = Rows(400, 2);
        FeedbackRule rule = FeedbackRule.Parse(name);
        double Accuracy(bool skip)
        {
            var model = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                Network = NetworkDefinition.Mlp(1) with { LinearSkip = skip },
                Rule = rule,
                NumberOfEpochs = 30,
                Optimizer = new OptimizerOptions.Adam { LearningRate = 0.01f },
                Seed = 1,
            }).Fit(rows, test);
            MulticlassClassificationMetrics metrics = _mlContext.MulticlassClassification.Evaluate(model.Transform(test));
            Assert.Contains(model.Model.History, epoch => Math.Abs(epoch.ValidationLoss!.Value - metrics.LogLoss) < 1e-4
                && Math.Abs(epoch.ValidationAccuracy!.Value - metrics.MicroAccuracy) < 1e-9);
            return metrics.MicroAccuracy;
        }
        Assert.InRange(Accuracy(skip: true), 0.9, 1);
        Assert.InRange(Accuracy(skip: false), 0, 0.85);
    }

    [Fact]
    public void Every_task_trains_saves_and_loads_with_it()
    {
        MlpDefinition network = NetworkDefinition.Mlp(6) with { LinearSkip = true };
        IDataView rows = Rows(200, 1);
        Check(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options { Network = network })
            .Fit(rows), 4);
        Check(_mlContext.BinaryClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentBinaryTrainer.Options
        {
            Network = network,
            LabelColumnName = "IsFirst",
        }).Fit(rows), 1);
        Check(_mlContext.Regression.Trainers.FeedbackAlignment(new FeedbackAlignmentRegressionTrainer.Options
        {
            Network = network,
            LabelColumnName = "Number",
        }).Fit(rows), 1);

        void Check<T>(ISingleFeaturePredictionTransformer<T> model, int outputs) where T : class, IFeedbackAlignmentModel
        {
            Assert.Equal(["dense1", "dense2", "skip"], model.Model.GetWeights().Keys);
            Assert.Equal([outputs, 8], model.Model.GetWeights()["skip"].Shape);
            Assert.Equal(["dense2"], model.Model.GetFeedbackWeights().Keys);
            using MemoryStream zip = new();
            _mlContext.Model.Save(model, rows.Schema, zip);
            var loaded = (ISingleFeaturePredictionTransformer<T>)new MLContext().Model.Load(zip, out _);
            Assert.Equal(network, loaded.Model.Network);
            Assert.Equal("Mlp(6), ReLU, XavierUniform, linear skip", loaded.Model.Network.ToString());
            Assert.Equal(Scores(model), Scores(loaded));
            Assert.Equal(model.Model.GetParameters()["skip.weight"].Values.ToArray(), loaded.Model.GetParameters()["skip.weight"].Values.ToArray());

            float[][] Scores(ITransformer some) => [.. outputs > 1 ? some.Transform(rows).GetColumn<float[]>("Score")
                : some.Transform(rows).GetColumn<float>("Score").Select(score => new[] { score })];
        }
    }

    /// <summary>A checkpoint is compared by this text: that of a network without the path is what earlier builds wrote.</summary>
    [Fact]
    public void A_network_without_it_is_described_as_before()
    {
        Assert.Equal("""{"kind":"mlp","HiddenUnits":[8],"Activation":0,"Initialization":0,"Normalization":0,"Dropout":0}""",
            JsonSerializer.Serialize(NetworkDocument.Create(new DenseLayout(NetworkDefinition.Mlp(8), 4, 3))));
        Assert.Contains("\"LinearSkip\":true", JsonSerializer.Serialize(NetworkDocument.Create(
            new DenseLayout(NetworkDefinition.Mlp(8) with { LinearSkip = true }, 4, 3))), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_hidden_layers_it_is_refused()
    {
        Exception refused = Assert.Throws<ArgumentException>(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options { Network = NetworkDefinition.Mlp() with { LinearSkip = true } }));
        Assert.Contains("LinearSkip", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Mlp(128)", refused.Message, StringComparison.Ordinal);
        Assert.NotEqual(NetworkDefinition.Mlp(3), NetworkDefinition.Mlp(3) with { LinearSkip = true });
    }

    /// <summary>Four classes, each with a direction of its own, around means that are far from 0.</summary>
    private IDataView Rows(int count, int seed)
    {
        RandomGenerator random = new(seed, "test rows");
        return _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i =>
        {
            float[] features = new float[8];
            random.FillNormal(features, 10, 1);
            int label = random.NextInt32(4);
            features[label] += 4;
            features[7 - label] -= 3;
            return new Row { Features = features, Label = (uint)label, IsFirst = label == 0, Number = label };
        }).ToArray());
    }

    private sealed class Row
    {
        [VectorType(8)]
        public float[] Features { get; set; } = [];

        [KeyType(4)]
        public uint Label { get; set; }

        public bool IsFirst { get; set; }

        public float Number { get; set; }
    }
}
