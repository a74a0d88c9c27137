using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Training.Checkpoints;

/// <summary>One folder of checkpoints for several trainings, and trainings that become longer.</summary>
public sealed class SeveralTrainingsTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-several");
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _iris;

    public SeveralTrainingsTests()
    {
        IDataView data = Tables.Load(_mlContext, "iris");
        _iris = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMeanVariance("Features")).Fit(data)
            .Transform(data);
    }

    public void Dispose() => _root.Delete(recursive: true);

    private string Folder => Path.Combine(_root.FullName, "state");

    [Theory, InlineData(null), InlineData(1)]
    public void Each_fold_of_a_cross_validation_has_checkpoints_of_its_own(int? seed)
    {
        int epochs = 0, stopAfter = int.MaxValue;
        double[] Validate(string? folder)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 4);
            (options.CheckpointFolder, options.Seed) = (folder, seed);
            using CancellationTokenSource stop = new();
            options.CancellationToken = stop.Token;
            options.MetricsCallback = _ =>
            {
                if (++epochs == stopAfter)
                    stop.Cancel();
            };
            return [.. new MLContext(5).MulticlassClassification.CrossValidate(_iris,
                new MLContext(5).MulticlassClassification.Trainers.FeedbackAlignment(options), 3, seed: 2).Select(fold => fold.Metrics.LogLoss)];
        }
        double[] expected = Validate(null);
        // Stopped in the second fold, and once more in the third.
        (epochs, stopAfter) = (0, 6);
        Assert.Throws<OperationCanceledException>(() => Validate(Folder));
        (epochs, stopAfter) = (0, 3);
        Assert.Throws<OperationCanceledException>(() => Validate(Folder));
        (epochs, stopAfter) = (0, int.MaxValue);
        Assert.Equal(expected, Validate(Folder));
        Assert.Equal(3, epochs);
        epochs = 0;
        Assert.Equal(expected, Validate(Folder));
        Assert.Equal(0, epochs);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void One_versus_all_and_pairs_of_classes_have_checkpoints_for_each_training(bool pairs)
    {
        int epochs = 0;
        float[][] Fit(string? folder)
        {
            FeedbackAlignmentBinaryTrainer.Options options = new()
            {
                Network = NetworkDefinition.Mlp(8),
                NumberOfEpochs = 3,
                CheckpointFolder = folder,
                MetricsCallback = _ => epochs++,
            };
            MLContext context = new(5);
            FeedbackAlignmentBinaryTrainer trainer = context.BinaryClassification.Trainers.FeedbackAlignment(options);
            ITransformer model = pairs ? context.MulticlassClassification.Trainers.PairwiseCoupling(trainer).Fit(_iris)
                : context.MulticlassClassification.Trainers.OneVersusAll(trainer).Fit(_iris);
            return [.. model.Transform(_iris).GetColumn<float[]>("Score")];
        }
        float[][] expected = Fit(null);
        epochs = 0;
        Assert.Equal(expected, Fit(Folder));
        Assert.True(epochs >= 9);
        epochs = 0;
        Assert.Equal(expected, Fit(Folder));
        Assert.Equal(0, epochs);
    }

    /// <summary>Same data, same options: the model that a training starts from tells it from others.</summary>
    [Fact]
    public void Trainings_that_go_on_from_different_models_have_checkpoints_of_their_own()
    {
        FeedbackAlignmentMulticlassModelParameters Fit(string? folder, FeedbackAlignmentMulticlassModelParameters? model, int stopAfter = 99)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 4);
            using CancellationTokenSource stop = new();
            (options.CheckpointFolder, options.CancellationToken) = (folder, stop.Token);
            options.MetricsCallback = metrics =>
            {
                if (metrics.Epoch == stopAfter)
                    stop.Cancel();
            };
            FeedbackAlignmentMulticlassTrainer trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
            return (model == null ? trainer.Fit(_iris) : trainer.Fit(_iris, model)).Model;
        }
        FeedbackAlignmentMulticlassTrainer.Options other = Tables.Quick(epochs: 2);
        other.Seed = 9;
        FeedbackAlignmentMulticlassModelParameters first = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(Tables.Quick(epochs: 2))
            .Fit(_iris).Model, second = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(other).Fit(_iris).Model;
        FeedbackAlignmentMulticlassModelParameters?[] starts = [null, first, second];
        float[][] expected = [.. starts.Select(start => Weights(Fit(null, start)))];
        Assert.NotEqual(expected[1], expected[2]);
        foreach (FeedbackAlignmentMulticlassModelParameters? start in starts)
            Assert.Throws<OperationCanceledException>(() => Fit(Folder, start, stopAfter: 2));
        for (int i = 0; i < starts.Length; i++)
        {
            Assert.Equal(expected[i], Weights(Fit(Folder, starts[i])));
            Assert.Equal(expected[i], Weights(Fit(Folder, starts[i]))); // complete
        }
        // One folder for each of the three, and no more.
        Assert.Equal(2, Directory.GetDirectories(Folder).Length);

        static float[] Weights(FeedbackAlignmentMulticlassModelParameters model) =>
            [.. model.GetWeights().Values.SelectMany(tensor => tensor.Values.ToArray())];
    }

    [Fact]
    public void A_checkpoint_that_names_no_model_is_left_alone_by_a_training_that_goes_on_from_one()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 2);
        options.CheckpointFolder = Folder;
        FeedbackAlignmentMulticlassTrainer trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
        FeedbackAlignmentMulticlassModelParameters fresh = trainer.Fit(_iris).Model;
        List<string> warnings = [];
        _mlContext.Log += (_, message) =>
        {
            if (message.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(message.RawMessage);
        };
        FeedbackAlignmentMulticlassModelParameters further = trainer.Fit(_iris, fresh).Model;
        Assert.NotEqual(fresh.GetWeights()["dense1"].Values.ToArray(), further.GetWeights()["dense1"].Values.ToArray());
        Assert.Contains(warnings, warning => warning.Contains("does not say which model it started from", StringComparison.Ordinal));
        // And the one that is there still is the fresh training's.
        Tests.Trainers.PipelineTests.AssertSameWeights(fresh, trainer.Fit(_iris).Model);
    }

    /// <summary>Their arrays may be gigabytes: damage there is not even seen.</summary>
    [Fact]
    public void Of_the_other_trainings_in_a_folder_nothing_but_what_identifies_them_is_read()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 2);
        (options.CheckpointFolder, options.Network) = (Folder, NetworkDefinition.Mlp(200));
        List<string> warnings = [];
        _mlContext.Log += (_, message) =>
        {
            if (message.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(message.RawMessage);
        };
        void Fit(int rows) => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options)
            .Fit(_mlContext.Data.TakeRows(_iris, rows));
        Fit(140);
        foreach (string path in Directory.GetFiles(Folder, "checkpoint-*.zip"))
        {
            byte[] bytes = File.ReadAllBytes(path);
            bytes[bytes.Length * 2 / 3] ^= 1; // within the arrays
            File.WriteAllBytes(path, bytes);
        }
        Fit(145);
        Assert.Empty(warnings);
        // Its own training sees it, and begins anew.
        Fit(140);
        Assert.Contains(warnings, warning => warning.Contains("cannot be read and is passed over", StringComparison.Ordinal));
    }

    /// <summary>As many epochs as were wanted at first, then more: bit for bit what the longer training is from the start.</summary>
    [Theory, InlineData("constant"), InlineData("multistep"), InlineData("plateau")]
    public void A_complete_training_goes_on_to_more_epochs(string schedule)
    {
        FeedbackAlignmentMulticlassModelParameters Fit(int epochs, string? folder)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.BatchwiseRandomSignConcordant, epochs);
            options.Network = NetworkDefinition.Mlp(16) with { Dropout = 0.2f };
            options.CheckpointFolder = folder;
            options.Schedule = schedule == "constant" ? LearningRateSchedule.Constant with { WarmupEpochs = 2 }
                : schedule == "multistep" ? LearningRateSchedule.MultiStep(0.5, 2, 5) : LearningRateSchedule.ReduceOnPlateau(0.5, 2);
            return _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_iris).Model;
        }
        FeedbackAlignmentMulticlassModelParameters expected = Fit(7, null);
        Fit(3, Folder);
        Fit(5, Folder);
        FeedbackAlignmentMulticlassModelParameters longer = Fit(7, Folder);
        Tests.Trainers.PipelineTests.AssertSameWeights(expected, longer);
        Assert.Equal(expected.History.Select(epoch => epoch.Loss), longer.History.Select(epoch => epoch.Loss));
    }

    [Fact]
    public void A_schedule_that_depends_on_the_length_says_so_and_so_does_a_training_that_is_too_long()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 3);
        (options.CheckpointFolder, options.Schedule) = (Folder, LearningRateSchedule.Cosine());
        void Fit() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_iris);
        Fit();
        options.NumberOfEpochs = 5;
        string message = Assert.Throws<InvalidOperationException>(Fit).Message;
        Assert.Contains("NumberOfEpochs: then 3, now 5", message, StringComparison.Ordinal);
        Assert.Contains("depend on the number of epochs", message, StringComparison.Ordinal);
        options.NumberOfEpochs = 2;
        Assert.Contains("has trained more epochs than are wanted now", Assert.Throws<InvalidOperationException>(Fit).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_training_that_was_stopped_early_stays_over_with_more_epochs()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 6);
        (options.CheckpointFolder, options.Schedule) = (Folder, LearningRateSchedule.Constant);
        options.StopWhen = metrics => metrics.Epoch == 2;
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_iris);
        options.NumberOfEpochs = 9;
        Assert.Equal(2, _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(_iris).Model.History.Count);
    }
}
