using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>The trainer of several labels at once: any number of them may be true, and everything of ML.NET works around it.</summary>
public sealed class MultiLabelTrainerTests : IDisposable
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-labels");
    private readonly IDataView _data;

    public MultiLabelTrainerTests() => _data = View();

    public void Dispose() => _root.Delete(recursive: true);

    public static TheoryData<string> Rules => [.. FeedbackRule.All.Select(rule => rule.ShortName)];

    [Theory, MemberData(nameof(Rules))]
    public void Every_rule_learns_labels_of_which_any_number_is_true(string rule)
    {
        FeedbackAlignmentMultiLabelTrainer.Options options = Options();
        (options.Rule, options.NumberOfEpochs) = (FeedbackRule.Parse(rule), 60);
        FeedbackAlignmentMultiLabelTransformer model = Fit(_data, options);
        bool[][] labels = Column<bool>(_data, "Label"), predicted = Column<bool>(model.Transform(_data), "PredictedLabel");
        double right = labels.Zip(predicted).Average(pair => pair.First.Zip(pair.Second).Average(values => values.First == values.Second ? 1.0 : 0));
        Assert.True(right > (rule == "pepita" ? 0.7 : 0.85), $"{rule}: {right}");
        Assert.InRange(model.Model.History[^1].Accuracy!.Value, right - 0.1, right + 0.1);
        Assert.Null(model.Model.History[^1].RootMeanSquaredError);
    }

    /// <summary>With one label in the vector, this is the binary trainer.</summary>
    [Theory, InlineData("FA"), InlineData("BP"), InlineData("DRTP")]
    public void One_label_is_what_the_binary_trainer_learns(string rule)
    {
        IDataView data = _mlContext.Transforms.Concatenate("One", "a").Fit(_data).Transform(_data);
        NetworkDefinition network = NetworkDefinition.Mlp(16, 8);
        FeedbackAlignmentMultiLabelModelParameters many = _mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel(
            new FeedbackAlignmentMultiLabelTrainer.Options
            {
                LabelColumnName = "One",
                Rule = FeedbackRule.Parse(rule),
                Network = network,
                LabelSmoothing = 0.1f,
                NumberOfEpochs = 10,
                Seed = 3,
            }).Fit(data).Model;
        FeedbackAlignmentBinaryModelParameters one = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentBinaryTrainer.Options
            {
                LabelColumnName = "a",
                Rule = FeedbackRule.Parse(rule),
                Network = network,
                LabelSmoothing = 0.1f,
                NumberOfEpochs = 10,
                Seed = 3,
            }).Fit(data).Model;
        foreach ((string name, ParameterTensor values) in one.GetParameters())
            Assert.Equal(values.Values.ToArray(), many.GetParameters()[name].Values.ToArray());
        Assert.Equal(one.History.Select(epoch => (epoch.Loss, epoch.Accuracy)), many.History.Select(epoch => (epoch.Loss, epoch.Accuracy)));
    }

    [Fact]
    public void Predictions_are_vectors_with_the_names_of_the_labels()
    {
        IDataView scored = Fit(_data).Transform(_data);
        foreach (string name in new[] { "Score", "Probability", "PredictedLabel" })
        {
            VBuffer<ReadOnlyMemory<char>> names = default;
            scored.Schema[name].GetSlotNames(ref names);
            Assert.Equal(["a", "b", "c"], names.DenseValues().Select(value => $"{value}"));
        }
        float[][] scores = Column<float>(scored, "Score"), probabilities = Column<float>(scored, "Probability");
        bool[][] predicted = Column<bool>(scored, "PredictedLabel");
        for (int row = 0; row < scores.Length; row++)
        {
            for (int label = 0; label < 3; label++)
            {
                Assert.Equal(1 / (1 + Math.Exp(-scores[row][label])), probabilities[row][label], 1e-6);
                Assert.Equal(scores[row][label] > 0, predicted[row][label]);
            }
        }
        Assert.Equal(["Score", "Probability", "PredictedLabel"], _mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel()
            .GetOutputSchema(Tables.ShapeOf(_data)).Select(column => column.Name).Except(Tables.ShapeOf(_data).Select(column => column.Name)));
    }

    [Fact]
    public void A_saved_model_predicts_the_same_in_a_context_that_never_trained()
    {
        FeedbackAlignmentMultiLabelTransformer model = Fit(_data);
        string path = Path.Combine(_root.FullName, "model.zip");
        _mlContext.Model.Save(model, _data.Schema, path);
        FeedbackAlignmentMultiLabelTransformer loaded = (FeedbackAlignmentMultiLabelTransformer)new MLContext().Model.Load(path, out _);
        float[][] scores = Column<float>(model.Transform(_data), "Score");
        Assert.Equal(scores, Column<float>(loaded.Transform(_data), "Score"));
        PredictionEngine<Row, Prediction> engine = new MLContext().Model.CreatePredictionEngine<Row, Prediction>(loaded);
        Row[] rows = [.. _mlContext.Data.CreateEnumerable<Row>(_data, reuseRowObject: false)];
        for (int i = 0; i < 20; i++)
        {
            Prediction prediction = engine.Predict(rows[i]);
            Assert.Equal(scores[i], prediction.Score);
            Assert.Equal(scores[i].Select(score => score > 0), prediction.PredictedLabel);
            Assert.Equal(3, prediction.Probability.Length);
        }
        FeedbackAlignmentMultiLabelModelParameters more = _mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel(Options())
            .Fit(_data, loaded.Model).Model;
        Assert.True(more.History[0].Loss < model.Model.History[0].Loss);
        Assert.InRange(more.History[^1].Accuracy!.Value, 0.8, 1);
    }

    [Fact]
    public void Interrupted_and_streamed_trainings_are_those_of_every_trainer()
    {
        FeedbackAlignmentMultiLabelModelParameters whole = Fit(_data).Model;
        using CancellationTokenSource stop = new();
        FeedbackAlignmentMultiLabelTrainer.Options options = Options();
        (options.CheckpointFolder, options.CancellationToken) = (Path.Combine(_root.FullName, "state"), stop.Token);
        options.MetricsCallback = epoch =>
        {
            if (epoch.Epoch == 2)
                stop.Cancel();
        };
        Assert.Throws<OperationCanceledException>(() => Fit(_data, options));
        (options.CancellationToken, options.MetricsCallback) = (default, null);
        FeedbackAlignmentMultiLabelModelParameters resumed = Fit(_data, options).Model;
        Assert.Equal(whole.GetWeights()["dense1"].Values.ToArray(), resumed.GetWeights()["dense1"].Values.ToArray());
        Assert.Equal(whole.History.Select(epoch => epoch.Accuracy), resumed.History.Select(epoch => epoch.Accuracy));

        options = Options();
        (options.DataCaching, options.ValidationFraction) = (DataCaching.Streaming, 0.1);
        Assert.InRange(Fit(_data, options).Model.History[^1].ValidationAccuracy!.Value, 0.75, 1);
    }

    [Fact]
    public void The_best_epoch_by_accuracy_and_the_last_are_both_there()
    {
        FeedbackAlignmentMultiLabelTrainer.Options options = Options();
        options.EarlyStopping = new EarlyStopping { Patience = 2, Metric = StoppingMetric.ValidationAccuracy };
        FeedbackAlignmentMultiLabelModelParameters model = _mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel(options)
            .Fit(_data, View(seed: 9)).Model;
        Assert.NotNull(model.LastEpochModel);
        FeedbackAlignmentMultiLabelTransformer last = new(_mlContext, model.LastEpochModel, _data.Schema, "Features", "Label");
        Assert.Equal(300, Column<bool>(last.Transform(_data), "PredictedLabel").Length);
        Fails<ArgumentException>(() => _ = new FeedbackAlignmentMultiLabelTransformer(_mlContext, model, _data.Schema, "Features", "a"),
            "Label column 'a' must be a vector of 3 Boolean");
    }

    [Fact]
    public void Convolutional_networks_predict_labels_in_batches_and_one_by_one()
    {
        Random random = new(2);
        IDataView images = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 230).Select(_ =>
        {
            float[] pixels = [.. Enumerable.Range(0, 64).Select(_ => random.NextSingle())];
            return new ImageRow { Features = pixels, Label = [pixels.Take(32).Sum() > 16, pixels.Skip(32).Sum() > 16] };
        }).ToArray());
        FeedbackAlignmentMultiLabelTrainer.Options options = new()
        {
            Network = NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
                new Layer.Dense()),
            NumberOfEpochs = 10,
            Seed = 1,
        };
        FeedbackAlignmentMultiLabelTransformer model = _mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel(options).Fit(images);
        IDataView scored = model.Transform(images);
        float[][] batched = Column<float>(scored, "Score");
        bool[][] predicted = Column<bool>(scored, "PredictedLabel");
        PredictionEngine<ImageRow, Prediction> engine = _mlContext.Model.CreatePredictionEngine<ImageRow, Prediction>(model);
        ImageRow[] rows = [.. _mlContext.Data.CreateEnumerable<ImageRow>(images, reuseRowObject: false)];
        for (int i = 0; i < 5; i++)
        {
            Prediction one = engine.Predict(rows[i]);
            Assert.All(one.Score.Zip(batched[i]), pair => Assert.Equal(pair.Second, pair.First, 1e-4));
            Assert.Equal(batched[i].Select(score => score > 0), predicted[i]);
        }
    }

    [Fact]
    public void Mistakes_are_named_with_the_cure()
    {
        Fails<InvalidOperationException>(() => Fit(View(row => row.a = row.b = row.c = true)), "All 300 usable rows have the same label",
            "nothing to learn");
        Fails<ArgumentOutOfRangeException>(() => Fit(_data, new() { LabelSmoothing = 1 }), "Option LabelSmoothing");
        FeedbackAlignmentMultiLabelTrainer.Options options = Options();
        options.LabelColumnName = "a";
        Fails<ArgumentOutOfRangeException>(() => Fit(_data, options), "Label column 'a' must be a vector of Boolean of known size; found",
            "Concatenate(\"a\"");
        options.LabelColumnName = "Probability";
        Fails<ArgumentOutOfRangeException>(() => Fit(_data, options), "column of predictions");
        options.LabelColumnName = "Numbers";
        IDataView numbers = _mlContext.Transforms.Conversion.ConvertType("Numbers", "Label", DataKind.Single).Fit(_data).Transform(_data);
        Fails<ArgumentOutOfRangeException>(() => Fit(numbers, options), "'Numbers' must be a vector of Boolean of known size", "found Vector<Single",
            "ConvertType(\"Numbers\", outputKind: DataKind.Boolean)");
        // The cure works.
        IDataView back = _mlContext.Transforms.Conversion.ConvertType("Numbers", outputKind: DataKind.Boolean).Fit(numbers).Transform(numbers);
        Assert.Equal(Fit(_data).Model.History.Select(epoch => epoch.Loss), Fit(back, options).Model.History.Select(epoch => epoch.Loss));
    }

    [Fact]
    public void Labels_that_never_change_are_said()
    {
        List<string> log = [];
        _mlContext.Log += (_, e) => log.Add(e.Message);
        Fit(View(row => row.a = row.c = false));
        Assert.Contains(log, line => line.Contains("slots 0 ('a'), 2 ('c') are the same in all rows", StringComparison.Ordinal));
    }

    [Fact]
    public void Attacks_refuse_the_model()
    {
        IDataView keyed = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Number").Fit(_data).Transform(_data);
        Fails<ArgumentException>(() => _mlContext.MulticlassClassification.EvaluateRobustness(Fit(_data), keyed, [new FgsmAttack(0.1f)],
            new RobustnessOptions { LabelColumnName = "Class" }), "several numbers or labels per row");
    }

    private static void Fails<T>(Action action, params string[] parts) where T : Exception
    {
        T error = Assert.Throws<T>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private static FeedbackAlignmentMultiLabelTrainer.Options Options() =>
        new() { Rule = FeedbackRule.FeedbackAlignment, Network = NetworkDefinition.Mlp(32, 16), NumberOfEpochs = 20, Seed = 1 };

    private FeedbackAlignmentMultiLabelTransformer Fit(IDataView data, FeedbackAlignmentMultiLabelTrainer.Options? options = null) =>
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignmentMultiLabel(options ?? Options()).Fit(data);

    private static T[][] Column<T>(IDataView view, string name) => [.. view.GetColumn<T[]>(name)];

    private IDataView View(Action<Row>? change = null, int seed = 1)
    {
        Random random = new(seed);
        IDataView rows = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 300).Select(i =>
        {
            float[] x = [.. Enumerable.Range(0, 3).Select(_ => random.NextSingle() * 2 - 1)];
            Row row = new() { Number = i, Features = x, a = x[0] > 0.2, b = x[1] * x[2] > 0, c = x[0] + x[1] < 0.5 };
            change?.Invoke(row);
            return row;
        }).ToArray());
        return _mlContext.Transforms.Concatenate("Label", "a", "b", "c").Fit(rows).Transform(rows);
    }

    private sealed class Row
    {
        public int Number { get; set; }

        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public bool a { get; set; }

        public bool b { get; set; }

        public bool c { get; set; }
    }

    private sealed class ImageRow
    {
        [VectorType(2)]
        public bool[] Label { get; set; } = [];

        [VectorType(64)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];

        public float[] Probability { get; set; } = [];

        public bool[] PredictedLabel { get; set; } = [];
    }
}
