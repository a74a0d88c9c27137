using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Evaluation;

/// <summary>Metrics of several numbers and of several labels. Constants are those that scikit-learn 1.2.1 gives.</summary>
public sealed class VectorEvaluationTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    private static readonly NumberRow[] Numbers =
    [
        new() { Label = [1, 10], Score = [1.5f, 12] }, new() { Label = [2, 20], Score = [2, 18] },
        new() { Label = [4, 25], Score = [3, 25] }, new() { Label = [8, 5], Score = [9, 11] },
    ];

    private static readonly LabelRow[] Labels =
    [
        Row([true, false, true, false], [2, -1, 0.5f, -3]), Row([false, true, false, false], [0.25f, 1, -2, -1]),
        Row([true, true, false, false], [-0.5f, 0.5f, 0.5f, -2]), Row([false, false, true, false], [-1, -0.25f, 3, 0.5f]),
        Row([true, false, false, false], [0.25f, -2, -1, -1]), Row([false, true, true, false], [-0.5f, 2, -0.75f, -4]),
    ];

    [Fact]
    public void Metrics_of_numbers_are_those_of_scikit_learn()
    {
        VectorRegressionMetrics metrics = _mlContext.Regression.EvaluateVector(View(Numbers));
        Assert.Equal([0.75, 3.31662479], metrics.Outputs.Select(output => Math.Round(output.RootMeanSquaredError, 8)));
        Assert.Equal([0.625, 2.5], metrics.Outputs.Select(output => output.MeanAbsoluteError));
        Assert.Equal([0.92173913, 0.824], metrics.Outputs.Select(output => Math.Round(output.RSquared, 8)));
        Assert.Equal(0.8728695652173913, metrics.RSquared, 1e-12);
        Assert.Equal((0.75 + 3.31662479) / 2, metrics.RootMeanSquaredError, 1e-8);
        Assert.Equal((0.625 + 2.5) / 2, metrics.MeanAbsoluteError, 1e-12);
        Assert.All(metrics.Outputs, output => Assert.Equal((4, 0, null), (output.NumberOfTargets, output.NumberOfMissingScores, output.Name)));
    }

    [Fact]
    public void Numbers_that_are_not_known_are_left_out_each_for_itself()
    {
        VectorRegressionMetrics metrics = _mlContext.Regression.EvaluateVector(View(
        [
            .. Numbers, new NumberRow { Label = [float.NaN, 10], Score = [100, 12] },
            new NumberRow { Label = [7, float.NaN], Score = [float.NaN, 1] },
        ]));
        Assert.Equal(0.75, metrics.Outputs[0].RootMeanSquaredError, 1e-12);
        Assert.Equal([4, 5], metrics.Outputs.Select(output => output.NumberOfTargets));
        Assert.Equal([1, 0], metrics.Outputs.Select(output => output.NumberOfMissingScores));
    }

    [Fact]
    public void The_mean_of_r_squared_leaves_out_what_has_none()
    {
        VectorRegressionMetrics metrics = _mlContext.Regression.EvaluateVector(View(
            [new NumberRow { Label = [1, 3], Score = [1, 2] }, new NumberRow { Label = [2, 3], Score = [2, 4] }]));
        Assert.Equal((1, double.NaN), (metrics.Outputs[0].RSquared, metrics.Outputs[1].RSquared));
        Assert.Equal(1, metrics.RSquared);
    }

    [Fact]
    public void Metrics_of_labels_are_those_of_scikit_learn()
    {
        MultiLabelMetrics metrics = _mlContext.MulticlassClassification.EvaluateMultiLabel(View(Labels));
        Assert.Equal(0.7368421052631577, metrics.MicroF1, 1e-12);
        Assert.Equal(0.3333333333333333, metrics.SubsetAccuracy, 1e-12);
        Assert.Equal(0.20833333333333334, metrics.HammingLoss, 1e-12);
        // Of the three labels that are true somewhere.
        Assert.Equal(0.7777777777777777, metrics.MacroF1, 1e-12);
        Assert.Equal((0.7555555555555555 + 1 + 0.8055555555555556) / 3, metrics.MeanAveragePrecision, 1e-12);
        Assert.Equal((1, 6, 0), (metrics.NumberOfLabelsLeftOut, metrics.NumberOfRows, metrics.NumberOfMissingScores));
        double[] precision = [0.6666666666666666, 1, 0.6666666666666666, 0], ranked = [0.7555555555555555, 1, 0.8055555555555556, double.NaN];
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(precision[i], metrics.Labels[i].Precision, 1e-12);
            Assert.Equal(i == 3 ? double.NaN : precision[i], metrics.Labels[i].Recall, 1e-12);
            Assert.Equal(precision[i], metrics.Labels[i].F1, 1e-12);
            Assert.Equal(ranked[i], metrics.Labels[i].AveragePrecision, 1e-12);
        }
    }

    [Fact]
    public void Rows_without_scores_are_left_out_and_counted()
    {
        MultiLabelMetrics metrics = _mlContext.MulticlassClassification.EvaluateMultiLabel(View(
            [.. Labels, Row([true, true, true, true], [float.NaN, 1, 1, 1])]));
        Assert.Equal(0.7368421052631577, metrics.MicroF1, 1e-12);
        Assert.Equal((6, 1), (metrics.NumberOfRows, metrics.NumberOfMissingScores));
    }

    [Fact]
    public void A_trained_pipeline_is_evaluated_by_its_columns_and_their_names()
    {
        IDataView named = _mlContext.Transforms.Concatenate("Features", "Label").Append(_mlContext.Transforms.Concatenate("Label", "a", "b"))
            .Append(_mlContext.Transforms.DropColumns("Score")).Fit(View(Numbers)).Transform(View(Numbers));
        ITransformer model = _mlContext.Regression.Trainers.FeedbackAlignmentVector(network: NetworkDefinition.Mlp(4)).Fit(named);
        Assert.Equal(["a", "b"], _mlContext.Regression.EvaluateVector(model.Transform(named)).Outputs.Select(output => output.Name));
    }

    [Fact]
    public void Columns_that_do_not_fit_are_named_with_the_cure()
    {
        IDataView numbers = View(Numbers), labels = View(Labels);
        Fails(() => _mlContext.Regression.EvaluateVector(numbers, scoreColumnName: "Scores"), "Argument scoreColumnName", "no column 'Scores'",
            "'Label'");
        Fails(() => _mlContext.Regression.EvaluateVector(labels),
            "column 'Label' must be a vector of Single of known size; found Vector<Boolean, 4>");
        Fails(() => _mlContext.Regression.EvaluateVector(numbers, "a"), "column 'a' must be a vector of Single of known size; found Single");
        Fails(() => _mlContext.MulticlassClassification.EvaluateMultiLabel(numbers), "must be a vector of Boolean");
        IDataView wide = _mlContext.Transforms.Concatenate("Score", "Score", "Score").Fit(numbers).Transform(numbers);
        Fails(() => _mlContext.Regression.EvaluateVector(wide), "column 'Score' has 4 values per row, but the label column 'Label' has 2");
        InvalidOperationException empty = Assert.Throws<InvalidOperationException>(() => _mlContext.Regression.EvaluateVector(View<NumberRow>([])));
        Assert.Contains("no row", empty.Message, StringComparison.Ordinal);

        static void Fails(Action action, params string[] parts)
        {
            ArgumentException error = Assert.Throws<ArgumentException>(action);
            Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        }
    }

    private static LabelRow Row(bool[] label, float[] score) =>
        new() { Label = label, Score = score, PredictedLabel = [.. score.Select(x => x > 0)] };

    private IDataView View<T>(IEnumerable<T> rows) where T : class => _mlContext.Data.LoadFromEnumerable(rows);

    private sealed class NumberRow
    {
        [VectorType(2)]
        public float[] Label { get; set; } = [];

        [VectorType(2)]
        public float[] Score { get; set; } = [];

        public float a => Label[0];

        public float b => Label[1];
    }

    private sealed class LabelRow
    {
        [VectorType(4)]
        public bool[] Label { get; set; } = [];

        [VectorType(4)]
        public float[] Score { get; set; } = [];

        [VectorType(4)]
        public bool[] PredictedLabel { get; set; } = [];
    }
}
