using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>What users get who set nothing, and what the digits example promises.</summary>
public sealed class AccuracyTests
{
    /// <summary>How much of the test rows every rule gets right, at least, in the mean of three seeds.</summary>
    private static readonly Dictionary<string, double> Promised = new()
    {
        ["digits"] = 0.960,
        ["iris"] = 0.925,
        ["wine"] = 0.930,
        ["breast-cancer"] = 0.945,
    };

    public static MatrixTheoryData<string, string> TablesAndRules => new(Promised.Keys, Feedback.Rules.Six.Select(rule => rule.ShortName));

    [Theory, MemberData(nameof(TablesAndRules))]
    [Trait("Speed", "Slow")]
    public void Defaults_learn_with_every_rule(string table, string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        double accuracy = Enumerable.Range(1, 3).Average(seed =>
        {
            MLContext mlContext = new(seed);
            return Evaluate(mlContext, table, seed, Tables.Pipeline(mlContext,
                new FeedbackAlignmentMulticlassTrainer.Options { Rule = rule, Seed = seed }));
        });
        Assert.True(accuracy >= Promised[table], $"{name} on {table}: {accuracy:F4}");
    }

    /// <summary>With two seeds: the gate runs the example itself as well, whose figures are the mean of more.</summary>
    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    [Trait("Speed", "Slow")]
    public void The_digits_example_keeps_its_promise(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        double accuracy = Enumerable.Range(1, 2).Average(seed =>
        {
            MLContext mlContext = new(seed);
            return Evaluate(mlContext, "digits", seed, mlContext.Transforms.Conversion.MapValueToKey("Label")
                .Append(mlContext.Transforms.NormalizeMinMax("Features"))
                .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
                {
                    Rule = rule,
                    Network = NetworkDefinition.Mlp(256, 128) with { Dropout = 0.2f },
                    NumberOfEpochs = 60,
                })));
        });
        Assert.True(accuracy >= (name is "fa" or "dfa" ? 0.965 : 0.975), $"{name}: {accuracy:F4}");
    }

    private static double Evaluate(MLContext mlContext, string table, int seed, IEstimator<ITransformer> pipeline)
    {
        DataOperationsCatalog.TrainTestData split = mlContext.Data.TrainTestSplit(Tables.Load(mlContext, table), testFraction: 0.2, seed: seed);
        return mlContext.MulticlassClassification.Evaluate(pipeline.Fit(split.TrainSet).Transform(split.TestSet)).MicroAccuracy;
    }
}
