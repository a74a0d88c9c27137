using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>The trainer of several numbers: each in its own unit, some not known, and everything of ML.NET works around it.</summary>
public sealed class VectorRegressionTrainerTests : IDisposable
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-vector");
    private readonly IDataView _data;

    public VectorRegressionTrainerTests() => _data = View();

    public void Dispose() => _root.Delete(recursive: true);

    public static TheoryData<string> Rules => [.. FeedbackRule.All.Where(rule => rule is not DirectFeedbackRule { Projects: ProjectedSignal.Target })
        .Select(rule => rule.ShortName)];

    [Theory, MemberData(nameof(Rules))]
    public void Every_rule_learns_three_numbers_of_different_units(string rule)
    {
        FeedbackAlignmentVectorRegressionTrainer.Options options = Options();
        (options.Rule, options.NumberOfEpochs) = (FeedbackRule.Parse(rule), 60);
        float[][] scores = Scores(Fit(_data, options).Transform(_data)), labels = Column(_data, "Label");
        for (int i = 0; i < 3; i++)
            Assert.True(RSquared(labels, scores, i) > (rule == "pepita" ? 0.3 : 0.8), $"{rule}, number {i}: {RSquared(labels, scores, i)}");
    }

    /// <summary>With one number in the vector, this is the regression trainer.</summary>
    [Theory, InlineData("DFA", "squared"), InlineData("BP", "huber"), InlineData("KP", "absolute")]
    public void One_number_is_what_the_regression_trainer_learns(string rule, string loss)
    {
        RegressionLoss chosen = loss switch { "squared" => RegressionLoss.Squared, "huber" => RegressionLoss.Huber(), _ => RegressionLoss.Absolute };
        IDataView data = _mlContext.Transforms.Concatenate("One", "a").Fit(_data).Transform(_data);
        NetworkDefinition network = NetworkDefinition.Mlp(16, 8);
        FeedbackAlignmentVectorRegressionModelParameters many = _mlContext.Regression.Trainers.FeedbackAlignmentVector(
            new FeedbackAlignmentVectorRegressionTrainer.Options
            {
                LabelColumnName = "One",
                Rule = FeedbackRule.Parse(rule),
                Network = network,
                Loss = chosen,
                Seed = 3,
                ValidationFraction = 0.2,
            }).Fit(data).Model;
        FeedbackAlignmentRegressionModelParameters one = _mlContext.Regression.Trainers.FeedbackAlignment(
            new FeedbackAlignmentRegressionTrainer.Options
            {
                LabelColumnName = "a",
                Rule = FeedbackRule.Parse(rule),
                Network = network,
                Loss = chosen,
                Seed = 3,
                ValidationFraction = 0.2,
            }).Fit(data).Model;
        foreach ((string name, ParameterTensor values) in one.GetParameters())
            Assert.Equal(values.Values.ToArray(), many.GetParameters()[name].Values.ToArray());
        Assert.Equal(one.History.Select(epoch => (epoch.Loss, epoch.ValidationLoss)),
            many.History.Select(epoch => (epoch.Loss, epoch.ValidationLoss)));
        // In standard deviations here, in the label's units there.
        double unit = one.History[0].RootMeanSquaredError!.Value / many.History[0].RootMeanSquaredError!.Value;
        Assert.All(one.History.Zip(many.History), pair =>
        {
            Assert.Null(pair.Second.Accuracy);
            Assert.Equal(pair.First.RootMeanSquaredError!.Value, unit * pair.Second.RootMeanSquaredError!.Value, 1e-6);
            Assert.Equal(pair.First.ValidationRootMeanSquaredError!.Value, unit * pair.Second.ValidationRootMeanSquaredError!.Value, 1e-6);
        });
    }

    [Fact]
    public void Scores_have_the_names_of_the_labels()
    {
        FeedbackAlignmentVectorRegressionTransformer model = Fit(_data);
        Assert.Equal(["a", "b", "c"], Names(model.Transform(_data).Schema["Score"]));
        SchemaShape shape = _mlContext.Regression.Trainers.FeedbackAlignmentVector().GetOutputSchema(Tables.ShapeOf(_data));
        Assert.Equal(["Score"], shape.Select(column => column.Name).Except(Tables.ShapeOf(_data).Select(column => column.Name)));
        SchemaShape.Column score = shape.Single(column => column.Name == "Score");
        Assert.Equal(SchemaShape.Column.VectorKind.Vector, score.Kind);
        Assert.Contains("SlotNames", score.Annotations.Select(annotation => annotation.Name));
    }

    [Fact]
    public void A_saved_model_predicts_the_same_in_a_context_that_never_trained()
    {
        FeedbackAlignmentVectorRegressionTransformer model = Fit(_data);
        FeedbackAlignmentVectorRegressionTransformer loaded = Reload(model, _data);
        float[][] scores = Scores(model.Transform(_data));
        Assert.Equal(scores, Scores(loaded.Transform(_data)));
        Assert.Equal(["a", "b", "c"], Names(loaded.Transform(_data).Schema["Score"]));
        Assert.Equal(model.Model.History.Select(epoch => epoch.RootMeanSquaredError),
            loaded.Model.History.Select(epoch => epoch.RootMeanSquaredError));
        PredictionEngine<Row, Prediction> engine = new MLContext().Model.CreatePredictionEngine<Row, Prediction>(loaded);
        Row[] rows = [.. _mlContext.Data.CreateEnumerable<Row>(_data, reuseRowObject: false)];
        for (int i = 0; i < 20; i++)
            Assert.Equal(scores[i], engine.Predict(rows[i]).Score);
        // It goes on in its own units.
        FeedbackAlignmentVectorRegressionModelParameters more = _mlContext.Regression.Trainers.FeedbackAlignmentVector(Options())
            .Fit(_data, loaded.Model).Model;
        Assert.True(more.History[0].Loss < model.Model.History[0].Loss);
    }

    [Fact]
    public void Numbers_that_are_not_known_are_learnt_from_the_rows_that_know_them()
    {
        IDataView some = View(row =>
        {
            if (row.Number % 3 == 0)
                row.a = float.NaN;
            if (row.Number % 4 == 0)
                row.c = float.NaN;
            if (row.Number % 10 == 0)
                row.a = row.b = row.c = float.NaN;
        });
        List<string> log = [];
        _mlContext.Log += (_, e) => log.Add(e.Message);
        FeedbackAlignmentVectorRegressionTrainer.Options options = Options();
        options.NumberOfEpochs = 100;
        FeedbackAlignmentVectorRegressionTransformer model = Fit(some, options);
        Assert.Contains(log, line => line.Contains("Left out 30 of 300 rows", StringComparison.Ordinal)
            && line.Contains("30 with a missing label", StringComparison.Ordinal));
        float[][] scores = Scores(model.Transform(_data)), labels = Column(_data, "Label");
        for (int i = 0; i < 3; i++)
            Assert.True(RSquared(labels, scores, i) > 0.7, $"number {i}: {RSquared(labels, scores, i)}");
    }

    [Fact]
    public void Interrupted_and_streamed_trainings_are_those_of_every_trainer()
    {
        IDataView some = View(row => row.b = row.Number % 5 == 0 ? float.NaN : row.b);
        FeedbackAlignmentVectorRegressionModelParameters whole = Fit(some).Model;
        using CancellationTokenSource stop = new();
        FeedbackAlignmentVectorRegressionTrainer.Options options = Options();
        (options.CheckpointFolder, options.CancellationToken) = (Path.Combine(_root.FullName, "state"), stop.Token);
        options.MetricsCallback = epoch =>
        {
            if (epoch.Epoch == 2)
                stop.Cancel();
        };
        Assert.Throws<OperationCanceledException>(() => Fit(some, options));
        (options.CancellationToken, options.MetricsCallback) = (default, null);
        FeedbackAlignmentVectorRegressionModelParameters resumed = Fit(some, options).Model;
        Assert.Equal(whole.GetWeights()["dense1"].Values.ToArray(), resumed.GetWeights()["dense1"].Values.ToArray());
        Assert.Equal(whole.History.Select(epoch => epoch.RootMeanSquaredError), resumed.History.Select(epoch => epoch.RootMeanSquaredError));
        options.Loss = RegressionLoss.Absolute;
        Fails<InvalidOperationException>(() => Fit(some, options), "checkpoints of another training", "Absolute");

        options = Options();
        (options.DataCaching, options.ValidationFraction) = (DataCaching.Streaming, 0.1);
        float[][] scores = Scores(Fit(some, options).Transform(_data)), labels = Column(_data, "Label");
        Assert.True(RSquared(labels, scores, 1) > 0.8);
    }

    [Fact]
    public void The_best_and_the_last_epoch_of_an_early_stop_are_both_there()
    {
        FeedbackAlignmentVectorRegressionTrainer.Options options = Options();
        (options.EarlyStopping, options.NumberOfEpochs) = (new EarlyStopping { Patience = 1 }, 200);
        FeedbackAlignmentVectorRegressionModelParameters model = _mlContext.Regression.Trainers.FeedbackAlignmentVector(options)
            .Fit(_data, View(seed: 9)).Model;
        Assert.NotNull(model.LastEpochModel);
        FeedbackAlignmentVectorRegressionTransformer last = new(_mlContext, model.LastEpochModel, _data.Schema, "Features", "Label");
        Assert.Equal(300, Scores(last.Transform(_data)).Length);
        Assert.Equal(["a", "b", "c"], Names(last.Transform(_data).Schema["Score"]));
        Fails<ArgumentException>(() => _ = new FeedbackAlignmentVectorRegressionTransformer(_mlContext, model, _data.Schema, "Features", "a"),
            "Label column 'a' must be a vector of 3 Single");
        FeedbackAlignmentVectorRegressionTransformer nameless = new(_mlContext, model, _data.Schema, "Features", null);
        Assert.False(nameless.Transform(_data).Schema["Score"].HasSlotNames());
    }

    /// <summary>A network of images, whose scores come in batches, and one of the user's own.</summary>
    [Fact]
    public void Convolutional_and_custom_networks_predict_numbers_in_batches_and_one_by_one()
    {
        Random random = new(2);
        IDataView images = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 230).Select(_ =>
        {
            float[] pixels = [.. Enumerable.Range(0, 64).Select(_ => random.NextSingle())];
            return new ImageRow { Features = pixels, Label = [500 + 100 * pixels.Take(32).Sum(), -pixels.Skip(32).Sum()] };
        }).ToArray());
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(DropoutFactory).Assembly);
        foreach (NetworkDefinition network in new NetworkDefinition[]
        {
            NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense()),
            NetworkDefinition.Custom("with dropout"),
        })
        {
            FeedbackAlignmentVectorRegressionTrainer.Options options = new() { Network = network, NumberOfEpochs = 20, Seed = 1 };
            FeedbackAlignmentVectorRegressionTransformer model = _mlContext.Regression.Trainers.FeedbackAlignmentVector(options).Fit(images);
            string path = Path.Combine(_root.FullName, "images.zip");
            _mlContext.Model.Save(model, images.Schema, path);
            ITransformer loaded = _mlContext.Model.Load(path, out _);
            float[][] batched = Scores(model.Transform(images));
            Assert.Equal(batched, Scores(loaded.Transform(images)));
            Assert.All(batched, score => Assert.True(score[0] is > 500 and < 5000 && score[1] is < 0 and > -32, $"{score[0]}, {score[1]}"));
            PredictionEngine<ImageRow, Prediction> engine = _mlContext.Model.CreatePredictionEngine<ImageRow, Prediction>(loaded);
            ImageRow[] rows = [.. _mlContext.Data.CreateEnumerable<ImageRow>(images, reuseRowObject: false)];
            for (int i = 0; i < 5; i++)
            {
                Assert.Equal(batched[i][0], engine.Predict(rows[i]).Score[0], 0.5);
                Assert.Equal(batched[i][1], engine.Predict(rows[i]).Score[1], 0.01);
            }
        }
    }

    [Fact]
    public void Mistakes_are_named_with_the_cure()
    {
        Fails<InvalidOperationException>(() => Fit(View(row => row.a = row.b = row.c = 4)), "All 300 usable rows have the same label",
            "nothing to learn");
        Fails<InvalidOperationException>(() => Fit(View(row => row.a = row.b = row.c = float.NaN)), "all 300 rows have a missing label");
        Fails<InvalidOperationException>(() => Fit(View(row => row.b = float.NaN)), "Label column 'Label'", "slot 1 ('b') is missing", "Leave such");
        Fails<InvalidOperationException>(() => Fit(View(row => row.c = row.Number == 4 ? float.NegativeInfinity : 0)),
            "Label column 'Label', row 5, slot 2", "must be finite");
        Fails<ArgumentOutOfRangeException>(() => Fit(_data, new() { Loss = RegressionLoss.Poisson }), "Option Loss", "one by one");
        Fails<ArgumentOutOfRangeException>(() => Fit(_data, new() { Rule = FeedbackRule.Parse("DRTP") }), "Option Rule", "DirectFeedbackAlignment");
        Fails<ArgumentOutOfRangeException>(
            () => Fit(_data, new() { EarlyStopping = new EarlyStopping { Metric = StoppingMetric.ValidationAccuracy } }), "no accuracy");
        FeedbackAlignmentVectorRegressionTrainer.Options options = Options();
        options.LabelColumnName = "a";
        Fails<ArgumentOutOfRangeException>(() => Fit(_data, options), "Label column 'a' must be a vector of Single of known size; found",
            "Concatenate(\"a\"");
        options.LabelColumnName = "Score";
        Fails<ArgumentOutOfRangeException>(() => Fit(_data, options), "column of predictions");
        options.LabelColumnName = "Flags";
        IDataView flags = _mlContext.Transforms.Conversion.ConvertType("Flags", "Label", DataKind.Boolean).Fit(_data).Transform(_data);
        Fails<ArgumentOutOfRangeException>(() => Fit(flags, options), "'Flags' must be a vector of Single", "ConvertType");
        options.LabelColumnName = "Words";
        IDataView words = _mlContext.Transforms.Text.TokenizeIntoWords("Words", "Text").Fit(_data).Transform(_data);
        Fails<ArgumentOutOfRangeException>(() => Fit(words, options), "'Words' must be a vector of Single of known size", "Give the vector a size");
    }

    [Fact]
    public void Labels_of_a_validation_set_and_of_a_model_to_continue_are_compared_by_name()
    {
        IDataView swapped = _mlContext.Transforms.Concatenate("Label", "b", "a", "c").Fit(_data).Transform(_data),
            two = _mlContext.Transforms.Concatenate("Label", "a", "b").Fit(_data).Transform(_data);
        FeedbackAlignmentVectorRegressionTrainer trainer = _mlContext.Regression.Trainers.FeedbackAlignmentVector(Options());
        Fails<InvalidOperationException>(() => trainer.Fit(_data, swapped), "Label column 'Label' of the validation data", "slot 0 is 'b', but 'a'");
        Fails<InvalidOperationException>(() => trainer.Fit(_data, two), "validation data has 3 features and 2 numbers to predict");
        FeedbackAlignmentVectorRegressionModelParameters model = Fit(_data).Model;
        Fails<InvalidOperationException>(() => trainer.Fit(swapped, model), "Label column 'Label' of the training data", "the model to continue");
        Fails<ArgumentException>(() => trainer.Fit(two, model), "3 features and 3 numbers to predict", "has 3 and 2");
    }

    [Fact]
    public void A_number_that_never_changes_is_said()
    {
        List<string> log = [];
        _mlContext.Log += (_, e) => log.Add(e.Message);
        float[][] scores = Scores(Fit(View(row => row.b = 7)).Transform(_data));
        Assert.Contains(log, line => line.Contains("slot 1 ('b') is the same in all rows", StringComparison.Ordinal));
        Assert.All(scores, score => Assert.InRange(score[1], 6.5, 7.5));
    }

    [Fact]
    public void Attacks_refuse_the_model()
    {
        IDataView keyed = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Text").Fit(_data).Transform(_data);
        Fails<ArgumentException>(() => _mlContext.MulticlassClassification.EvaluateRobustness(Fit(_data), keyed, [new FgsmAttack(0.1f)],
            new RobustnessOptions { LabelColumnName = "Class" }), "several numbers or labels per row");
    }

    private static void Fails<T>(Action action, params string[] parts) where T : Exception
    {
        T error = Assert.Throws<T>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private static FeedbackAlignmentVectorRegressionTrainer.Options Options() =>
        new() { Rule = FeedbackRule.DirectFeedbackAlignment, Network = NetworkDefinition.Mlp(32, 16), NumberOfEpochs = 30, Seed = 1 };

    private FeedbackAlignmentVectorRegressionTransformer Fit(IDataView data, FeedbackAlignmentVectorRegressionTrainer.Options? options = null) =>
        _mlContext.Regression.Trainers.FeedbackAlignmentVector(options ?? Options()).Fit(data);

    private FeedbackAlignmentVectorRegressionTransformer Reload(ITransformer model, IDataView data)
    {
        string path = Path.Combine(_root.FullName, "model.zip");
        _mlContext.Model.Save(model, data.Schema, path);
        return (FeedbackAlignmentVectorRegressionTransformer)new MLContext().Model.Load(path, out _);
    }

    private static double RSquared(float[][] labels, float[][] scores, int output)
    {
        double mean = labels.Average(label => label[output]);
        return 1 - labels.Zip(scores).Sum(pair => Math.Pow(pair.First[output] - pair.Second[output], 2))
            / labels.Sum(label => Math.Pow(label[output] - mean, 2));
    }

    private static float[][] Scores(IDataView view) => Column(view, "Score");

    private static float[][] Column(IDataView view, string name) => [.. view.GetColumn<float[]>(name)];

    private static string[] Names(DataViewSchema.Column column)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(name => $"{name}")];
    }

    private IDataView View(Action<Row>? change = null, int seed = 1)
    {
        Random random = new(seed);
        IDataView rows = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 300).Select(i =>
        {
            float[] x = [.. Enumerable.Range(0, 3).Select(_ => random.NextSingle() * 2 - 1)];
            Row row = new()
            {
                Number = i,
                Features = x,
                a = 1000 * (3 * x[0] - 2 * x[1] * x[2]) + 5000,
                b = 0.001f * (x[1] + x[2]),
                c = 20 - 4 * x[0] * x[0],
                Text = $"class {i % 3}",
            };
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

        public float a { get; set; }

        public float b { get; set; }

        public float c { get; set; }

        public string Text { get; set; } = "";
    }

    private sealed class ImageRow
    {
        [VectorType(2)]
        public float[] Label { get; set; } = [];

        [VectorType(64)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
