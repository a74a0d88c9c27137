using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;

namespace FaMLNet.Benchmarks;

/// <summary>Test accuracy of rules on an IDX set (MNIST, Fashion-MNIST) with a dense network or LeNet, and how far they come into line.</summary>
internal static class RulesBenchmark
{
    /// <param name="folder">Of the set.</param>
    /// <param name="rules">Short names, with commas.</param>
    /// <param name="network">Hidden units with dashes (784 inputs and 10 outputs are understood), or <c>lenet</c>.</param>
    /// <param name="epochs">How many.</param>
    /// <param name="settings">
    /// What differs from the rule's defaults, as key=value: opt (sgd, adam, adamw), rate, decay, momentum, batch, weights and feedback (scales),
    /// activation, dropout, warmup (epochs), seeds.
    /// </param>
    public static void Run(string folder, string rules, string network, int epochs, IEnumerable<string> settings)
    {
        Dictionary<string, string> given = settings.Select(setting => setting.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        foreach (FeedbackRule rule in rules.Split(',').Select(FeedbackRule.Parse))
        {
            List<double> accuracies = [];
            IReadOnlyList<EpochMetrics> history = [];
            Stopwatch watch = Stopwatch.StartNew();
            for (int seed = 1; seed <= (int)Number(given, "seeds", 1); seed++)
            {
                MLContext mlContext = new(seed);
                IDataView train = IdxSet.Train(mlContext, folder), test = IdxSet.Test(mlContext, folder);
                FeedbackAlignmentMulticlassTrainer.Options options = OptionsOf(rule, network, given, seed);
                options.NumberOfEpochs = epochs;
                var pipeline = mlContext.Transforms.NormalizeMinMax("Features")
                    .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options));
                var model = pipeline.Fit(train);
                history = model.LastTransformer.Model.History;
                accuracies.Add(mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{rule.ShortName} {network} {epochs} {string.Join(' ', settings)}: {accuracies.Average():P2} "
                    + $"({string.Join(", ", accuracies.Select(a => a.ToString("P2", CultureInfo.InvariantCulture)))}), "
                    + $"train {history[^1].Accuracy:P2}, loss {history[^1].Loss:F3}, angles {Angles(history[^1])}, "
                    + $"{watch.Elapsed.TotalSeconds / accuracies.Count:F0} s a run"));
        }
    }

    /// <summary>A dense network of hidden units given with dashes.</summary>
    public static MlpDefinition Dense(string units) =>
        NetworkDefinition.Mlp([.. units.Split('-').Select(width => int.Parse(width, CultureInfo.InvariantCulture))]);

    private static string Angles(EpochMetrics epoch) =>
        string.Join(' ', epoch.AlignmentAngle.Values.Select(angle => angle.ToString("F0", CultureInfo.InvariantCulture)));

    private static FeedbackAlignmentMulticlassTrainer.Options OptionsOf(FeedbackRule rule, string network, Dictionary<string, string> given, int seed)
    {
        Activation activation = Enum.Parse<Activation>(given.GetValueOrDefault("activation", "ReLU"), ignoreCase: true);
        NetworkDefinition definition = network == "lenet" ? NetworkDefinition.LeNet() with { Activation = activation }
            : Dense(network) with { Activation = activation, Dropout = (float)Number(given, "dropout", 0) };
        OptimizerOptions own = definition is MlpDefinition ? rule.Defaults.DenseOptimizer : rule.Defaults.Optimizer;
        float rate = (float)Number(given, "rate", own.LearningRate), decay = (float)Number(given, "decay", own.WeightDecay);
        return new FeedbackAlignmentMulticlassTrainer.Options
        {
            Rule = rule,
            Network = definition,
            BatchSize = (int)Number(given, "batch", 64),
            Seed = seed,
            InitialWeightScale = given.ContainsKey("weights") ? (float)Number(given, "weights", 1) : null,
            Schedule = given.ContainsKey("warmup") ? rule.Defaults.Schedule with { WarmupEpochs = Number(given, "warmup", 0) } : null,
            FeedbackScale = given.ContainsKey("feedback") ? (float)Number(given, "feedback", 1) : null,
            Optimizer = given.GetValueOrDefault("opt", own.GetType().Name.ToLowerInvariant()) switch
            {
                "sgd" => new OptimizerOptions.Sgd { LearningRate = rate, WeightDecay = decay, Momentum = (float)Number(given, "momentum", 0.9) },
                "adam" => new OptimizerOptions.Adam { LearningRate = rate, WeightDecay = decay },
                _ => new OptimizerOptions.AdamW { LearningRate = rate, WeightDecay = decay },
            },
        };
    }

    private static double Number(Dictionary<string, string> given, string key, double otherwise) =>
        given.TryGetValue(key, out string? text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
