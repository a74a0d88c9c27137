using Microsoft.ML;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>What a training reports: history, messages, cancellation, divergence.</summary>
public sealed class HistoryTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Fact]
    public void History_has_an_entry_an_epoch_and_the_callback_sees_each()
    {
        List<EpochMetrics> seen = [];
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.DirectFeedbackAlignment, epochs: 12);
        options.Schedule = LearningRateSchedule.MultiStepAtShares(0.5, 0.5, 0.75);
        options.MetricsCallback = seen.Add;
        FeedbackAlignmentMulticlassModelParameters model = Train(options);
        Assert.Equal(Enumerable.Range(1, 12), model.History.Select(epoch => epoch.Epoch));
        Assert.Equal(model.History, seen);
        Assert.True(model.History[^1].Loss < model.History[0].Loss);
        Assert.All(model.History, epoch =>
        {
            Assert.InRange(epoch.Accuracy!.Value, 0, 1);
            Assert.True(epoch.SamplesPerSecond > 0);
            Assert.Equal(epoch.Epoch <= 6 ? 0.004 : epoch.Epoch <= 9 ? 0.002 : 0.001, epoch.LearningRate, 1e-8);
            // halved at half and three quarters
        });
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Alignment_is_reported_by_layer_as_each_rule_defines_it(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        EpochMetrics epoch = Train(Tables.Quick(rule, epochs: 15)).History[^1];
        string[] passed = ["dense2", "dense3"];
        Assert.Equal(passed, epoch.AlignmentAngle.Keys);
        Assert.Equal(passed, epoch.NormRatio.Keys);
        switch (rule.ShortName)
        {
            case "bp":
                Assert.All(epoch.AlignmentAngle.Values, angle => Assert.Equal(0, angle));
                Assert.All(epoch.NormRatio.Values, ratio => Assert.Equal(1, ratio));
                break;
            case "fa" or "dfa":
                Assert.All(epoch.AlignmentAngle.Values, angle => Assert.InRange(angle, 1, 89.9)); // it aligns: below the right angle of chance
                break;
            default:
                Assert.All(epoch.AlignmentAngle.Values, angle => Assert.InRange(angle, 5, 60)); // same signs
                break;
        }
    }

    [Theory, InlineData("bp"), InlineData("fa"), InlineData("usf"), InlineData("brsf"), InlineData("frsf")]
    public void Alignment_angles_of_layerwise_rules_are_those_of_the_saved_weights(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        // One batch an epoch: the last measurement was before the last update, so compare after none.
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(rule, epochs: 1);
        options.BatchSize = 1000;
        options.Optimizer = new OptimizerOptions.Sgd { LearningRate = 1e-12f };
        FeedbackAlignmentMulticlassModelParameters model = Train(options);
        foreach ((string layer, ParameterTensor feedback) in model.GetFeedbackWeights())
        {
            float[] w = model.GetWeights()[layer].Values.ToArray(), b = feedback.Values.ToArray();
            if (rule.ShortName == "brsf")
                continue; // redrawn after the update
            double dot = w.Zip(b).Sum(pair => (double)pair.First * pair.Second), wNorm = Math.Sqrt(w.Sum(x => (double)x * x)),
                bNorm = Math.Sqrt(b.Sum(x => (double)x * x));
            Assert.Equal(Math.Acos(dot / (wNorm * bNorm)) * 180 / Math.PI, model.History[0].AlignmentAngle[layer], 1e-3);
            Assert.Equal(bNorm / wNorm, model.History[0].NormRatio[layer], 1e-4);
        }
    }

    [Theory, MemberData(nameof(Feedback.Rules.SixNames), MemberType = typeof(Feedback.Rules))]
    public void Tracking_alignment_does_not_change_the_training_and_can_be_switched_off(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        FeedbackAlignmentMulticlassTrainer.Options off = Tables.Quick(rule);
        off.Diagnostics = LayerDiagnostics.None;
        FeedbackAlignmentMulticlassModelParameters model = Train(off);
        Assert.All(model.History, epoch => Assert.Empty(epoch.AlignmentAngle));
        PipelineTests.AssertSameWeights(Train(Tables.Quick(rule)), model);
    }

    [Fact]
    public void Messages_go_through_the_contexts_log()
    {
        List<string> messages = [];
        _mlContext.Log += (_, message) => messages.Add(message.Message);
        Train(Tables.Quick(epochs: 3));
        Assert.Contains(messages, message => message.Contains("Read 178 rows of 13 features and 3 classes", StringComparison.Ordinal));
        Assert.Contains(messages, message => message.Contains("Epoch 3/3: loss", StringComparison.Ordinal));
    }

    [Fact]
    public void Cancelling_stops_within_a_batch()
    {
        using CancellationTokenSource source = new();
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1_000_000);
        int epochs = 0;
        options.MetricsCallback = _ =>
        {
            if (++epochs == 2)
                source.Cancel();
        };
        options.CancellationToken = source.Token;
        Assert.Throws<OperationCanceledException>(() => Train(options));
        Assert.Equal(2, epochs);
    }

    [Fact]
    public void A_hosts_own_cancellation_stops_too()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1_000_000);
        int epochs = 0;
        options.MetricsCallback = _ =>
        {
            if (++epochs == 2)
                typeof(MLContext).GetMethod("CancelExecution",
                    System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!.Invoke(_mlContext, null);
        };
        Assert.Throws<OperationCanceledException>(() => Train(options));
        Assert.Equal(2, epochs);
    }

    [Fact]
    public void Divergence_names_epoch_rate_and_cure_and_leaves_the_last_good_weights()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.Backpropagation, epochs: 500);
        options.Optimizer = new OptimizerOptions.Sgd { LearningRate = 1e12f };
        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(() => Train(options));
        Assert.Contains($"epoch {error.Epoch}", error.Message, StringComparison.Ordinal);
        Assert.Contains("learning rate of 1E+12", error.Message, StringComparison.Ordinal);
        Assert.Contains("NormalizeMeanVariance", error.Message, StringComparison.Ordinal);
        Assert.Equal(1e12, error.LearningRate, 1e6);
        Assert.Equal(error.Epoch - 1, error.LastGoodModel!.History.Count);
        foreach (ParameterTensor tensor in error.LastGoodModel.GetParameters().Values)
            Assert.All(tensor.Values.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Divergence_in_the_first_epoch_leaves_the_weights_of_the_start()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.Backpropagation, epochs: 1);
        options.Optimizer = new OptimizerOptions.Sgd { LearningRate = float.MaxValue };
        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(() => Train(options));
        Assert.Equal(1, error.Epoch);
        options.Optimizer = new OptimizerOptions.Sgd { LearningRate = 1e-30f };
        IReadOnlyDictionary<string, ParameterTensor> start = Train(options).GetParameters();
        foreach ((string name, ParameterTensor tensor) in error.LastGoodModel!.GetParameters())
            Assert.All(start[name].Values.ToArray().Zip(tensor.Values.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void Unscaled_features_train_and_the_log_says_what_to_do()
    {
        List<string> warnings = [];
        _mlContext.Log += (_, message) =>
        {
            if (message.Kind == ChannelMessageKind.Warning)
                warnings.Add(message.Message);
        };
        IDataView data = Tables.Load(_mlContext, "wine");
        foreach (FeedbackRule rule in Feedback.Rules.Six)
        {
            var model = _mlContext.Transforms.Conversion.MapValueToKey("Label")
                .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(rule: rule, numberOfEpochs: 20)).Fit(data);
            double accuracy = _mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy;
            Assert.True(accuracy > 0.5, $"{rule.ShortName}: {accuracy}");
        }
        Assert.Contains(warnings, warning => warning.Contains("NormalizeMeanVariance(\"Features\")", StringComparison.Ordinal));
    }

    private FeedbackAlignmentMulticlassModelParameters Train(FeedbackAlignmentMulticlassTrainer.Options options) =>
        Tables.ModelOf(Tables.Pipeline(_mlContext, options).Fit(Tables.Load(_mlContext, "wine")));
}
