using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;

namespace FaMLNet.Benchmarks;

/// <summary>Test accuracy of every rule on a small table, over several seeds of an 80/20 split and of the training.</summary>
internal static class AccuracyBenchmark
{
    /// <param name="path">A CSV file with a header, numbers, and the label in the last column.</param>
    /// <param name="seeds">Seeds 1 to this.</param>
    /// <param name="hidden">Hidden units; null for the trainer's default.</param>
    /// <param name="epochs">Epochs; null for the trainer's default.</param>
    public static void Run(string path, int seeds, int[]? hidden, int? epochs)
    {
        int features = File.ReadLines(path).First().Split(',').Length - 1;
        Table table = new Table().Title($"{Path.GetFileName(path)}, seeds 1 to {seeds}")
            .AddColumns("rule", "mean accuracy", "least", "mean log-loss");
        foreach (FeedbackRule rule in FeedbackRule.All)
        {
            List<MulticlassClassificationMetrics> metrics = [];
            for (int seed = 1; seed <= seeds; seed++)
                metrics.Add(Evaluate(path, features, rule, hidden, epochs, seed));
            table.AddRow(rule.ShortName, Format(metrics.Average(m => m.MicroAccuracy)), Format(metrics.Min(m => m.MicroAccuracy)),
                Format(metrics.Average(m => m.LogLoss)));
        }
        AnsiConsole.Write(table);
    }

    private static MulticlassClassificationMetrics Evaluate(string path, int features, FeedbackRule rule, int[]? hidden, int? epochs, int seed)
    {
        MLContext mlContext = new(seed);
        TextLoader loader = mlContext.Data.CreateTextLoader(
            [new("Features", DataKind.Single, 0, features - 1), new("Label", DataKind.String, features)], separatorChar: ',', hasHeader: true);
        DataOperationsCatalog.TrainTestData split = mlContext.Data.TrainTestSplit(loader.Load(path), testFraction: 0.2, seed: seed);
        FeedbackAlignmentMulticlassTrainer.Options options = new() { Rule = rule, Diagnostics = LayerDiagnostics.None };
        if (hidden != null)
            options.Network = NetworkDefinition.Mlp(hidden);
        options.NumberOfEpochs = epochs ?? options.NumberOfEpochs;
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options));
        return mlContext.MulticlassClassification.Evaluate(pipeline.Fit(split.TrainSet).Transform(split.TestSet));
    }

    /// <summary>Five-fold cross-validation of the defaults and of what differs from them, a column each.</summary>
    /// <param name="paths">CSV files with a header, numbers, and the label in the last column.</param>
    /// <param name="seeds">Seeds 1 to this.</param>
    /// <param name="epochs">Epochs.</param>
    /// <param name="columns">
    /// A number is a factor on the rule's rate; <c>units:128-64</c> hidden units, <c>activation:tanh</c> their activation;
    /// <c>sgd:0.05</c> or <c>adam:0.001</c> an optimiser and its rate,
    /// <c>adamw:0.004:1</c> with its decay.
    /// </param>
    /// <param name="rules">The rules to measure.</param>
    public static void CrossValidate(string[] paths, int seeds, int epochs, string[] columns, IReadOnlyList<FeedbackRule> rules)
    {
        foreach (string path in paths)
        {
            int features = File.ReadLines(path).First().Split(',').Length - 1;
            Table table = new Table().Title($"{Path.GetFileName(path)}, {epochs} epochs, five folds, seeds 1 to {seeds}: mean accuracy")
                .AddColumns(["rule", .. columns]);
            foreach (FeedbackRule rule in rules)
                table.AddRow([rule.ShortName, .. columns.Select(column =>
                    Format(Enumerable.Range(1, seeds).Average(seed => CrossValidated(path, features, rule, epochs, seed, column))))]);
            AnsiConsole.Write(table);
        }
    }

    private static double CrossValidated(string path, int features, FeedbackRule rule, int epochs, int seed, string column)
    {
        MLContext mlContext = new(seed);
        IDataView data = mlContext.Data.CreateTextLoader([new("Features", DataKind.Single, 0, features - 1), new("Label", DataKind.String, features)],
            separatorChar: ',', hasHeader: true).Load(path);
        FeedbackAlignmentMulticlassTrainer.Options options = new() { Rule = rule, NumberOfEpochs = epochs, Seed = seed };
        OptimizerOptions own = rule.Defaults.DenseOptimizer;
        switch (column.Split(':'))
        {
            case ["units", string units]:
                options.Network = RulesBenchmark.Dense(units) with { Activation = rule.Defaults.Activation };
                break;
            case ["activation", string activation]:
                options.Network = NetworkDefinition.Mlp(128, 64) with { Activation = Enum.Parse<Activation>(activation, ignoreCase: true) };
                break;
            case ["sgd", string rate]:
                options.Optimizer = new OptimizerOptions.Sgd { LearningRate = float.Parse(rate, CultureInfo.InvariantCulture) };
                break;
            case ["adam", string rate]:
                options.Optimizer = new OptimizerOptions.Adam { LearningRate = float.Parse(rate, CultureInfo.InvariantCulture) };
                break;
            case ["adamw", string rate, string decay]:
                options.Optimizer = new OptimizerOptions.AdamW
                {
                    LearningRate = float.Parse(rate, CultureInfo.InvariantCulture),
                    WeightDecay = float.Parse(decay, CultureInfo.InvariantCulture),
                };
                break;
            default:
                options.Optimizer = own with { LearningRate = float.Parse(column, CultureInfo.InvariantCulture) * own.LearningRate };
                break;
        }
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options));
        return mlContext.MulticlassClassification.CrossValidate(data, pipeline, seed: seed).Average(fold => fold.Metrics.MicroAccuracy);
    }

    private static string Format(double value) => value.ToString("F4", CultureInfo.InvariantCulture);
}
