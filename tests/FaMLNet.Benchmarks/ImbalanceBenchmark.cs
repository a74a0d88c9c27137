using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet.Benchmarks;

/// <summary>
/// A rare yes: is a digit an eight, where two eights of three are left out. What class weights, a threshold chosen on other rows and a calibrator do.
/// </summary>
internal static class ImbalanceBenchmark
{
    private const int Folds = 5;

    /// <param name="path">digits.csv.</param>
    /// <param name="seeds">Runs of the cross-validation.</param>
    public static void Run(string path, int seeds)
    {
        Row[] rows = [.. File.ReadLines(path).Skip(1).Select(Row.Parse)];
        int eights = 0;
        rows = [.. rows.Where(row => !row.Label || eights++ % 3 == 0)];
        Console.WriteLine($"{rows.Length} rows, {rows.Count(row => row.Label)} of them eights");
        Console.WriteLine("| rule | class weights | threshold | accuracy, % | recall, % | precision, % | F1, % | AUC | AUPRC | log-loss, bits "
            + "| Brier | calibrated log-loss | calibrated Brier |");
        foreach (FeedbackRule rule in new[] { FeedbackRule.Backpropagation, FeedbackRule.FeedbackAlignment, FeedbackRule.DirectFeedbackAlignment })
        {
            foreach (ClassWeights? weights in new[] { null, ClassWeights.Balanced })
                Run(rows, rule, weights, seeds);
        }
    }

    private static void Run(Row[] rows, FeedbackRule rule, ClassWeights? weights, int seeds)
    {
        List<double[]> half = [], chosen = [];
        for (int seed = 1; seed <= seeds; seed++)
        {
            MLContext mlContext = new(seed);
            RandomGenerator random = new(seed, "folds");
            int[] order = [.. Enumerable.Range(0, rows.Length)];
            random.Shuffle(order);
            for (int fold = 0; fold < Folds; fold++)
            {
                // Of five parts three train, one chooses the threshold and calibrates, one tests.
                Row[] Part(Func<int, bool> takes) => [.. order.Where((_, i) => takes((i + fold) % Folds)).Select(i => rows[i])];
                IDataView train = mlContext.Data.LoadFromEnumerable(Part(part => part < 3)), other = mlContext.Data.LoadFromEnumerable(
                    Part(part => part == 3)), test = mlContext.Data.LoadFromEnumerable(Part(part => part == 4));
                var model = mlContext.Transforms.NormalizeMinMax("Features")
                    .Append(mlContext.BinaryClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentBinaryTrainer.Options
                    {
                        Rule = rule,
                        ClassWeights = weights,
                        Seed = seed,
                    })).Fit(train);
                IDataView scored = model.Transform(test), held = model.Transform(other);
                ITransformer calibrator = mlContext.BinaryClassification.Calibrators.Platt().Fit(held);
                double[] calibrated = [.. calibrator.Transform(scored).GetColumn<float>("Probability").Select(p => (double)p)];
                bool[] truth = [.. test.GetColumn<bool>("Label")];
                double[] probability = [.. scored.GetColumn<float>("Probability").Select(p => (double)p)];
                CalibratedBinaryClassificationMetrics metrics = mlContext.BinaryClassification.Evaluate(scored);
                float best = BestThreshold([.. held.GetColumn<float>("Score")], [.. other.GetColumn<bool>("Label")]);
                // By hand: ML.NET's evaluators count from the score at 0, whatever threshold a model has and whatever it has predicted.
                bool[] predicted = [.. new TransformerChain<ITransformer>(model.First(), mlContext.BinaryClassification.ChangeModelThreshold(
                    model.LastTransformer, best)).Transform(test).GetColumn<bool>("PredictedLabel")];
                double[] shared = [metrics.AreaUnderRocCurve, metrics.AreaUnderPrecisionRecallCurve, LogLoss(probability, truth),
                    Brier(probability, truth), LogLoss(calibrated, truth), Brier(calibrated, truth)];
                half.Add([metrics.Accuracy, metrics.PositiveRecall, metrics.PositivePrecision, metrics.F1Score, .. shared]);
                chosen.Add([.. Counted(predicted, truth), .. shared]);
            }
        }
        foreach ((string name, List<double[]> all) in new[] { ("0.5", half), ("chosen", chosen) })
        {
            // A fold in which nothing is called an eight has no precision: it counts as 0.
            double[] mean = [.. Enumerable.Range(0, all[0].Length).Select(i => all.Average(values => double.IsNaN(values[i]) ? 0 : values[i]))];
            Console.WriteLine($"| {rule.ShortName} | {(weights == null ? "none" : "balanced")} | {name} | " + string.Join(" | ", mean.Select(
                (value, i) => (i < 4 ? 100 * value : value).ToString(i < 4 ? "F1" : "F3", CultureInfo.InvariantCulture))) + " |");
        }
    }

    private static double[] Counted(bool[] predicted, bool[] truth)
    {
        int right = predicted.Zip(truth).Count(pair => pair.First && pair.Second), called = predicted.Count(value => value),
            all = truth.Count(value => value);
        return [predicted.Zip(truth).Count(pair => pair.First == pair.Second) / (double)truth.Length, (double)right / all,
            called == 0 ? 0 : (double)right / called, 2.0 * right / (called + all)];
    }

    /// <summary>The threshold on the score with the best F1.</summary>
    private static float BestThreshold(float[] scores, bool[] truth)
    {
        (float Score, bool IsTrue)[] sorted = [.. scores.Zip(truth).OrderByDescending(pair => pair.First)];
        int all = truth.Count(value => value), right = 0;
        (double F1, float Threshold) best = (0, 0);
        for (int i = 0; i < sorted.Length - 1; i++)
        {
            right += sorted[i].IsTrue ? 1 : 0;
            double f1 = 2.0 * right / (i + 1 + all);
            if (f1 > best.F1)
                best = (f1, (sorted[i].Score + sorted[i + 1].Score) / 2);
        }
        return best.Threshold;
    }

    private static double LogLoss(double[] probability, bool[] truth) =>
        probability.Zip(truth, (p, y) => -Math.Log2(Math.Max(y ? p : 1 - p, 1e-15))).Average();

    private static double Brier(double[] probability, bool[] truth) => probability.Zip(truth, (p, y) => Math.Pow(p - (y ? 1 : 0), 2)).Average();

    private sealed class Row
    {
        [VectorType(64)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }

        public static Row Parse(string line)
        {
            string[] cells = line.Split(',');
            return new Row
            {
                Features = [.. cells.Take(64).Select(cell => float.Parse(cell, CultureInfo.InvariantCulture))],
                Label = cells[64] == "8",
            };
        }
    }
}
