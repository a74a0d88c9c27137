using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Robustness;

/// <summary>Attacks judge by the columns that the attacked model adds, whatever the data has under the same names.</summary>
public sealed class OwnColumnsTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _iris;

    public OwnColumnsTests() => _iris = Tables.Load(_mlContext, "iris");

    /// <summary>Noise of a millionth cannot fool anyone.</summary>
    [Theory]
    [InlineData("Score", false), InlineData("PredictedLabel", false), InlineData("Probability", false)]
    [InlineData("Score", true), InlineData("PredictedLabel", true)]
    public void Features_named_as_predictions_are_attacked_as_any(string name, bool others)
    {
        IEstimator<ITransformer> Trainer(string column) => others
            ? _mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: column)
            : _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                FeatureColumnName = column,
                NumberOfEpochs = 20,
                Seed = 1
            });
        RobustnessReport[] reports = [.. new[] { "Plain", name }.Select(column =>
        {
            ITransformer model = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.CopyColumns(column, "Features"))
                .Append(_mlContext.Transforms.NormalizeMeanVariance(column)).Append(Trainer(column)).Fit(_iris);
            IDataView examples = _mlContext.MulticlassClassification.CreateAdversarialExamples(model, _iris, Attack.Noise(1e-6f));
            Assert.DoesNotContain(true, examples.GetColumn<bool>("Fooled"));
            return _mlContext.MulticlassClassification.EvaluateRobustness(model, _iris, [Attack.Noise(1e-6f)]);
        })];
        Assert.True(reports[0].CleanAccuracy > 0.9, $"{reports[0]}");
        Assert.Equal(reports[0].CleanAccuracy, reports[1].CleanAccuracy);
        Assert.Equal(reports[1].CleanAccuracy, reports[1].Results[0].RobustAccuracy);
    }

    /// <summary>Labels that are dice: half of them are right, whatever the column is called. The models of others take such labels.</summary>
    [Theory, InlineData("Truth"), InlineData("PredictedLabel")]
    public void A_binary_label_named_as_a_prediction_is_the_datas(string name)
    {
        IDataView dice = Dice();
        ITransformer model = _mlContext.Transforms.CopyColumns(name, "Dice")
            .Append(_mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression(labelColumnName: name)).Fit(dice);
        RobustnessReport report = _mlContext.BinaryClassification.EvaluateRobustness(model, dice, [Attack.Noise(1e-6f)],
            new RobustnessOptions { LabelColumnName = name });
        Assert.InRange(report.CleanAccuracy, 0.4, 0.7);
    }

    [Fact]
    public void A_multiclass_label_named_as_a_prediction_is_the_datas()
    {
        IDataView dice = Dice();
        ITransformer model = _mlContext.Transforms.Conversion.MapValueToKey("PredictedLabel", "Dice")
            .Append(_mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(labelColumnName: "PredictedLabel"))
            // What comes after the model is not attacked, and hides the key of the model's.
            .Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(dice);
        RobustnessReport report = _mlContext.MulticlassClassification.EvaluateRobustness(model, dice, [Attack.Noise(1e-6f)],
            new RobustnessOptions { LabelColumnName = "PredictedLabel" });
        Assert.InRange(report.CleanAccuracy, 0.4, 0.7);
    }

    /// <summary>An earlier model's predictions, which are all right, are not those of a later one.</summary>
    [Fact]
    public void Predictions_that_lie_in_the_data_are_not_the_models()
    {
        IDataView dice = Dice();
        IDataView told = _mlContext.Transforms.CopyColumns("PredictedLabel", "Dice").Append(_mlContext.Transforms.CopyColumns("Score", "Number"))
            .Fit(dice).Transform(dice);
        ITransformer model = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(labelColumnName: "Dice", numberOfEpochs: 3).Fit(told);
        RobustnessReport report = _mlContext.BinaryClassification.EvaluateRobustness(model, told, [Attack.Fgsm(1e-6f)],
            new RobustnessOptions { LabelColumnName = "Dice" });
        Assert.Equal(_mlContext.BinaryClassification.Evaluate(model.Transform(told), "Dice").Accuracy, report.CleanAccuracy);
        Assert.True(report.CleanAccuracy < 0.7, $"{report}");
    }

    /// <summary>A transformer that gives no scores of its own hands the data's through: that is no model to attack.</summary>
    [Fact]
    public void Scores_that_only_pass_through_are_refused()
    {
        IDataView dice = Dice();
        IDataView told = _mlContext.Transforms.CopyColumns("Score", "Number").Fit(dice).Transform(dice);
        ITransformer none = _mlContext.Transforms.CopyColumns("Copy", "Features").Fit(told);
        ArgumentException failure = Assert.Throws<ArgumentException>(() => _mlContext.BinaryClassification.EvaluateRobustness(none, told,
            [Attack.Noise(0.1f)], new RobustnessOptions { LabelColumnName = "Dice", FeatureColumnName = "Features" }));
        Assert.Contains("gets a column 'Score' and gives one: whether that is the model's own cannot be told", failure.Message,
            StringComparison.Ordinal);
        Assert.Contains("CopyColumns", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A prediction is no label: without a column of that name in the data there is nothing to judge by.</summary>
    [Fact]
    public void The_models_own_prediction_is_not_taken_for_the_label()
    {
        IDataView dice = Dice();
        ITransformer model = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(labelColumnName: "Dice", numberOfEpochs: 1).Fit(dice);
        ArgumentException failure = Assert.Throws<ArgumentException>(() => _mlContext.BinaryClassification.EvaluateRobustness(model, dice,
            [Attack.Noise(0.1f)], new RobustnessOptions { LabelColumnName = "PredictedLabel" }));
        Assert.Contains("Label column 'PredictedLabel' not found", failure.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("Fooled"), InlineData("CleanFeatures")]
    public void A_label_that_the_examples_would_hide_is_refused(string name)
    {
        IDataView dice = Dice();
        IDataView named = _mlContext.Transforms.CopyColumns(name, "Dice").Fit(dice).Transform(dice);
        ITransformer model = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(labelColumnName: name, numberOfEpochs: 1).Fit(named);
        ArgumentException failure = Assert.Throws<ArgumentException>(() => _mlContext.BinaryClassification.CreateAdversarialExamples(model, named,
            Attack.Noise(0.1f), new RobustnessOptions { LabelColumnName = name }));
        Assert.Contains($"a column '{name}' that would hide the label", failure.Message, StringComparison.Ordinal);
    }

    private IDataView Dice()
    {
        Random random = new(2);
        return _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 200).Select(_ => new Row
        {
            Features = [random.NextSingle(), random.NextSingle()],
            Dice = random.Next(2) == 1,
            Number = random.NextSingle(),
        }).ToList());
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public bool Dice { get; set; }

        public float Number { get; set; }
    }
}
