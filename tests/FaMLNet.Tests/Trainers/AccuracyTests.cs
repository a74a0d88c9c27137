using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>What users get who set nothing, and what the digits example promises.</summary>
public sealed class AccuracyTests
{
    [Theory]
    [InlineData("digits", 0.960)]
    [InlineData("iris", 0.925)]
    [InlineData("wine", 0.930)]
    [InlineData("breast-cancer", 0.945)]
    [Trait("Speed", "Slow")]
    public void Defaults_learn_with_every_rule(string table, double least)
    {
        foreach (FeedbackRule rule in Feedback.Rules.Six)
        {
            double accuracy = Enumerable.Range(1, 3).Average(seed =>
            {
                MLContext mlContext = new(seed);
                return Evaluate(mlContext, table, seed, Tables.Pipeline(mlContext,
                    new FeedbackAlignmentMulticlassTrainer.Options { Rule = rule, Seed = seed }));
            });
            Assert.True(accuracy >= least, $"{rule.ShortName} on {table}: {accuracy:F4}");
        }
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void The_digits_example_keeps_its_promise()
    {
        foreach (FeedbackRule rule in Feedback.Rules.Six)
        {
            double accuracy = Enumerable.Range(1, 5).Average(seed =>
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
            Assert.True(accuracy >= (rule.ShortName is "fa" or "dfa" ? 0.965 : 0.975), $"{rule.ShortName}: {accuracy:F4}");
        }
    }

    private static double Evaluate(MLContext mlContext, string table, int seed, IEstimator<ITransformer> pipeline)
    {
        DataOperationsCatalog.TrainTestData split = mlContext.Data.TrainTestSplit(Tables.Load(mlContext, table), testFraction: 0.2, seed: seed);
        return mlContext.MulticlassClassification.Evaluate(pipeline.Fit(split.TrainSet).Transform(split.TestSet)).MicroAccuracy;
    }
}
