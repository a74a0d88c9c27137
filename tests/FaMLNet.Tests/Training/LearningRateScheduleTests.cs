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
            Assert.Equal(Math.Pow(0.1, (epoch >= 5 ? 1 : 0) + (epoch >= 12 ? 1 : 0)), LearningRateSchedule.MultiStep(0.1, 5, 12).Factor(epoch, 20), 1e-12);
            Assert.Equal(epoch < 10 ? 1 : epoch < 15 ? 0.5 : 0.25, LearningRateSchedule.MultiStepAtShares(0.5, 0.5, 0.75).Factor(epoch, 20), 1e-12);
            Assert.Equal(0.1 + 0.9 * (1 + Math.Cos(Math.PI * epoch / 20)) / 2, LearningRateSchedule.Cosine(0.1).Factor(epoch, 20), 1e-12);
            Assert.Equal(Math.Pow(0.9, i / 4), LearningRateSchedule.Exponential(0.9).Factor(epoch, 20), 1e-12);
            Assert.Equal(Math.Pow(0.9, i / 4) * Math.Min(1, epoch / 3), (LearningRateSchedule.Exponential(0.9) with { WarmupEpochs = 3 }).Factor(epoch, 20), 1e-12);
        }
    }

    [Fact]
    public void Bad_schedules_are_named()
    {
        foreach ((LearningRateSchedule schedule, string part) in new[]
        {
            (LearningRateSchedule.MultiStep(0, 3), "gamma must be above 0"), (LearningRateSchedule.MultiStep(0.1, 5, 5), "milestones must ascend"),
            (LearningRateSchedule.MultiStepAtShares(0.5, 1.5), "shares of the run"), (LearningRateSchedule.Cosine(1), "floor of Cosine"),
            (LearningRateSchedule.Exponential(double.NaN), "gamma"), (LearningRateSchedule.Constant with { WarmupEpochs = -1 }, "WarmupEpochs"),
        })
        {
            ArgumentException error = Assert.ThrowsAny<ArgumentException>(() => new MLContext().MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options { Schedule = schedule }));
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
