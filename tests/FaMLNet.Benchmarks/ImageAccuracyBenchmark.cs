using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;

namespace FaMLNet.Benchmarks;

/// <summary>Test accuracy of LeNet on an IDX set (MNIST, Fashion-MNIST) by each rule with its defaults, over seeds.</summary>
internal static class ImageAccuracyBenchmark
{
    public static void Run(string folder, int epochs, int seeds, string rules)
    {
        foreach (FeedbackRule rule in rules.Split(',').Select(FeedbackRule.Parse))
        {
            List<double> accuracies = [];
            Stopwatch watch = Stopwatch.StartNew();
            for (int seed = 1; seed <= seeds; seed++)
            {
                MLContext mlContext = new(seed);
                IDataView train = IdxSet.Train(mlContext, folder), test = IdxSet.Test(mlContext, folder);
                var model = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
                {
                    Rule = rule,
                    Network = NetworkDefinition.LeNet(),
                    NumberOfEpochs = epochs,
                    BatchSize = 64,
                    Seed = seed,
                }).Fit(train);
                accuracies.Add(mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{rule.ShortName}: mean {accuracies.Average():P2} "
                    + $"({string.Join(", ", accuracies.Select(a => a.ToString("P2", CultureInfo.InvariantCulture)))}), "
                    + $"{watch.Elapsed.TotalSeconds / seeds:F0} s a run"));
        }
    }
}
