using FaMLNet.Training.Checkpoints;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Training.Checkpoints;

/// <summary>A training that is interrupted, however it is, ends with the weights of one that is not.</summary>
public sealed class CheckpointTests : IDisposable
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-checkpoints");
    private readonly IDataView _data;

    public CheckpointTests()
    {
        IDataView data = Tables.Load(_mlContext, "digits");
        _data = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMinMax("Features")).Fit(data)
            .Transform(data);
    }

    private string Folder => Path.Combine(_root.FullName, "state");

    public void Dispose() => _root.Delete(recursive: true);

    [Theory, MemberData(nameof(Feedback.Rules.AllNames), MemberType = typeof(Feedback.Rules))]
    [Trait("Speed", "Slow")]
    public void Cancelled_at_any_batch_a_training_of_any_rule_goes_on_to_the_same_weights(string name)
    {
        FeedbackRule rule = FeedbackRule.Parse(name);
        foreach (OptimizerOptions optimizer in new OptimizerOptions[] { new OptimizerOptions.Sgd { WeightDecay = 0.01f },
            new OptimizerOptions.Adam(), new OptimizerOptions.RmsProp { Momentum = 0.5f } }
            .Take(Tests.Feedback.Rules.Six.Contains(rule) ? 3 : 1))
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(rule, epochs: 4);
            options.Optimizer = optimizer;
            FeedbackAlignmentMulticlassModelParameters whole = Fit(options);
            Directory.CreateDirectory(Folder);
            FeedbackAlignmentMulticlassModelParameters resumed = Interrupted(options, afterEpochs: 2);
            AssertSame(whole, resumed);
            Directory.Delete(Folder, recursive: true);
        }
    }

    /// <summary>The norms are those of the start, not of the weights at hand, which rounding has moved.</summary>
    [Fact]
    public void A_training_whose_weights_keep_their_norms_goes_on_to_the_same_weights_and_is_told_from_one_without()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.FeedbackAlignment, epochs: 4);
        FeedbackAlignmentMulticlassModelParameters free = Fit(options);
        options.ConstrainWeightNorms = true;
        FeedbackAlignmentMulticlassModelParameters whole = Fit(options);
        AssertSame(whole, Interrupted(options, afterEpochs: 2));
        // Small weights would stay small: such a training starts at full size, Xavier's √(2/(16 + 8)) a weight.
        Assert.Equal(Math.Sqrt(2.0 / 24 * 128), Math.Sqrt(whole.GetWeights()["dense2"].Values.ToArray().Sum(w => (double)w * w)), 0.5);
        Assert.NotEqual(free.GetWeights()["dense2"].Values.ToArray(), whole.GetWeights()["dense2"].Values.ToArray());
        (options.ConstrainWeightNorms, options.CheckpointFolder) = (false, Folder);
        Assert.Contains("weights keep their norms", Assert.ThrowsAny<Exception>(() => Fit(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_convolutional_network_with_augmentation_and_dropout_goes_on_to_the_same_weights()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = new()
        {
            Rule = FeedbackRule.BatchwiseRandomSignConcordant,
            Network = NetworkDefinition.Sequential(new Layer.Conv2d(6, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU),
                new Layer.Dropout(0.3f), new Layer.Flatten(), new Layer.Dense()),
            Augmentation = Augmentation.RandomCrop(1).Then(Augmentation.Cutout(2)),
            NumberOfEpochs = 3,
            Seed = 5,
        };
        AssertSame(Fit(options), Interrupted(options, afterEpochs: 1));
    }

    [Fact]
    public void A_finished_training_is_not_trained_again_and_other_options_are_refused_by_name()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 3);
        options.CheckpointFolder = Folder;
        FeedbackAlignmentMulticlassModelParameters first = Fit(options);
        int epochs = 0;
        options.MetricsCallback = _ => epochs++;
        FeedbackAlignmentMulticlassModelParameters again = Fit(options);
        Assert.Equal(0, epochs);
        Tests.Trainers.PipelineTests.AssertSameWeights(first, again);
        Assert.Equal(first.History.Select(epoch => epoch.Loss), again.History.Select(epoch => epoch.Loss));

        Refused(() => options.BatchSize = 64, () => options.BatchSize = 32, "BatchSize: then 32, now 64");
        Refused(() => options.Rule = FeedbackRule.DirectFeedbackAlignment, () => options.Rule = FeedbackRule.FeedbackAlignment,
            "Rule: then fa, now dfa");
        Refused(() => options.Seed = 2, () => options.Seed = 1, "Seed: then 1, now 2");
        Refused(() => options.Schedule = LearningRateSchedule.MultiStep(0.1, 2), () => options.Schedule = null, "Schedule: then");
        Refused(() => options.Network = NetworkDefinition.Mlp(16, 9), () => options.Network = NetworkDefinition.Mlp(16, 8), "Network: then");
        Refused(() => options.GradientClipping = GradientClipping.ByValue(1), () => options.GradientClipping = null, "GradientClipping: then");
        // Other data, such as another fold's, has a folder of its own; not by other options.
        options.BatchSize = 64;
        Assert.Contains("BatchSize: then 32, now 64", Assert.Throws<InvalidOperationException>(() =>
            Trainer(options).Fit(_mlContext.Data.SkipRows(_data, 1))).Message, StringComparison.Ordinal);
        options.BatchSize = 32;
        Trainer(options).Fit(_mlContext.Data.SkipRows(_data, 1));
        Assert.Equal(3, epochs);
        Assert.Single(Directory.EnumerateDirectories(Folder, "training-*"), folder => Directory.EnumerateFiles(folder, "checkpoint-*.zip").Any());

        void Refused(Action change, Action restore, string part)
        {
            change();
            Assert.Contains(part, Assert.Throws<InvalidOperationException>(() => Fit(options)).Message, StringComparison.Ordinal);
            restore();
        }
    }

    [Theory, InlineData(DataCaching.InMemory), InlineData(DataCaching.Streaming)]
    public void Another_validation_set_is_other_data(DataCaching caching)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 2);
        options.CheckpointFolder = Folder;
        options.DataCaching = caching;
        IDataView validation = _mlContext.Data.TakeRows(_data, 100);
        Trainer(options).Fit(_data, validation);
        Trainer(options).Fit(_data, validation); // the same: complete
        int epochs = 0;
        options.MetricsCallback = _ => epochs++;
        Trainer(options).Fit(_data, validation);
        Assert.Equal(0, epochs);
        Trainer(options).Fit(_data, _mlContext.Data.TakeRows(_data, 99));
        Assert.Equal(2, epochs);
    }

    [Fact]
    public void Without_a_seed_the_checkpoints_own_is_taken_over()
    {
        FeedbackAlignmentMulticlassModelParameters Run(int context)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 2);
            options.Seed = null;
            options.CheckpointFolder = Folder;
            return new MLContext(context).MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_data).Model;
        }
        Tests.Trainers.PipelineTests.AssertSameWeights(Run(1), Run(2));
    }

    [Fact]
    public void The_last_few_and_the_best_are_kept_and_damaged_ones_are_passed_over()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 8);
        options.CheckpointFolder = Folder;
        options.CheckpointsToKeep = 2;
        options.CheckpointEveryEpochs = 2;
        FeedbackAlignmentMulticlassModelParameters whole = Fit(options);
        Assert.Equal(["best.zip", "checkpoint-000006-000000000000.zip", "checkpoint-000008-000000000000.zip"],
            Directory.EnumerateFiles(Folder).Select(Path.GetFileName).Order());

        foreach (Func<byte[], byte[]> damage in new Func<byte[], byte[]>[] { bytes => bytes[..(bytes.Length / 2)], bytes => [], Flip })
        {
            string latest = Path.Combine(Folder, "checkpoint-000008-000000000000.zip");
            File.WriteAllBytes(latest, damage(File.ReadAllBytes(latest)));
            List<string> warnings = [];
            MLContext other = new(seed: 1);
            other.Log += (_, message) => warnings.Add(message.Message);
            Tests.Trainers.PipelineTests.AssertSameWeights(whole,
                other.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_data).Model);
            Assert.Contains(warnings, warning => warning.Contains("cannot be read and is passed over", StringComparison.Ordinal));
        }

        static byte[] Flip(byte[] bytes)
        {
            bytes[bytes.Length * 2 / 3] ^= 1; // within the arrays
            return bytes;
        }
    }

    [Fact]
    public void A_folder_serves_one_training_at_a_time_and_must_be_writable()
    {
        using (new CheckpointFolder(Folder, 3))
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
            options.CheckpointFolder = Folder;
            Assert.Contains("in use by another training", Assert.Throws<IOException>(() => Fit(options)).Message, StringComparison.Ordinal);
        }
        string file = Path.Combine(_root.FullName, "file");
        File.WriteAllText(file, "");
        FeedbackAlignmentMulticlassTrainer.Options wrong = Tables.Quick(epochs: 1);
        wrong.CheckpointFolder = file;
        Assert.Contains("cannot be created or written to", Assert.Throws<IOException>(() => Fit(wrong)).Message, StringComparison.Ordinal);
    }

    private FeedbackAlignmentMulticlassModelParameters Interrupted(FeedbackAlignmentMulticlassTrainer.Options options, int afterEpochs)
    {
        options.CheckpointFolder = Folder;
        FeedbackAlignmentMulticlassModelParameters? model = null;
        for (int tries = 0; model == null; tries++)
        {
            // Cancelled some time after an epoch, by another thread: in the middle of the next.
            using CancellationTokenSource source = new();
            int epochs = 0;
            options.CancellationToken = source.Token;
            options.MetricsCallback = _ =>
            {
                if (++epochs == afterEpochs && tries < 3)
                    source.CancelAfter(tries);
            };
            try
            {
                model = Fit(options);
            }
            catch (OperationCanceledException)
            {
                Assert.NotEmpty(Directory.EnumerateFiles(Folder, "checkpoint-*.zip"));
            }
        }
        (options.CheckpointFolder, options.CancellationToken, options.MetricsCallback) = (null, default, null);
        return model;
    }

    private static void AssertSame(FeedbackAlignmentMulticlassModelParameters whole, FeedbackAlignmentMulticlassModelParameters resumed)
    {
        Tests.Trainers.PipelineTests.AssertSameWeights(whole, resumed);
        Assert.Equal(whole.History.Select(epoch => (epoch.Epoch, epoch.Loss, epoch.Accuracy, epoch.LearningRate)),
            resumed.History.Select(epoch => (epoch.Epoch, epoch.Loss, epoch.Accuracy, epoch.LearningRate)));
    }

    private FeedbackAlignmentMulticlassModelParameters Fit(FeedbackAlignmentMulticlassTrainer.Options options) => Trainer(options).Fit(_data).Model;

    private FeedbackAlignmentMulticlassTrainer Trainer(FeedbackAlignmentMulticlassTrainer.Options options) =>
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
}
