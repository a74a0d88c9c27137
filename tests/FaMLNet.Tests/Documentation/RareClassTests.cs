using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Documentation;

/// <summary>What docs/imbalance.md says, done: a rare yes, a threshold, weights and a calibrator.</summary>
public sealed class RareClassTests
{
    [Fact]
    public void A_chosen_threshold_finds_more_of_a_rare_class_and_a_calibrator_lowers_the_loss()
    {
        MLContext mlContext = new(seed: 1);
        int eights = 0;
        string[][] lines = [.. File.ReadLines(Tables.PathOf("digits")).Skip(1).Select(line => line.Split(','))
            .Where(cells => cells[64] != "8" || eights++ % 3 == 0)];
        Row[] rows = [.. lines.Select(cells => new Row
        {
            Features = [.. cells.Take(64).Select(cell => float.Parse(cell, System.Globalization.CultureInfo.InvariantCulture))],
            Label = cells[64] == "8",
        })];
        IDataView Part(int rest) => mlContext.Data.LoadFromEnumerable(rows.Where((_, i) => i % 3 == rest));
        IDataView train = Part(0), held = Part(1), test = Part(2);
        var trainer = mlContext.BinaryClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentBinaryTrainer.Options { ClassWeights = ClassWeights.Balanced });
        double weighed = Recall(mlContext.Transforms.NormalizeMinMax("Features").Append(trainer).Fit(train).Transform(test));
        var pipeline = mlContext.Transforms.NormalizeMinMax("Features")
            .Append(mlContext.BinaryClassification.Trainers.FeedbackAlignment());

        var model = pipeline.Fit(train);
        float threshold = BestThreshold(model.Transform(held)); // the score with the best F1, on rows that have not trained
        var moved = mlContext.BinaryClassification.ChangeModelThreshold(model.LastTransformer, threshold);

        double plain = Recall(model.Transform(test)), chosen = Recall(moved.Transform(model.First().Transform(test)));
        Assert.True(threshold < 0, $"threshold {threshold}");
        Assert.True(chosen > plain, $"recall {plain:P0}, by the threshold {chosen:P0}");
        Assert.True(weighed >= plain, $"recall {plain:P0}, weighed {weighed:P0}");

        var calibrator = mlContext.BinaryClassification.Calibrators.Platt().Fit(model.Transform(held));
        var probabilities = calibrator.Transform(model.Transform(test)); // its Probability column

        Assert.True(LogLoss(probabilities) < LogLoss(model.Transform(test)));
    }

    private static float BestThreshold(IDataView scored)
    {
        (float Score, bool IsTrue)[] sorted = [.. scored.GetColumn<float>("Score").Zip(scored.GetColumn<bool>("Label")).OrderByDescending(pair =>
            pair.First)];
        int all = sorted.Count(row => row.IsTrue);
        int best = Enumerable.Range(1, sorted.Length - 1).MaxBy(count => 2.0 * sorted.Take(count).Count(row => row.IsTrue) / (count + all));
        return (sorted[best - 1].Score + sorted[best].Score) / 2;
    }

    private static double Recall(IDataView predicted)
    {
        (bool Said, bool IsTrue)[] rows = [.. predicted.GetColumn<bool>("PredictedLabel").Zip(predicted.GetColumn<bool>("Label"))];
        return rows.Count(row => row.Said && row.IsTrue) / (double)rows.Count(row => row.IsTrue);
    }

    private static double LogLoss(IDataView scored) => scored.GetColumn<float>("Probability").Zip(scored.GetColumn<bool>("Label"),
        (p, y) => -Math.Log(Math.Max(y ? p : 1 - p, 1e-15))).Average();

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }
}
