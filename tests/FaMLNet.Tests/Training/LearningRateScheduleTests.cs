using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>Schedules against their closed forms.</summary>
public sealed class LearningRateScheduleTests
{
    [Fact]
    public void Values_are_those_of_the_closed_forms()
    {
        for (int i = 0; i < 80; i++)
        {
            double epoch = i / 4.0;
            Assert.Equal(1, LearningRateSchedule.Constant.Factor(epoch, 20));
            Assert.Equal(Math.Pow(0.1, (epoch >= 5 ? 1 : 0) + (epoch >= 12 ? 1 : 0)), LearningRateSchedule.MultiStep(0.1, 5, 12).Factor(epoch, 20),
                1e-12);
            Assert.Equal(epoch < 10 ? 1 : epoch < 15 ? 0.5 : 0.25, LearningRateSchedule.MultiStepAtShares(0.5, 0.5, 0.75).Factor(epoch, 20), 1e-12);
            Assert.Equal(0.1 + 0.9 * (1 + Math.Cos(Math.PI * epoch / 20)) / 2, LearningRateSchedule.Cosine(0.1).Factor(epoch, 20), 1e-12);
            Assert.Equal(Math.Pow(0.9, i / 4), LearningRateSchedule.Exponential(0.9).Factor(epoch, 20), 1e-12);
            Assert.Equal(Math.Pow(0.5, i / 12), LearningRateSchedule.Step(0.5, 3).Factor(epoch, 20), 1e-12);
            // Stretches of 2, 4 and 8 epochs, and the beginning of one of 16.
            (double start, double length) = epoch < 2 ? (0, 2) : epoch < 6 ? (2, 4) : epoch < 14 ? (6, 8) : (14, 16);
            Assert.Equal((1 + Math.Cos(Math.PI * (epoch - start) / length)) / 2, LearningRateSchedule.CosineWithRestarts(2).Factor(epoch, 20), 1e-12);
            Assert.Equal(Math.Pow(0.9, i / 4) * Math.Min(1, epoch / 3),
                (LearningRateSchedule.Exponential(0.9) with { WarmupEpochs = 3 }).Factor(epoch, 20), 1e-12);
        }
    }

    /// <summary>Step i of the n steps of a warm-up has (i + 1)/n of the rate, whatever else the schedule does.</summary>
    [Theory]
    [InlineData(1, 256, 1), InlineData(1, 32, 5), InlineData(2, 32, 10), InlineData(0.4, 32, 2), InlineData(0.1, 32, 1), InlineData(3, 50, 9)]
    public void A_warm_up_starts_above_zero_and_ends_at_the_rate(double epochs, int batchSize, int steps)
    {
        List<double> rates = [];
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 4);
        options.BatchSize = batchSize;
        options.Optimizer = new OptimizerOptions.Sgd { LearningRate = 0.01f };
        options.Schedule = LearningRateSchedule.MultiStep(0.5, 3) with { WarmupEpochs = epochs };
        (options.DiagnosticsEverySteps, options.StepCallback) = (1, step => rates.Add(step.LearningRate));
        MLContext mlContext = new(seed: 1);
        Tables.Pipeline(mlContext, options).Fit(Tables.Load(mlContext, "iris"));
        int perEpoch = rates.Count / 4;
        double[] expected = [.. Enumerable.Range(0, rates.Count)
            .Select(i => 0.01 * Math.Min(1, (i + 1.0) / steps) * (i >= 3 * perEpoch ? 0.5 : 1))];
        Assert.Equal(expected.Select(rate => Math.Round(rate, 8)), rates.Select(rate => Math.Round(rate, 8)));
    }

    [Fact]
    public void A_warm_up_of_a_single_step_learns()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 2);
        options.BatchSize = 256;
        options.Schedule = LearningRateSchedule.Constant with { WarmupEpochs = 1 };
        MLContext mlContext = new(seed: 1);
        FeedbackAlignmentMulticlassModelParameters model = Tables.ModelOf(Tables.Pipeline(mlContext, options).Fit(Tables.Load(mlContext, "iris")));
        Assert.Equal(model.History[0].LearningRate, model.History[1].LearningRate);
        Assert.True(model.History[1].Loss < model.History[0].Loss);
    }

    [Fact]
    public void A_plateau_reduces_the_rate_after_its_patience_and_waits_anew()
    {
        LearningRateSchedule schedule = LearningRateSchedule.ReduceOnPlateau(0.1, patience: 2, minimumDelta: 0.01, floor: 0.005);
        double[] losses = [1, 0.9, 0.895, 0.9, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7];
        double[] expected = [1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.005, 0.005, 0.005];
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], schedule.FactorAfter(losses[..i]), 1e-12);
        Assert.Equal(1, LearningRateSchedule.Cosine().FactorAfter(losses));
        // In a training: a rate so low that nothing improves is lowered every second epoch.
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 6);
        options.Optimizer = new OptimizerOptions.Sgd { LearningRate = 1e-6f };
        options.Schedule = LearningRateSchedule.ReduceOnPlateau(0.1, patience: 2, minimumDelta: 0.1);
        MLContext mlContext = new(seed: 1);
        FeedbackAlignmentMulticlassModelParameters model = Tables.ModelOf(Tables.Pipeline(mlContext, options).Fit(Tables.Load(mlContext, "iris")));
        Assert.Equal([1e-6, 1e-6, 1e-6, 1e-7, 1e-7, 1e-8], model.History.Select(epoch => Math.Round(epoch.LearningRate, 10)));
    }

    [Fact]
    public void Bad_schedules_are_named()
    {
        foreach ((LearningRateSchedule schedule, string part) in new[]
        {
            (LearningRateSchedule.MultiStep(0, 3), "gamma must be above 0"), (LearningRateSchedule.MultiStep(0.1, 5, 5), "milestones must ascend"),
            (LearningRateSchedule.MultiStepAtShares(0.5, 1.5), "shares of the run"), (LearningRateSchedule.Cosine(1), "floor of Cosine"),
            (LearningRateSchedule.Exponential(double.NaN), "gamma"), (LearningRateSchedule.Step(0.5, 0), "epochs of Step"),
                (LearningRateSchedule.CosineWithRestarts(0), "CosineWithRestarts"),
            (LearningRateSchedule.ReduceOnPlateau(1), "factor of ReduceOnPlateau"),
                (LearningRateSchedule.ReduceOnPlateau(patience: 0), "patience of ReduceOnPlateau"),
                (LearningRateSchedule.ReduceOnPlateau(floor: 1), "floor of ReduceOnPlateau"),
                (LearningRateSchedule.Constant with { WarmupEpochs = -1 }, "WarmupEpochs"),
        })
        {
            ArgumentException error = Assert.Throws<ArgumentOutOfRangeException>(() =>
                new MLContext().MulticlassClassification.Trainers.FeedbackAlignment(
                new FeedbackAlignmentMulticlassTrainer.Options { Schedule = schedule }));
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_history_reports_the_rate_of_each_epoch()
    {
        MLContext mlContext = new(seed: 1);
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 6);
        options.Optimizer = new OptimizerOptions.Sgd { LearningRate = 0.1f };
        options.Schedule = LearningRateSchedule.MultiStep(0.5, 2, 4);
        FeedbackAlignmentMulticlassModelParameters model = Tables.ModelOf(Tables.Pipeline(mlContext, options).Fit(Tables.Load(mlContext, "iris")));
        Assert.Equal([0.1f, 0.1f, 0.05f, 0.05f, 0.025f, 0.025f], model.History.Select(epoch => (float)epoch.LearningRate));
    }
}
