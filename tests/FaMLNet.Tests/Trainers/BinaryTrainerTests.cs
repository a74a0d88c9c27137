using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>The binary trainer does what ML.NET's own calibrated trainers do.</summary>
public sealed class BinaryTrainerTests : IDisposable
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-binary");
    private readonly IDataView _data;

    public BinaryTrainerTests()
    {
        IDataView table = Tables.Load(_mlContext, "breast-cancer");
        _data = _mlContext.Transforms.Conversion.MapValue("Label", new Dictionary<string, bool> { ["malignant"] = true, ["benign"] = false })
            .Append(_mlContext.Transforms.NormalizeMeanVariance("Features")).Fit(table).Transform(table);
    }

    public void Dispose() => _root.Delete(recursive: true);

    public static TheoryData<string> Rules => [.. Feedback.Rules.Six.Select(rule => rule.ShortName)];

    [Theory, MemberData(nameof(Rules))]
    public void Every_rule_classifies_the_table_with_its_defaults(string rule)
    {
        FeedbackAlignmentBinaryTrainer trainer = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(rule: FeedbackRule.Parse(rule),
            numberOfEpochs: 20);
        double area = _mlContext.BinaryClassification.CrossValidate(_data, trainer, 3, seed: 1).Average(fold => fold.Metrics.AreaUnderRocCurve);
        Assert.True(area > 0.985, $"{rule}: {area}");
    }

    [Fact]
    public void Columns_and_annotations_are_those_of_ml_nets_calibrated_trainers_before_and_after_fitting()
    {
        DataViewSchema expected = _mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression().Fit(_data).Transform(_data).Schema;
        DataViewSchema found = Fit().Transform(_data).Schema;
        foreach (string name in new[] { "Score", "Probability", "PredictedLabel" })
        {
            Assert.Equal(expected[name].Type, found[name].Type);
            Assert.Equal(expected[name].Annotations.Schema.Select(column => (column.Name, column.Type)).Order(),
                found[name].Annotations.Schema.Select(column => (column.Name, column.Type)).Order());
        }
        SchemaShape before = Tables.ShapeOf(_data);
        Assert.Equal(Describe(_mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression().GetOutputSchema(before)),
            Describe(_mlContext.BinaryClassification.Trainers.FeedbackAlignment().GetOutputSchema(before)));
    }

    [Fact]
    public void Probability_is_the_logistic_function_of_the_score_and_evaluators_take_it()
    {
        IDataView scored = Fit().Transform(_data);
        foreach (Scored row in Rows(scored))
        {
            Assert.Equal(1 / (1 + Math.Exp(-row.Score)), row.Probability, 1e-6);
            Assert.Equal(row.Score > 0, row.PredictedLabel);
        }
        CalibratedBinaryClassificationMetrics metrics = _mlContext.BinaryClassification.Evaluate(scored);
        Assert.True(metrics.Accuracy > 0.93 && metrics.LogLoss < 0.3, $"{metrics.Accuracy}, {metrics.LogLoss}");
        Assert.Equal(metrics.AreaUnderRocCurve, _mlContext.BinaryClassification.EvaluateNonCalibrated(scored).AreaUnderRocCurve, 1e-9);
        Assert.Equal(metrics.Accuracy, Fit().Model.History[^1].Accuracy!.Value, 0.03);
    }

    [Fact]
    public void A_threshold_moves_the_predicted_label_and_nothing_else_and_is_saved()
    {
        FeedbackAlignmentBinaryTransformer model = Fit();
        FeedbackAlignmentBinaryTransformer careful = _mlContext.BinaryClassification.ChangeModelThreshold(model, 2.5f);
        Assert.Equal(Rows(model.Transform(_data)).Select(row => row.Score), Rows(careful.Transform(_data)).Select(row => row.Score));
        Assert.All(Rows(careful.Transform(_data)), row => Assert.Equal(row.Score > 2.5f, row.PredictedLabel));
        FeedbackAlignmentBinaryTransformer loaded = (FeedbackAlignmentBinaryTransformer)Reload(careful);
        Assert.Equal(2.5f, loaded.Threshold);
        Assert.Equal(Rows(careful.Transform(_data)), Rows(loaded.Transform(_data)));
        Assert.Contains("finite", Assert.Throws<ArgumentOutOfRangeException>(() =>
            _mlContext.BinaryClassification.ChangeModelThreshold(model, float.NaN)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_saved_model_predicts_the_same_elsewhere_row_by_row_too()
    {
        FeedbackAlignmentBinaryTransformer model = Fit();
        ITransformer loaded = Reload(model);
        Assert.Equal(Rows(model.Transform(_data)), Rows(loaded.Transform(_data)));
        PredictionEngine<Row, Scored> engine = new MLContext().Model.CreatePredictionEngine<Row, Scored>(loaded);
        Scored[] expected = Rows(model.Transform(_data));
        Row[] rows = [.. _mlContext.Data.CreateEnumerable<Row>(_data, reuseRowObject: false)];
        for (int i = 0; i < 20; i++)
            Assert.Equal(expected[i].Score, engine.Predict(rows[i]).Score);
        FeedbackAlignmentBinaryModelParameters parameters = ((FeedbackAlignmentBinaryTransformer)loaded).Model;
        Assert.Equal("dfa", parameters.Rule.ShortName);
        Assert.Equal([1, 8], parameters.GetWeights()["dense3"].Shape);
        Assert.Equal([1, 8], parameters.GetFeedbackWeights()["dense3"].Shape);
        Assert.Equal(12, parameters.History.Count);
    }

    [Fact]
    public void Feature_importance_one_versus_all_and_pairwise_coupling_work_around_it()
    {
        FeedbackAlignmentBinaryTransformer model = Fit();
        Assert.Equal(30, _mlContext.BinaryClassification.PermutationFeatureImportance(model, _data).Length);

        IDataView table = Tables.Load(_mlContext, "iris");
        FeedbackAlignmentBinaryTrainer trainer = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(numberOfEpochs: 30);
        var before = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMeanVariance("Features"));
        foreach (IEstimator<ITransformer> meta in new IEstimator<ITransformer>[]
        {
            _mlContext.MulticlassClassification.Trainers.OneVersusAll(trainer),
            _mlContext.MulticlassClassification.Trainers.PairwiseCoupling(trainer),
        })
        {
            ITransformer fitted = before.Append(meta).Fit(table);
            double accuracy = _mlContext.MulticlassClassification.Evaluate(fitted.Transform(table)).MicroAccuracy;
            Assert.True(accuracy > 0.9, $"{meta.GetType().Name}: {accuracy}");
            Assert.Equal(accuracy, _mlContext.MulticlassClassification.Evaluate(Reload(fitted, table.Schema).Transform(table)).MicroAccuracy);
        }
    }

    /// <summary>One row in ten true, and the features tell nothing: the probability is the share, weighted as was asked.</summary>
    [Fact]
    public void Class_and_example_weights_move_the_probability_to_the_weighted_share()
    {
        IDataView rows = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 200)
            .Select(i => new WeightedRow { Label = i % 10 == 0, Features = [1, 1], Weight = i % 10 == 0 ? 3 : 1 }),
            SchemaDefinition.Create(typeof(WeightedRow)).Sized(2));
        Assert.Equal(0.1, Probability(rows, options => { }), 0.02);
        Assert.Equal(0.5, Probability(rows, options => options.ClassWeights = ClassWeights.Balanced), 0.02);
        Assert.Equal(0.25, Probability(rows, options => options.ClassWeights = ClassWeights.Explicit(1, 3)), 0.02);
        Assert.Equal(0.25, Probability(rows, options => options.ExampleWeightColumnName = "Weight"), 0.02);
        Assert.Contains("2 classes", Assert.Throws<ArgumentException>(() =>
            Probability(rows, options => options.ClassWeights = ClassWeights.Explicit(1, 2, 3))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validation_streaming_and_interrupted_trainings_are_those_of_every_trainer()
    {
        FeedbackAlignmentBinaryTrainer.Options options = Options();
        (options.ValidationFraction, options.EarlyStopping, options.NumberOfEpochs) = (0.2, new EarlyStopping { Patience = 3 }, 60);
        FeedbackAlignmentBinaryModelParameters stopped = Fit(options).Model;
        Assert.All(stopped.History, epoch => Assert.True(epoch.ValidationAccuracy is > 0.5 and <= 1 && epoch.ValidationLoss > 0));
        Assert.True(stopped.History.Count < 60, "early stopping");

        options = Options();
        options.DataCaching = DataCaching.Streaming;
        Assert.True(Fit(options).Model.History[^1].Accuracy > 0.9);

        float[] whole = Fit(Options()).Model.GetWeights()["dense1"].Values.ToArray();
        using CancellationTokenSource stop = new();
        options = Options();
        (options.CheckpointFolder, options.CancellationToken) = (Path.Combine(_root.FullName, "state"), stop.Token);
        options.MetricsCallback = epoch =>
        {
            if (epoch.Epoch == 2)
                stop.Cancel();
        };
        Assert.Throws<OperationCanceledException>(() => Fit(options));
        (options.CancellationToken, options.MetricsCallback) = (default, null);
        Assert.Equal(whole, Fit(options).Model.GetWeights()["dense1"].Values.ToArray());

        // A model goes on from where it is; one of another task cannot be handed in at all.
        FeedbackAlignmentBinaryTransformer first = Fit(), second = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(Options())
            .Fit(_data, first.Model);
        Assert.True(second.Model.History[0].Loss < first.Model.History[0].Loss);
    }

    [Fact]
    public void Images_are_scored_in_batches_by_fitted_and_loaded_models_as_row_by_row()
    {
        IDataView images = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 230).Select(i => new Row
        {
            Label = i % 2 == 0,
            Features = [.. Enumerable.Range(0, 64).Select(p => (i % 2 == 0) == (p % 8 < 4) ? 1f - i % 7 / 10f : 0)],
        }), SchemaDefinition.Create(typeof(Row)).Sized(64));
        FeedbackAlignmentBinaryTrainer.Options options = new()
        {
            Network = NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
                new Layer.Dense()),
            NumberOfEpochs = 3,
            Seed = 1,
        };
        ITransformer model = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(options).Fit(images), loaded = Reload(model, images.Schema);
        Scored[] batched = Rows(model.Transform(images));
        Assert.Equal(batched, Rows(loaded.Transform(images)));
        Assert.True(batched.Where((row, i) => row.PredictedLabel == (i % 2 == 0)).Count() > 200);
        PredictionEngine<Row, Scored> engine = _mlContext.Model.CreatePredictionEngine<Row, Scored>(loaded, inputSchemaDefinition:
            SchemaDefinition.Create(typeof(Row)).Sized(64));
        Row[] rows = [.. _mlContext.Data.CreateEnumerable<Row>(images, reuseRowObject: false)];
        for (int i = 0; i < 10; i++)
        {
            Scored one = engine.Predict(rows[i]);
            Assert.Equal(batched[i].Score, one.Score, 1e-4);
            Assert.Equal(batched[i].Probability, one.Probability, 1e-4);
        }
    }

    [Fact]
    public void Mistakes_are_named_with_the_cure()
    {
        IDataView table = Tables.Load(_mlContext, "breast-cancer");
        Fails(() => Trainer("Label").Fit(table), "Label column 'Label' must be Boolean; found String", "MapValue(\"Label\"");
        IDataView keyed = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(table).Transform(table);
        Fails(() => Trainer("Label").Fit(keyed), "must be Boolean", "multiclass");
        Fails(() => Trainer("Features").Fit(_data), "Label column 'Features' must be Boolean", "one label a row");
        IDataView numbers = _mlContext.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.Single).Fit(_data).Transform(_data);
        Fails(() => Trainer("Label").Fit(numbers), "must be Boolean; found Single", "DataKind.Boolean");
        Fails(() => Trainer("Label").Fit(_mlContext.Data.FilterByCustomPredicate<Row>(_data, row => row.Label)), "have the label false",
            "both are needed");
        Assert.Equal("LabelColumnName", Assert.Throws<ArgumentOutOfRangeException>(() => Trainer("Lable").Fit(_data)).ParamName);
    }

    private static void Fails(Action action, params string[] parts)
    {
        Exception error = Assert.ThrowsAny<Exception>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Describe(SchemaShape schema) => schema.Where(column => column.Name is "Score" or "Probability"
        or "PredictedLabel").Select(column => $"{column.Name} {column.Kind} {column.ItemType} {column.IsKey} "
        + string.Join(", ", column.Annotations.Select(annotation => $"{annotation.Name} {annotation.ItemType}").Order())).Order();

    private static FeedbackAlignmentBinaryTrainer.Options Options() =>
        new() { Rule = FeedbackRule.DirectFeedbackAlignment, Network = NetworkDefinition.Mlp(16, 8), NumberOfEpochs = 12, Seed = 1 };

    private FeedbackAlignmentBinaryTrainer Trainer(string label) =>
        _mlContext.BinaryClassification.Trainers.FeedbackAlignment(label, numberOfEpochs: 1);

    private FeedbackAlignmentBinaryTransformer Fit(FeedbackAlignmentBinaryTrainer.Options? options = null) =>
        _mlContext.BinaryClassification.Trainers.FeedbackAlignment(options ?? Options()).Fit(_data);

    private float Probability(IDataView rows, Action<FeedbackAlignmentBinaryTrainer.Options> change)
    {
        FeedbackAlignmentBinaryTrainer.Options options = new()
        {
            Network = NetworkDefinition.Mlp(4),
            NumberOfEpochs = 150,
            Seed = 1,
            Optimizer = new OptimizerOptions.Adam { LearningRate = 0.02f }
        };
        change(options);
        return Rows(_mlContext.BinaryClassification.Trainers.FeedbackAlignment(options).Fit(rows).Transform(rows))[0].Probability;
    }

    private Scored[] Rows(IDataView scored) => [.. _mlContext.Data.CreateEnumerable<Scored>(scored, reuseRowObject: false)];

    private ITransformer Reload(ITransformer model, DataViewSchema? schema = null)
    {
        string path = Path.Combine(_root.FullName, "model.zip");
        _mlContext.Model.Save(model, schema ?? _data.Schema, path);
        return new MLContext().Model.Load(path, out _);
    }

    private class Row
    {
        public bool Label { get; set; }

        [VectorType(30)]
        public float[] Features { get; set; } = [];
    }

    private sealed class WeightedRow : Row
    {
        public float Weight { get; set; } = 1;
    }

    private sealed record Scored
    {
        public float Score { get; set; }

        public float Probability { get; set; }

        public bool PredictedLabel { get; set; }
    }
}

/// <summary>Row classes whose vectors are of another size than they say.</summary>
internal static class SizedRows
{
    public static SchemaDefinition Sized(this SchemaDefinition definition, int features)
    {
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
        return definition;
    }
}
