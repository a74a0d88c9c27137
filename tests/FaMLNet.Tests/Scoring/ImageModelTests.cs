using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Scoring;

/// <summary>Convolutional models as users have them: trained, saved, loaded, scored.</summary>
public sealed class ImageModelTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    [Trait("Speed", "Slow")]
    public void A_convolutional_network_learns_the_digits_by_every_rule_and_survives_saving(string name)
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        FeedbackRule rule = FeedbackRule.Parse(name);
        ITransformer model = Pipeline(rule, epochs: 6).Fit(data);
        double accuracy = _mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy;
        Assert.True(accuracy > 0.85, $"{rule.ShortName}: {accuracy:F3}");
        using MemoryStream zip = new();
        _mlContext.Model.Save(model, data.Schema, zip);
        ITransformer loaded = new MLContext().Model.Load(zip, out _);
        Assert.Equal(model.Transform(data).GetColumn<float[]>("Score"), loaded.Transform(data).GetColumn<float[]>("Score"));
        Trainers.PipelineTests.AssertSameWeights(Tables.ModelOf(model), Tables.ModelOf(loaded));
        Assert.Equal(Tables.ModelOf(model).Network, Tables.ModelOf(loaded).Network);
        Assert.Equal(["conv1", "conv2", "dense1"], Tables.ModelOf(loaded).GetWeights().Keys);
        Assert.Equal(rule.ShortName == "bp" ? [] : ["conv2", "dense1"], Tables.ModelOf(loaded).GetFeedbackWeights().Keys);
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    [Trait("Speed", "Slow")]
    public void The_same_seed_gives_the_same_convolutional_network_bit_for_bit(string name)
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        FeedbackRule rule = FeedbackRule.Parse(name);
        Trainers.PipelineTests.AssertSameWeights(Tables.ModelOf(Pipeline(rule, epochs: 1).Fit(data)),
            Tables.ModelOf(Pipeline(rule, epochs: 1).Fit(data)));
    }

    [Fact]
    public void A_prediction_engine_and_a_whole_view_agree()
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        ITransformer model = Pipeline(FeedbackRule.UniformSignConcordant, epochs: 1).Fit(data);
        float[][] scores = [.. model.Transform(_mlContext.Data.TakeRows(data, 20)).GetColumn<float[]>("Score")];
        float[][] pixels = [.. data.GetColumn<float[]>("Features").Take(20)];
        using PredictionEngine<TextRow, Prediction> engine = _mlContext.Model.CreatePredictionEngine<TextRow, Prediction>(model);
        for (int i = 0; i < 20; i++)
        {
            float[] one = engine.Predict(new TextRow { Features = pixels[i] }).Score;
            for (int k = 0; k < one.Length; k++)
                Assert.Equal(scores[i][k], one[k], 1e-5);
        }
    }

    [Fact]
    public void Features_that_are_no_image_are_refused_by_name()
    {
        IDataView wine = Tables.Load(_mlContext, "wine");
        FeedbackAlignmentMulticlassTrainer.Options options = new() { Network = NetworkDefinition.LeNet(), NumberOfEpochs = 1 };
        var key = _mlContext.Transforms.Conversion.MapValueToKey("Label");
        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            key.Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options)).Fit(wine));
        Assert.Contains("13 features are no square image", error.Message, StringComparison.Ordinal);
        options.ImageShape = new ImageShape(1, 2, 6);
        error = Assert.Throws<ArgumentException>(() =>
            key.Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options)).Fit(wine));
        Assert.Contains("1 × 2 × 6 has 12 values, but the feature column has 13", error.Message, StringComparison.Ordinal);
        options.ImageShape = new ImageShape(0, 2, 6);
        error = Assert.Throws<ArgumentOutOfRangeException>(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options));
        Assert.Contains("Option ImageShape", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pixels_stay_bytes_where_that_loses_nothing()
    {
        RandomGenerator random = new(1, "pixels");
        foreach (Func<int, float> code in new Func<int, float>[] { b => b / 255f, b => b * (1 / 255f), b => b })
        {
            TrainingData data = new(100, 3);
            float[][] rows = [.. Enumerable.Range(0, 50)
                .Select(row => Enumerable.Range(0, 100).Select(_ => row == 0 ? 0 : code(random.NextInt32(256))).ToArray())];
            foreach (float[] row in rows)
            {
                row.CopyTo(data.Next());
                data.Commit(1, null);
            }
            Assert.True(data.IsPacked);
            for (int row = 0; row < 50; row++)
                Assert.Equal(rows[row], data.Row(row, new float[100]).ToArray());
            // One value that is no pixel, and all are floats again, unchanged.
            data.Next().Fill(0.1f);
            data.Commit(2, null);
            Assert.False(data.IsPacked);
            for (int row = 0; row < 50; row++)
                Assert.Equal(rows[row], data.Row(row, new float[100]).ToArray());
            Assert.Equal(Enumerable.Repeat(0.1f, 100), data.Row(50, new float[100]).ToArray());
        }
    }

    [Fact]
    public void Packed_and_unpacked_rows_train_the_same_dense_network()
    {
        float[][] rows = [.. Enumerable.Range(0, 60).Select(row => Enumerable.Range(0, 64).Select(i => (row * i % 17) / 255f).ToArray())];
        FeedbackAlignmentMulticlassModelParameters Train(bool packed)
        {
            // A last row with a value that is no pixel makes floats of all; its weight is 0.
            IEnumerable<Row> source = rows.Select((row, i) => new Row { Features = row, Label = (uint)(i % 3), Weight = 1 })
                .Append(new Row { Features = [.. rows[0][..63], packed ? 0 : 1e-9f], Label = 0, Weight = 0 });
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick();
            options.ExampleWeightColumnName = "Weight";
            return _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_mlContext.Data.LoadFromEnumerable(source)).Model;
        }
        float[] a = Train(true).GetWeights()["dense1"].Values.ToArray(), b = Train(false).GetWeights()["dense1"].Values.ToArray();
        Assert.All(a.Zip(b), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    private IEstimator<ITransformer> Pipeline(FeedbackRule rule, int epochs) =>
        _mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = rule,
                Network = NetworkDefinition.Sequential(
                    new Layer.Conv2d(16, 3) { Padding = 1 }, new Layer.Activate(Activation.ReLU), new Layer.MaxPool2d(2),
                    new Layer.Conv2d(16, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense()),
                NumberOfEpochs = epochs,
                Optimizer = new OptimizerOptions.Adam { LearningRate = 0.003f },
                Seed = 1,
            }));

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }

        public float Weight { get; set; }
    }

    private sealed class TextRow
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
