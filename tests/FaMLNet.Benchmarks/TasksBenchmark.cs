using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;

namespace FaMLNet.Benchmarks;

/// <summary>
/// Binary classification and regression beside ML.NET's own trainers, all with their defaults after <c>NormalizeMeanVariance</c>: five-fold
/// cross-validation, means over seeds of folds and trainings.
/// </summary>
internal static class TasksBenchmark
{
    /// <param name="folder">Has breast-cancer.csv and diabetes.csv.</param>
    /// <param name="seeds">Seeds 1 to this.</param>
    /// <param name="epochs">Epochs of FaMLNet's trainers; null for their default.</param>
    /// <param name="columns">What to try beside the defaults: a number is a weight decay of AdamW, <c>x0.5:0.01</c> a factor on the rate
    /// and the optimiser's own decay,
    /// <c>tanh</c> and the like an activation.</param>
    /// <param name="rules">The rules to measure; those that send the class instead of the error have no regression.</param>
    public static void Run(string folder, int seeds, int? epochs, string[] columns, IReadOnlyList<FeedbackRule> rules)
    {
        Compare("breast-cancer: area under the ROC curve", Path.Combine(folder, "breast-cancer.csv"), seeds, epochs, columns, BinaryPeers,
            () => new FeedbackAlignmentBinaryTrainer.Options(), Binary, rules);
        Compare("diabetes: root mean squared error", Path.Combine(folder, "diabetes.csv"), seeds, epochs, columns, RegressionPeers,
            () => new FeedbackAlignmentRegressionTrainer.Options(), Regression,
            rules.Where(rule => rule is not DirectFeedbackRule { Projects: ProjectedSignal.Target }));
    }

    private static void Compare(string title, string path, int seeds, int? epochs, string[] columns,
        Func<MLContext, (string, IEstimator<ITransformer>)[]> peers, Func<FeedbackAlignmentOptions> options,
        Func<string, int, Func<MLContext, IEstimator<ITransformer>>, double> measure, IEnumerable<FeedbackRule> rules)
    {
        Table table = new Table().Title($"{title}, five folds, seeds 1 to {seeds}")
            .AddColumns(["trainer", "defaults", .. columns]);
        foreach (string peer in peers(new MLContext()).Select(peer => peer.Item1))
            table.AddRow(peer, Mean(seeds, seed => measure(path, seed, mlContext => peers(mlContext).Single(other => other.Item1 == peer).Item2)));
        foreach (FeedbackRule rule in rules)
        {
            table.AddRow([$"FaMLNet {rule.ShortName}", .. columns.Prepend("").Select(column =>
                Mean(seeds, seed => measure(path, seed, mlContext => Own(mlContext, options(), rule, seed, epochs, column))))]);
        }
        AnsiConsole.Write(table);
    }

    private static string Mean(int seeds, Func<int, double> measure) =>
        Enumerable.Range(1, seeds).Average(measure).ToString("F4", CultureInfo.InvariantCulture);

    private static IEstimator<ITransformer> Own(MLContext mlContext, FeedbackAlignmentOptions options, FeedbackRule rule, int seed, int? epochs,
        string column)
    {
        (options.Rule, options.Seed, options.NumberOfEpochs) = (rule, seed, epochs ?? options.NumberOfEpochs);
        if (float.TryParse(column, CultureInfo.InvariantCulture, out float decay))
            options.Optimizer = new OptimizerOptions.AdamW { LearningRate = rule.Defaults.DenseOptimizer.LearningRate, WeightDecay = decay };
        else if (column.StartsWith('x'))
        {
            float[] numbers = [.. column[1..].Split(':').Select(text => float.Parse(text, CultureInfo.InvariantCulture))];
            OptimizerOptions own = options.DefaultOptimizer;
            options.Optimizer = own with { LearningRate = own.LearningRate * numbers[0], WeightDecay = numbers.ElementAtOrDefault(1) };
        }
        else if (column != "")
            options.Network = NetworkDefinition.Mlp(128, 64) with { Activation = Enum.Parse<Activation>(column, ignoreCase: true) };
        return options is FeedbackAlignmentBinaryTrainer.Options binary ? mlContext.BinaryClassification.Trainers.FeedbackAlignment(binary)
            : mlContext.Regression.Trainers.FeedbackAlignment((FeedbackAlignmentRegressionTrainer.Options)options);
    }

    private static (string, IEstimator<ITransformer>)[] BinaryPeers(MLContext mlContext) =>
    [
        ("LbfgsLogisticRegression", mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression()),
        ("LightGbm", mlContext.BinaryClassification.Trainers.LightGbm()),
        ("FastTree", mlContext.BinaryClassification.Trainers.FastTree()),
    ];

    private static (string, IEstimator<ITransformer>)[] RegressionPeers(MLContext mlContext) =>
    [
        ("LbfgsPoissonRegression", mlContext.Regression.Trainers.LbfgsPoissonRegression()),
        ("Sdca", mlContext.Regression.Trainers.Sdca()),
        ("OnlineGradientDescent", mlContext.Regression.Trainers.OnlineGradientDescent()),
        ("LightGbm", mlContext.Regression.Trainers.LightGbm()),
        ("FastTree", mlContext.Regression.Trainers.FastTree()),
    ];

    private static double Binary(string path, int seed, Func<MLContext, IEstimator<ITransformer>> trainer)
    {
        MLContext mlContext = new(seed);
        IDataView data = Read(mlContext, path, DataKind.String);
        data = mlContext.Transforms.Conversion.MapValue("Label", new Dictionary<string, bool> { ["malignant"] = true, ["benign"] = false })
            .Fit(data).Transform(data);
        return mlContext.BinaryClassification.CrossValidateNonCalibrated(data, Pipeline(mlContext, trainer), 5,
            seed: seed).Average(fold => fold.Metrics.AreaUnderRocCurve);
    }

    private static double Regression(string path, int seed, Func<MLContext, IEstimator<ITransformer>> trainer)
    {
        MLContext mlContext = new(seed);
        return mlContext.Regression.CrossValidate(Read(mlContext, path, DataKind.Single), Pipeline(mlContext, trainer), 5, seed: seed)
            .Average(fold => fold.Metrics.RootMeanSquaredError);
    }

    private static IEstimator<ITransformer> Pipeline(MLContext mlContext, Func<MLContext, IEstimator<ITransformer>> trainer) =>
        mlContext.Transforms.NormalizeMeanVariance("Features").Append(trainer(mlContext));

    private static IDataView Read(MLContext mlContext, string path, DataKind label)
    {
        int features = File.ReadLines(path).First().Split(',').Length - 1;
        return mlContext.Data.CreateTextLoader([new("Features", DataKind.Single, 0, features - 1), new("Label", label, features)],
            separatorChar: ',', hasHeader: true).Load(path);
    }
}
