using System.Diagnostics;
using FaMLNet;
using FaMLNet.Views;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;

namespace Digits;

/// <summary>Trains a network on the digits by each of the six rules, and saves the best.</summary>
internal static class Training
{
    private const int Epochs = 60;
    private static readonly NetworkDefinition Network = NetworkDefinition.Mlp(256, 128) with { Dropout = 0.2f };

    public static void Run(string dataPath, string modelPath)
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = mlContext.Data.LoadFromTextFile<Digit>(dataPath, separatorChar: ',', hasHeader: true);
        DataOperationsCatalog.TrainTestData split = mlContext.Data.TrainTestSplit(data, testFraction: 0.2);

        List<RuleResult> results = [];
        TrainingView.Run(AnsiConsole.Console, view =>
        {
            // The six of Sanfiz and Akrout (2021); FeedbackRule.All has more.
            foreach (FeedbackRule rule in FeedbackRule.All.Take(6))
                results.Add(Train(mlContext, split, rule, view.Add(rule.Name, Epochs)));
        });
        AnsiConsole.Write(Tabulate(results));

        RuleResult best = results.MaxBy(result => result.Metrics.MicroAccuracy)!;
        mlContext.Model.Save(best.Model, data.Schema, modelPath);
        AnsiConsole.WriteLine($"The best, {best.Rule}, is saved as {Path.GetFileName(modelPath)}.");
    }

    /// <summary>An ordinary ML.NET pipeline with a feedback-alignment trainer in it.</summary>
    public static RuleResult Train(MLContext mlContext, DataOperationsCatalog.TrainTestData split, FeedbackRule rule, Action<EpochMetrics>? epochDone)
    {
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.Transforms.NormalizeMinMax(
            "Features")) // pixels share one scale; for features of different kinds take NormalizeMeanVariance
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = rule,
                Network = Network,
                NumberOfEpochs = Epochs,
                MetricsCallback = epochDone,
            }))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));

        Stopwatch watch = Stopwatch.StartNew();
        var model = pipeline.Fit(split.TrainSet);
        double seconds = watch.Elapsed.TotalSeconds;

        MulticlassClassificationMetrics metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(split.TestSet));
        FeedbackAlignmentMulticlassModelParameters network = model.OfType<FeedbackAlignmentMulticlassTransformer>().Single().Model;
        return new RuleResult(rule, model, metrics, seconds, network.History[^1]);
    }

    private static Table Tabulate(List<RuleResult> results)
    {
        Table table = new Table().AddColumn("rule");
        foreach (string heading in new[] { "test accuracy", "log-loss", "seconds", "mean alignment angle", "mean norm ratio" })
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (RuleResult result in results)
        {
            table.AddRow(result.Rule.Name, $"{result.Metrics.MicroAccuracy:P1}", $"{result.Metrics.LogLoss:F3}", $"{result.Seconds:F1}",
                $"{result.LastEpoch.AlignmentAngle.Values.Average():F1}°", $"{result.LastEpoch.NormRatio.Values.Average():F2}");
        }
        return table;
    }
}

/// <summary>What one rule achieved.</summary>
internal sealed record RuleResult(FeedbackRule Rule, ITransformer Model, MulticlassClassificationMetrics Metrics, double Seconds,
    EpochMetrics LastEpoch);
