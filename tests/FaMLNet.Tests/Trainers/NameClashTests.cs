using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Columns that bear the names of predictions: labels and weights are refused, everything else works.</summary>
public sealed class NameClashTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _rows;

    public NameClashTests()
    {
        Random random = new(1);
        _rows = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 60).Select(_ => new Row
        {
            Features = [random.NextSingle(), random.NextSingle()],
            Score = random.NextSingle(),
            Probability = random.NextSingle(),
            PredictedLabel = random.Next(2) == 1,
            Key = (uint)random.Next(3),
            Number = random.NextSingle(),
        }).ToList());
    }

    [Theory]
    [InlineData("Score")]
    public void A_regression_refuses_a_label_named_as_its_predictions(string name) =>
        Refused(name, "LabelColumnName", "Label", () => _mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: name));

    [Theory]
    [InlineData("Score", typeof(float)), InlineData("Probability", typeof(float)), InlineData("PredictedLabel", typeof(bool))]
    public void A_binary_trainer_refuses_weights_and_labels_named_as_its_predictions(string name, Type type)
    {
        if (type == typeof(bool))
            Refused(name, "LabelColumnName", "Label", () => _mlContext.BinaryClassification.Trainers.FeedbackAlignment(labelColumnName: name));
        else
            Refused(name, "ExampleWeightColumnName", "Example weight", () => _mlContext.BinaryClassification.Trainers.FeedbackAlignment(
                labelColumnName: "PredictedLabelOfOld", exampleWeightColumnName: name));
    }

    [Theory]
    [InlineData("Score"), InlineData("PredictedLabel")]
    public void A_multiclass_trainer_refuses_labels_named_as_its_predictions(string name)
    {
        IDataView keyed = _mlContext.Transforms.CopyColumns(name, "Key").Fit(_rows).Transform(_rows);
        var trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(labelColumnName: name, numberOfEpochs: 1);
        Says(name, "LabelColumnName", "Label", Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(keyed)));
    }

    /// <summary>Each trainer minds its own columns only: a regression has no probability.</summary>
    [Fact]
    public void Names_that_the_trainers_own_model_does_not_use_are_free()
    {
        var regression = _mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "Probability", numberOfEpochs: 2).Fit(_rows);
        Assert.True(_mlContext.Regression.Evaluate(regression.Transform(_rows), "Probability").RSquared < 0.5);
        IDataView keyed = _mlContext.Transforms.CopyColumns("Probability", "Key").Fit(_rows).Transform(_rows);
        var multiclass = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(labelColumnName: "Probability", numberOfEpochs: 2).Fit(keyed);
        Assert.True(_mlContext.MulticlassClassification.Evaluate(multiclass.Transform(keyed), "Probability").MicroAccuracy < 0.9);
    }

    [Fact]
    public void The_cure_that_is_named_works()
    {
        ITransformer model = _mlContext.Transforms.CopyColumns("ObservedScore", "Score")
            .Append(_mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "ObservedScore", numberOfEpochs: 5)).Fit(_rows);
        Assert.True(_mlContext.Regression.Evaluate(model.Transform(_rows), "ObservedScore").RSquared < 0.5, "labels are dice");
    }

    [Fact]
    public void A_clash_is_found_before_the_pipeline_is_fitted()
    {
        var pipeline = _mlContext.Transforms.NormalizeMeanVariance("Features")
            .Append(_mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "Score"));
        Assert.Throws<ArgumentOutOfRangeException>(() => pipeline.GetOutputSchema(Tables.ShapeOf(_rows)));
    }

    [Fact]
    public void The_label_is_no_weight()
    {
        var trainer = _mlContext.Regression.Trainers.FeedbackAlignment(labelColumnName: "Number", exampleWeightColumnName: "Number");
        ArgumentException failure = Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(_rows));
        Assert.Contains("Example weight column 'Number' is the label column, too", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>The features are read before the predictions hide them, by the trainer, the evaluators, a loaded model and single rows.</summary>
    [Theory, InlineData("Score"), InlineData("PredictedLabel"), InlineData("Probability")]
    public void Features_may_be_named_as_predictions(string name)
    {
        IDataView iris = Tables.Load(_mlContext, "iris");
        double[] accuracies = [.. new[] { "Plain", name }.Select(column =>
        {
            var pipeline = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.CopyColumns(column, "Features"))
                .Append(_mlContext.Transforms.DropColumns("Features"))
                .Append(_mlContext.Transforms.NormalizeMeanVariance(column))
                .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
                {
                    FeatureColumnName = column,
                    NumberOfEpochs = 20,
                    Seed = 1
                }));
            ITransformer model = pipeline.Fit(iris);
            using MemoryStream file = new();
            _mlContext.Model.Save(model, iris.Schema, file);
            file.Position = 0;
            IDataView scored = _mlContext.Model.Load(file, out _).Transform(iris);
            return _mlContext.MulticlassClassification.Evaluate(scored).MicroAccuracy;
        })];
        Assert.True(accuracies[0] > 0.9, $"{accuracies[0]}");
        Assert.Equal(accuracies[0], accuracies[1]);
    }

    /// <summary>Predictions of an earlier model in the data, for training and validation: the label is another column, so nothing clashes.</summary>
    [Fact]
    public void Predictions_of_an_earlier_model_may_lie_in_the_data()
    {
        IDataView iris = Tables.Load(_mlContext, "iris");
        IDataView prepared = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Fit(iris).Transform(iris);
        var trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick(epochs: 20));
        IDataView scored = trainer.Fit(prepared).Transform(prepared);
        var second = trainer.Fit(scored, scored);
        Assert.Equal(trainer.Fit(prepared, prepared).Model.History[^1].ValidationAccuracy, second.Model.History[^1].ValidationAccuracy);
        Assert.Equal(second.Model.History[^1].ValidationAccuracy,
            _mlContext.MulticlassClassification.Evaluate(second.Transform(scored)).MicroAccuracy);
    }

    private void Refused<TTransformer>(string name, string option, string role, Func<IEstimator<TTransformer>> make)
        where TTransformer : ITransformer
    {
        IEstimator<TTransformer> trainer = make();
        IDataView rows = _mlContext.Transforms.CopyColumns("PredictedLabelOfOld", "PredictedLabel").Fit(_rows).Transform(_rows);
        Says(name, option, role, Assert.Throws<ArgumentOutOfRangeException>(() => trainer.Fit(rows)));
        Says(name, option, role, Assert.Throws<ArgumentOutOfRangeException>(() => trainer.GetOutputSchema(Tables.ShapeOf(rows))));
    }

    private static void Says(string name, string option, string role, ArgumentException failure)
    {
        Assert.Contains($"{role} column '{name}' has the name of a column of predictions", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"CopyColumns(\"Observed{name}\", \"{name}\")", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"set {option} to", failure.Message, StringComparison.Ordinal);
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public float Score { get; set; }

        public float Probability { get; set; }

        public bool PredictedLabel { get; set; }

        [KeyType(3)]
        public uint Key { get; set; }

        public float Number { get; set; }
    }
}
