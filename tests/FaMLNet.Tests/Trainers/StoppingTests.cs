using FaMLNet.Computing.Kernels;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Trainings that end before their last epoch because someone says so.</summary>
public sealed class StoppingTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-stopping");
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly List<string> _log = [];

    public StoppingTests() => _mlContext.Log += (_, message) =>
    {
        if (message.Kind is ChannelMessageKind.Info or ChannelMessageKind.Warning)
            _log.Add(message.RawMessage);
    };

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void A_condition_ends_the_training_and_keeps_the_model()
    {
        List<int> asked = [], told = [];
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 10);
        options.StopWhen = metrics =>
        {
            asked.Add(metrics.Epoch);
            return metrics.Epoch == 4;
        };
        options.MetricsCallback = metrics => told.Add(metrics.Epoch);
        FeedbackAlignmentMulticlassModelParameters stopped = Fit(options);
        Assert.Equal([1, 2, 3, 4], asked);
        Assert.Equal(asked, told);
        Assert.Equal(4, stopped.History.Count);
        Assert.Contains(_log, line => line.Contains("Stopped after epoch 4 of 10: option StopWhen was true.", StringComparison.Ordinal));
        // The weights are those of that epoch: those of a training that has no more (the rate is constant).
        FeedbackAlignmentMulticlassTrainer.Options four = Tables.Quick(epochs: 4);
        (options.Schedule, four.Schedule) = (LearningRateSchedule.Constant, LearningRateSchedule.Constant);
        Equal(Fit(four), Fit(options));
    }

    [Fact]
    public void A_training_ends_when_it_is_good_enough()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = new() { Rule = FeedbackRule.Backpropagation, ValidationFraction = 0.3, Seed = 1 };
        options.StopWhen = metrics => metrics.ValidationAccuracy > 0.9;
        IReadOnlyList<EpochMetrics> history = Fit(options).History;
        Assert.InRange(history.Count, 2, options.NumberOfEpochs - 1);
        Assert.True(history[^1].ValidationAccuracy > 0.9);
        Assert.All(history.SkipLast(1), epoch => Assert.False(epoch.ValidationAccuracy > 0.9));
    }

    [Fact]
    public void The_best_weights_are_restored_where_early_stopping_asks_for_them()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 10);
        options.ValidationFraction = 0.3;
        options.EarlyStopping = new EarlyStopping { Patience = 10 };
        List<double> losses = [];
        options.StopWhen = metrics =>
        {
            losses.Add(metrics.ValidationLoss!.Value);
            return metrics.Epoch == 5;
        };
        FeedbackAlignmentMulticlassModelParameters model = Fit(options);
        Assert.Equal(5, model.History.Count);
        bool areTheSame = model.GetWeights().All(pair => pair.Value.Values.ToArray()
            .SequenceEqual(model.LastEpochModel!.GetWeights()[pair.Key].Values.ToArray()));
        Assert.Equal(losses.IndexOf(losses.Min()) == 4, areTheSame);
    }

    [Fact]
    public void A_training_that_was_ended_is_over_when_it_is_fitted_again()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 10);
        options.CheckpointFolder = Path.Combine(_root.FullName, "state");
        options.StopWhen = metrics => metrics.Epoch == 3;
        FeedbackAlignmentMulticlassModelParameters first = Fit(options);
        options.StopWhen = _ => throw new InvalidOperationException("no epoch is trained");
        FeedbackAlignmentMulticlassModelParameters again = Fit(options);
        Equal(first, again);
        Assert.Equal(3, again.History.Count);
        Assert.Contains(_log, line => line.Contains("was ended by option StopWhen after 3 of 10 epochs", StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_condition_throws_reaches_the_caller()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick();
        options.StopWhen = _ => throw new InvalidDataException("of one's own");
        Assert.Equal("of one's own", Assert.Throws<InvalidDataException>(() => Fit(options)).Message);
    }

    /// <summary>The preparation of a network can be cancelled between any two trials of its convolutions, and leaves nothing behind.</summary>
    [Fact]
    public void The_search_for_right_convolutions_can_be_cancelled()
    {
        ConvolutionGuard guard = new(() => false, ConvolutionGuard.Plain, ConvolutionGuard.Unfolded);
        ConvolutionShape shape = new(new ImageShape(3, 8, 8), 4, 3, 1, 1, 1, 1, ConvolutionUse.InputGradient, ChannelsLast: false);
        int calls = 0;
        Assert.Throws<OperationCanceledException>(() => guard.Choose(shape, () =>
        {
            if (++calls == 2)
                throw new OperationCanceledException();
        }));
        Assert.Equal(2, calls);
        calls = 0;
        Assert.NotNull(guard.Choose(shape, () => calls++));
        Assert.True(calls > 0);
        // Known by now.
        calls = 0;
        guard.Choose(shape, () => calls++);
        Assert.Equal(0, calls);
    }

    [Fact]
    public void A_convolutional_training_is_cancelled_before_its_first_step()
    {
        using CancellationTokenSource stop = new();
        int steps = 0;
        FeedbackAlignmentMulticlassTrainer.Options options = new()
        {
            Network = NetworkDefinition.LeNet(),
            ImageShape = new ImageShape(1, 8, 8),
            NumberOfEpochs = 1,
            CancellationToken = stop.Token,
            DiagnosticsEverySteps = 1,
            StepCallback = _ => steps++,
        };
        // The rows have been read when the log says so; the network is prepared after that.
        _mlContext.Log += (_, message) =>
        {
            if (message.RawMessage.StartsWith("Training ", StringComparison.Ordinal))
                stop.Cancel();
        };
        Assert.Throws<OperationCanceledException>(() => Tables.Pipeline(_mlContext, options).Fit(Tables.Load(_mlContext, "digits")));
        Assert.Equal(0, steps);
    }

    /// <summary>A row may take long to make, for example a photograph to decode: not one more is read.</summary>
    [Theory, InlineData(DataCaching.InMemory, FeatureStorage.Dense, 300), InlineData(DataCaching.InMemory, FeatureStorage.Sparse, 300),
        InlineData(DataCaching.Streaming, FeatureStorage.Dense, 300), InlineData(DataCaching.Streaming, FeatureStorage.Sparse, 300),
        InlineData(DataCaching.Streaming, FeatureStorage.Dense, 700)] // the last: within the first epoch
    public void Reading_ends_at_the_row_at_which_it_is_cancelled(DataCaching caching, FeatureStorage storage, int at)
    {
        using CancellationTokenSource stop = new();
        int read = 0;
        FeedbackAlignmentBinaryTrainer.Options options = new() { NumberOfEpochs = 3 };
        (options.DataCaching, options.FeatureStorage, options.CancellationToken) = (caching, storage, stop.Token);
        Assert.Throws<OperationCanceledException>(() => _mlContext.BinaryClassification.Trainers.FeedbackAlignment(options)
            .Fit(_mlContext.Data.LoadFromEnumerable(Rows())));
        Assert.Equal(at, read);

        IEnumerable<Row> Rows()
        {
            for (int row = 0; row < 500; row++)
            {
                if (++read == at)
                    stop.Cancel();
                yield return new Row { Features = [row % 7, 0, row % 3], Label = row % 2 == 0 };
            }
        }
    }

    /// <summary>ML.NET reads ahead of the steps of a pipeline, but no more than some thousand rows.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Reading_rows_to_attack_ends_when_it_is_cancelled(bool examples)
    {
        const int All = 300_000;
        using CancellationTokenSource stop = new();
        int read = 0;
        IEnumerable<Row> Rows(int count)
        {
            for (int row = 0; row < count; row++)
            {
                if (++read == 30 && count == All)
                    stop.Cancel();
                yield return new Row { Features = [row % 7, 0, row % 3], Label = row % 2 == 0 };
            }
        }
        ITransformer model = _mlContext.BinaryClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentBinaryTrainer.Options
        {
            NumberOfEpochs = 1
        }).Fit(_mlContext.Data.LoadFromEnumerable(Rows(100)));
        read = 0;
        IDataView data = _mlContext.Data.LoadFromEnumerable(Rows(All));
        RobustnessOptions options = new() { CancellationToken = stop.Token };
        Assert.Throws<OperationCanceledException>(() => examples
            ? (object)_mlContext.BinaryClassification.CreateAdversarialExamples(model, data, Attack.Fgsm(0.1f), options)
            : _mlContext.BinaryClassification.EvaluateRobustness(model, data, [Attack.Fgsm(0.1f)], options));
        Assert.InRange(read, 30, All / 10);
    }

    [Fact]
    public void A_fold_that_is_cancelled_ends_the_cross_validation()
    {
        using CancellationTokenSource stop = new();
        List<int> epochs = [];
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 3);
        options.CancellationToken = stop.Token;
        options.MetricsCallback = metrics =>
        {
            epochs.Add(metrics.Epoch);
            if (epochs.Count == 4)
                stop.Cancel();
        };
        IDataView data = Tables.Load(_mlContext, "iris");
        Assert.Throws<OperationCanceledException>(() =>
            _mlContext.MulticlassClassification.CrossValidate(data, Tables.Pipeline(_mlContext, options), 5));
        Assert.Equal([1, 2, 3, 1], epochs);
    }

    private sealed class Row
    {
        [Microsoft.ML.Data.VectorType(3)]
        public float[] Features { get; set; } = [0, 0, 0];

        public bool Label { get; set; }
    }

    private FeedbackAlignmentMulticlassModelParameters Fit(FeedbackAlignmentMulticlassTrainer.Options options) =>
        Tables.ModelOf(Tables.Pipeline(_mlContext, options).Fit(Tables.Load(_mlContext, "iris")));

    private static void Equal(FeedbackAlignmentMulticlassModelParameters one, FeedbackAlignmentMulticlassModelParameters other) =>
        Assert.All(one.GetWeights(), pair => Assert.Equal(pair.Value.Values.ToArray(), other.GetWeights()[pair.Key].Values.ToArray()));
}
