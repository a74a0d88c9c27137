using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>The regression trainer: the label's unit and level do not matter, and everything of ML.NET works around it.</summary>
public sealed class RegressionTrainerTests : IDisposable
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-regression");
    private readonly IDataView _data;

    public RegressionTrainerTests() => _data = View(x => 3 * x[0] - 2 * x[1] * x[2] + 1);

    public void Dispose() => _root.Delete(recursive: true);

    public static TheoryData<string> Rules => [.. Feedback.Rules.Six.Select(rule => rule.ShortName)];

    [Theory, MemberData(nameof(Rules))]
    public void Every_rule_learns_a_function_that_is_not_linear(string rule)
    {
        FeedbackAlignmentRegressionTrainer trainer = _mlContext.Regression.Trainers.FeedbackAlignment(rule: FeedbackRule.Parse(rule),
            network: NetworkDefinition.Mlp(32, 16), numberOfEpochs: 60);
        double own = _mlContext.Regression.CrossValidate(_data, trainer, 3, seed: 1).Average(fold => fold.Metrics.RSquared);
        // Of labels 3a − 2bc the linear part explains 3 of 3 + 4/9, or 0.871.
        Assert.True(own > 0.9, $"{rule}: {own}");
    }

    [Fact]
    public void Columns_and_annotations_are_those_of_ml_nets_trainers()
    {
        DataViewSchema expected = _mlContext.Regression.Trainers.OnlineGradientDescent().Fit(_data).Transform(_data).Schema,
            found = Fit().Transform(_data).Schema;
        Assert.Equal(expected.Select(column => (column.Name, column.Type)), found.Select(column => (column.Name, column.Type)));
        Assert.Equal(expected["Score"].Annotations.Schema.Select(column => column.Name).Order(),
            found["Score"].Annotations.Schema.Select(column => column.Name).Order());
        Assert.Equal(["Score"], _mlContext.Regression.Trainers.FeedbackAlignment().GetOutputSchema(Tables.ShapeOf(_data))
            .Select(column => column.Name).Except(Tables.ShapeOf(_data).Select(column => column.Name)));
    }

    /// <summary>Of labels a·y + b the predictions are a·p + b, as near as single precision holds such labels.</summary>
    [Theory, InlineData(1000f, 0f), InlineData(1e-6f, 0f), InlineData(1f, 5000f), InlineData(-20f, 300f)]
    public void Unit_and_level_of_the_label_do_not_matter(float unit, float level)
    {
        float[] plain = Scores(Fit().Transform(_data));
        IDataView other = View(x => unit * (3 * x[0] - 2 * x[1] * x[2] + 1) + level);
        float[] scores = Scores(Fit(other).Transform(other));
        if (unit > 0)
            Assert.All(plain.Zip(scores), pair => Assert.Equal(unit * (double)pair.First + level, pair.Second, Math.Abs(unit) * 0.02 + level * 1e-5));
        else // Another sign of the target is another training.
            Assert.True(Correlation(plain, scores) < -0.9);
    }

    [Fact]
    public void The_history_tells_how_far_off_predictions_are_in_the_labels_units()
    {
        FeedbackAlignmentRegressionTrainer.Options options = Options();
        options.ValidationFraction = 0.2;
        List<StepMetrics> steps = [];
        (options.StepCallback, options.DiagnosticsEverySteps) = (steps.Add, 1);
        IDataView data = View(x => 100 * x[0] + 7);
        FeedbackAlignmentRegressionTransformer model = Fit(data, options);
        EpochMetrics last = model.Model.History[^1];
        Assert.Null(last.Accuracy);
        Assert.Null(last.ValidationAccuracy);
        Assert.NotEmpty(steps);
        Assert.All(steps, step => Assert.Null(step.Accuracy));
        double measured = _mlContext.Regression.Evaluate(model.Transform(data)).RootMeanSquaredError;
        Assert.InRange(last.RootMeanSquaredError!.Value, measured / 2, measured * 2);
        Assert.InRange(last.ValidationRootMeanSquaredError!.Value, measured / 2, measured * 2);
        Assert.Equal(last.ValidationRootMeanSquaredError.Value, 100 / Math.Sqrt(3) * Math.Sqrt(2 * last.ValidationLoss!.Value),
            0.1 * last.ValidationRootMeanSquaredError.Value);
    }

    /// <summary>Models of before say that the accuracy of each epoch is not a number; models of now leave it out.</summary>
    [Fact]
    public void A_model_of_before_loads_and_has_no_accuracy()
    {
        using MemoryStream saved = new(), old = new();
        _mlContext.Model.Save(Fit(), _data.Schema, saved);
        using (ZipArchive zip = new(old, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in Persistence.ModelZip.Entries(saved.ToArray()))
            {
                string text = System.Text.Encoding.UTF8.GetString(content);
                Assert.DoesNotContain("\"accuracy\"", text, StringComparison.Ordinal);
                using Stream stream = zip.CreateEntry(name).Open();
                stream.Write(!name.EndsWith("model.json", StringComparison.Ordinal) ? content : System.Text.Encoding.UTF8.GetBytes(
                    text.Replace("\"epoch\":", "\"accuracy\": \"NaN\",\n\"epoch\":", StringComparison.Ordinal)));
            }
        }
        old.Position = 0;
        var loaded = (FeedbackAlignmentRegressionTransformer)new MLContext().Model.Load(old, out _);
        Assert.All(loaded.Model.History, epoch => Assert.Null(epoch.Accuracy));
        Assert.NotEmpty(loaded.Model.History);
    }

    [Fact]
    public void A_saved_model_predicts_the_same_and_knows_its_history()
    {
        FeedbackAlignmentRegressionTransformer model = Fit();
        string path = Path.Combine(_root.FullName, "model.zip");
        _mlContext.Model.Save(model, _data.Schema, path);
        FeedbackAlignmentRegressionTransformer loaded = (FeedbackAlignmentRegressionTransformer)new MLContext().Model.Load(path, out _);
        Assert.Equal(Scores(model.Transform(_data)), Scores(loaded.Transform(_data)));
        Assert.Equal(model.Model.History.Select(epoch => epoch.RootMeanSquaredError),
            loaded.Model.History.Select(epoch => epoch.RootMeanSquaredError));
        PredictionEngine<Row, Prediction> engine = _mlContext.Model.CreatePredictionEngine<Row, Prediction>(loaded);
        Row[] rows = [.. _mlContext.Data.CreateEnumerable<Row>(_data, reuseRowObject: false)];
        float[] scores = Scores(model.Transform(_data));
        for (int i = 0; i < 20; i++)
            Assert.Equal(scores[i], engine.Predict(rows[i]).Score);
        Assert.Equal(3, _mlContext.Regression.PermutationFeatureImportance(loaded, _data).Length);

        // It goes on in its own units, which those of the new data need not be.
        FeedbackAlignmentRegressionTransformer more = _mlContext.Regression.Trainers.FeedbackAlignment(Options()).Fit(_data, loaded.Model);
        Assert.True(more.Model.History[0].Loss < model.Model.History[0].Loss);
    }

    /// <summary>A constant is best that is the mean, the median or the logarithm's mean of labels that no feature explains.</summary>
    [Fact]
    public void Each_loss_learns_what_it_is_for()
    {
        float[] labels = [0, 0, 0, 1, 9];
        IDataView rows = View(_ => 0, row => row.Label = labels[row.Number % 5], constant: true);
        Assert.Equal(2, Constant(rows, RegressionLoss.Squared), 0.2);
        Assert.Equal(0, Constant(rows, RegressionLoss.Absolute), 0.2);
        Assert.Equal(2, Constant(rows, RegressionLoss.Poisson), 0.2);
        Assert.InRange(Constant(rows, RegressionLoss.Huber(0.5f)), 0.3, 1.9);
        IDataView counts = View(x => MathF.Round(MathF.Exp(2 * x[0])));
        Assert.All(Scores(Fit(counts, new() { Loss = RegressionLoss.Poisson }).Transform(counts)), score => Assert.True(score >= 0));
    }

    /// <summary>A network of images, whose scores come in batches, and one of the user's own.</summary>
    [Fact]
    public void Convolutional_and_custom_networks_predict_numbers_in_batches_and_one_by_one()
    {
        Random random = new(2);
        IDataView images = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 230).Select(i =>
        {
            float[] pixels = [.. Enumerable.Range(0, 64).Select(_ => random.NextSingle())];
            return new ImageRow { Features = pixels, Label = 500 + 100 * pixels.Take(32).Sum() };
        }).ToArray());
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(DropoutFactory).Assembly);
        foreach (NetworkDefinition network in new NetworkDefinition[]
        {
            NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(), new Layer.Dense()),
            NetworkDefinition.Custom("with dropout"),
        })
        {
            FeedbackAlignmentRegressionTrainer.Options options = new() { Network = network, NumberOfEpochs = 20, Seed = 1 };
            FeedbackAlignmentRegressionTransformer model = _mlContext.Regression.Trainers.FeedbackAlignment(options).Fit(images);
            string path = Path.Combine(_root.FullName, "images.zip");
            _mlContext.Model.Save(model, images.Schema, path);
            ITransformer loaded = _mlContext.Model.Load(path, out _);
            float[] batched = Scores(model.Transform(images));
            Assert.Equal(batched, Scores(loaded.Transform(images)));
            Assert.All(batched, score => Assert.InRange(score, 500, 5000));
            PredictionEngine<ImageRow, Prediction> engine = _mlContext.Model.CreatePredictionEngine<ImageRow, Prediction>(loaded);
            ImageRow[] rows = [.. _mlContext.Data.CreateEnumerable<ImageRow>(images, reuseRowObject: false)];
            for (int i = 0; i < 5; i++)
                Assert.Equal(batched[i], engine.Predict(rows[i]).Score, 0.5);
        }
    }

    [Fact]
    public void Interrupted_and_streamed_trainings_are_those_of_every_trainer()
    {
        float[] whole = Fit().Model.GetWeights()["dense1"].Values.ToArray();
        IReadOnlyList<EpochMetrics> history = Fit().Model.History;
        using CancellationTokenSource stop = new();
        FeedbackAlignmentRegressionTrainer.Options options = Options();
        (options.CheckpointFolder, options.CancellationToken) = (Path.Combine(_root.FullName, "state"), stop.Token);
        options.MetricsCallback = epoch =>
        {
            if (epoch.Epoch == 2)
                stop.Cancel();
        };
        Assert.Throws<OperationCanceledException>(() => Fit(options: options));
        (options.CancellationToken, options.MetricsCallback) = (default, null);
        FeedbackAlignmentRegressionModelParameters resumed = Fit(options: options).Model;
        Assert.Equal(whole, resumed.GetWeights()["dense1"].Values.ToArray());
        Assert.Equal(history.Select(epoch => epoch.RootMeanSquaredError), resumed.History.Select(epoch => epoch.RootMeanSquaredError));
        options.Loss = RegressionLoss.Absolute;
        Fails(() => Fit(options: options), "checkpoints of another training", "Absolute");

        options = Options();
        options.DataCaching = DataCaching.Streaming;
        double streamed = _mlContext.Regression.Evaluate(Fit(options: options).Transform(_data)).RSquared;
        Assert.True(streamed > 0.8, $"{streamed}");
    }

    [Fact]
    public void Mistakes_are_named_with_the_cure()
    {
        Fails(() => Fit(View(_ => 4)), "All 300 usable rows have the same label", "nothing to learn");
        Fails(() => Fit(View(_ => float.NaN)), "all 300 rows have a missing label");
        Fails(() => Fit(View(x => x[0] > 0 ? float.PositiveInfinity : 1)), "Label column 'Label', row ", "must be finite");
        Fails(() => Fit(_data, new() { Loss = RegressionLoss.Poisson }), "counts must be 0 or more", "another RegressionLoss");
        Fails(() => Fit(options: new() { EarlyStopping = new EarlyStopping { Metric = StoppingMetric.ValidationAccuracy } }),
            "Option EarlyStopping", "a regression has no accuracy");
        Fails(() => Fit(options: new() { Loss = null! }), "Option Loss", "RegressionLoss.Squared");
        Fails(() => RegressionLoss.Huber(0), "Argument delta");
        IDataView text = _mlContext.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.String).Fit(_data).Transform(_data);
        Fails(() => Fit(text), "Label column 'Label' must be Single; found String", "ConvertType");
        IDataView key = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(text).Transform(text);
        Fails(() => Fit(key), "must be Single", "multiclass");
        FeedbackAlignmentRegressionModelParameters numbers = Fit().Model;
        IDataView counts = View(x => x[0] > 0 ? 3 : 0);
        FeedbackAlignmentRegressionTrainer.Options poisson = Options();
        poisson.Loss = RegressionLoss.Poisson;
        Fails(() => _mlContext.Regression.Trainers.FeedbackAlignment(poisson).Fit(counts, numbers), "Option Loss", "predicts numbers");
        Fails(() => _mlContext.Regression.Trainers.FeedbackAlignment(Options()).Fit(counts, Fit(counts, poisson).Model), "Option Loss",
            "RegressionLoss.Poisson");
        // Missing labels are left out, as missing features are.
        IDataView some = View(x => x[0], row => row.Label = row.Number % 3 == 0 ? float.NaN : row.Label);
        Assert.True(_mlContext.Regression.Evaluate(Fit(some).Transform(_mlContext.Data.FilterRowsByMissingValues(some, "Label"))).RSquared > 0.8);
    }

    private static void Fails(Action action, params string[] parts)
    {
        Exception error = Assert.ThrowsAny<Exception>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private static double Correlation(float[] a, float[] b)
    {
        double meanA = a.Average(), meanB = b.Average();
        double Sum(Func<int, double> term) => Enumerable.Range(0, a.Length).Sum(term);
        return Sum(i => (a[i] - meanA) * (b[i] - meanB)) / Math.Sqrt(Sum(i => Math.Pow(a[i] - meanA, 2)) * Sum(i => Math.Pow(b[i] - meanB, 2)));
    }

    private static FeedbackAlignmentRegressionTrainer.Options Options() =>
        new() { Rule = FeedbackRule.DirectFeedbackAlignment, Network = NetworkDefinition.Mlp(16, 8), NumberOfEpochs = 30, Seed = 1 };

    private FeedbackAlignmentRegressionTransformer Fit(IDataView? data = null, FeedbackAlignmentRegressionTrainer.Options? options = null) =>
        _mlContext.Regression.Trainers.FeedbackAlignment(options ?? Options()).Fit(data ?? _data);

    private float Constant(IDataView rows, RegressionLoss loss) => Scores(Fit(rows, new()
    {
        Loss = loss,
        Network = NetworkDefinition.Mlp(),
        NumberOfEpochs = 200,
        Seed = 1,
        Optimizer = new OptimizerOptions.Adam { LearningRate = 0.02f },
    }).Transform(rows))[0];

    private IDataView View(Func<float[], float> function, Action<Row>? change = null, bool constant = false)
    {
        Random random = new(1);
        return _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 300).Select(i =>
        {
            float[] x = [.. Enumerable.Range(0, 3).Select(_ => constant ? 1 : random.NextSingle() * 2 - 1)];
            Row row = new() { Number = i, Features = x, Label = function(x) };
            change?.Invoke(row);
            return row;
        }).ToArray());
    }

    private static float[] Scores(IDataView scored) => [.. scored.GetColumn<float>("Score")];

    private sealed class Row
    {
        public int Number { get; set; }

        public float Label { get; set; }

        [VectorType(3)]
        public float[] Features { get; set; } = [];
    }

    private sealed class ImageRow
    {
        public float Label { get; set; }

        [VectorType(64)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Prediction
    {
        public float Score { get; set; }
    }
}
