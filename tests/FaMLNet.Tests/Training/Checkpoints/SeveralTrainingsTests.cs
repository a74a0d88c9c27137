using FaMLNet.Training.Checkpoints;
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
