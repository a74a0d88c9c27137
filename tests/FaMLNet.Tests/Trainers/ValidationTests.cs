using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Validation, early stopping, class weights, label smoothing, gradient clipping, continued training.</summary>
public sealed class ValidationTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Fact]
    public void A_share_that_a_set_of_its_own_replaces_is_said()
    {
        List<string> warnings = [];
        _mlContext.Log += (_, message) =>
        {
            if (message.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(message.RawMessage);
        };
        (IDataView train, IDataView test) = Split("iris");
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
        options.ValidationFraction = 0.2;
        Trainer(options).Fit(train, test);
        Assert.Contains(warnings, warning => warning.StartsWith("Option ValidationFraction is not used", StringComparison.Ordinal));
    }

    [Fact]
    public void A_validation_set_is_measured_as_the_evaluator_measures_the_model()
    {
        foreach (FeedbackAlignmentMulticlassTrainer.Options options in new[]
        {
            Tables.Quick(epochs: 4),
            new() { Network = NetworkDefinition.Mlp(16) with { Normalization = Normalization.Batch, Dropout = 0.3f }, NumberOfEpochs = 4, Seed = 1 },
            new() { Network = NetworkDefinition.Sequential(new Layer.Conv2d(4, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU),
                new Layer.Flatten(), new Layer.Dropout(0.2f), new Layer.Dense()), NumberOfEpochs = 2, Seed = 1 },
        })
        {
            (IDataView train, IDataView test) = Split("digits");
            options.TopK = 3;
            var model = Trainer(options).Fit(train, test);
            MulticlassClassificationMetrics metrics = _mlContext.MulticlassClassification.Evaluate(model.Transform(test), topKPredictionCount: 3);
            EpochMetrics last = model.Model.History[^1];
            Assert.Equal(metrics.MicroAccuracy, last.ValidationAccuracy!.Value, 1e-9);
            Assert.Equal(metrics.LogLoss, last.ValidationLoss!.Value, 1e-4);
            Assert.Equal(metrics.TopKAccuracy, last.ValidationTopKAccuracy!.Value, 1e-9);
        }
    }

    [Fact]
    public void Measuring_validation_does_not_change_the_training()
    {
        (IDataView train, IDataView test) = Split("wine");
        FeedbackAlignmentMulticlassTrainer.Options options =
            new()
            {
                Network = NetworkDefinition.Mlp(12) with { Normalization = Normalization.Batch, Dropout = 0.2f },
                NumberOfEpochs = 5,
                Seed = 1,
                Rule = FeedbackRule.DirectFeedbackAlignment
            };
        PipelineTests.AssertSameWeights(Trainer(options).Fit(train).Model, Trainer(options).Fit(train, test).Model);
    }

    [Fact]
    public void A_validation_fraction_is_stratified_seeded_and_not_trained_on()
    {
        TrainingData Data()
        {
            TrainingData data = new(1, 3);
            for (int row = 0; row < 400; row++)
            {
                data.Next()[0] = row;
                data.Commit(row < 300 ? 0 : row < 399 ? 1 : 2, null);
            }
            return data;
        }
        InMemoryRows rows = new(Data(), validationFraction: 0.2, seed: 1);
        int[] aside = rows.Validation!.Rows;
        Assert.Equal(60, aside.Count(row => row < 300));
        Assert.Equal(20, aside.Count(row => row is >= 300 and < 399));
        Assert.DoesNotContain(399, aside); // the only row of its class
        Assert.Equal(320, rows.Count);
        int[] trained = [.. rows.Epoch(32, new RandomGenerator(1, "shuffle"), 0).SelectMany(batch => batch.Rows.ToArray())];
        Assert.Equal(Enumerable.Range(0, 400).Except(aside), trained.Order());
        Assert.Equal(aside, new InMemoryRows(Data(), validationFraction: 0.2, seed: 1).Validation!.Rows);
        Assert.NotEqual(aside, new InMemoryRows(Data(), validationFraction: 0.2, seed: 2).Validation!.Rows);

        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 3);
        options.ValidationFraction = 0.25;
        Assert.All(Trainer(options).Fit(Load("iris")).Model.History, epoch => Assert.InRange(epoch.ValidationAccuracy!.Value, 0, 1));
        options.ValidationFraction = 1e-6;
        Assert.Contains("ValidationFraction", Assert.Throws<FaMLNet.Errors.NoRowLeftException>(() => Trainer(options).Fit(Load("iris"))).Message,
            StringComparison.Ordinal);
    }

    /// <summary>Labels that no feature tells of: the error on the validation rows differs with the rows alone.</summary>
    [Theory, InlineData(DataCaching.InMemory), InlineData(DataCaching.Streaming)]
    public void The_rows_kept_aside_follow_a_seed_of_their_own(DataCaching caching)
    {
        MLContext mlContext = new(1);
        IDataView data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 200).Select(row => new Unlearnable { Label = row * row }));
        double one = Error(1, null), other = Error(2, null), fixedOne = Error(1, 7), fixedOther = Error(2, 7), own = Error(7, null);
        Assert.True(Math.Abs(one - other) > 10, $"{one} {other}");
        Assert.InRange(fixedOne - fixedOther, -1, 1);
        Assert.InRange(fixedOne - own, -1, 1);

        double Error(int seed, int? validationSeed) => mlContext.Regression.Trainers.FeedbackAlignment(
            new FeedbackAlignmentRegressionTrainer.Options
            {
                Network = NetworkDefinition.Mlp(),
                Rule = FeedbackRule.Backpropagation,
                Optimizer = new OptimizerOptions.Sgd { LearningRate = 1e-6f },
                NumberOfEpochs = 1,
                ValidationFraction = 0.2,
                Seed = seed,
                ValidationSeed = validationSeed,
                DataCaching = caching,
            }).Fit(data).Model.History[0].ValidationRootMeanSquaredError!.Value;
    }

    private sealed class Unlearnable
    {
        [VectorType(1)]
        public float[] Features { get; set; } = [0];

        public float Label { get; set; }
    }

    [Fact]
    public void Early_stopping_ends_the_training_and_restores_the_best_epoch()
    {
        (IDataView train, IDataView test) = Split("digits");
        FeedbackAlignmentMulticlassTrainer.Options options = new()
        {
            Rule = FeedbackRule.Backpropagation,
            Network = NetworkDefinition.Mlp(64),
            Optimizer = new OptimizerOptions.Adam { LearningRate = 0.02f }, // fast enough to overfit
            Schedule = LearningRateSchedule.Constant,
            NumberOfEpochs = 500,
            Seed = 1,
            EarlyStopping = new EarlyStopping { Patience = 4 },
        };
        FeedbackAlignmentMulticlassModelParameters stopped = Trainer(options).Fit(train, test).Model;
        int best = stopped.History.MinBy(epoch => epoch.ValidationLoss)!.Epoch;
        Assert.Equal(best + 4, stopped.History.Count);
        // The model is that of the best epoch, to the bit.
        options.EarlyStopping = null;
        options.NumberOfEpochs = best;
        PipelineTests.AssertSameWeights(Trainer(options).Fit(train, test).Model, stopped);
        // The last epoch's is at hand beside it, and only where the two are not one.
        options.NumberOfEpochs = stopped.History.Count;
        FeedbackAlignmentMulticlassModelParameters whole = Trainer(options).Fit(train, test).Model;
        PipelineTests.AssertSameWeights(whole, stopped.LastEpochModel!);
        Assert.Equal(stopped.History.Count, stopped.LastEpochModel!.History.Count);
        Assert.Null(whole.LastEpochModel);

        options.NumberOfEpochs = 500;
        options.EarlyStopping = new EarlyStopping { Metric = StoppingMetric.ValidationLoss };
        Assert.Contains("ValidationFraction", Assert.Throws<InvalidOperationException>(() => Trainer(options).Fit(train)).Message,
            StringComparison.Ordinal);
        options.EarlyStopping = new EarlyStopping { Metric = StoppingMetric.TrainingLoss, MinimumDelta = 1000, Patience = 3, RestoreBest = false };
        Assert.Equal(4, Trainer(options).Fit(train).Model.History.Count);
    }

    [Fact]
    public void Early_stopping_judges_by_its_metric()
    {
        EpochMetrics[] history = [.. new[] { (0.5, 0.7), (0.4, 0.8), (0.41, 0.9), (0.45, 0.85), (0.39, 0.86) }.Select((pair, i) =>
            new EpochMetrics { Epoch = i + 1, Loss = 1 - i, Accuracy = 0, LearningRate = 1, SamplesPerSecond = 1, ValidationLoss = pair.Item1,
                ValidationAccuracy = pair.Item2 })];
        Assert.Equal((5, false), new EarlyStopping { Patience = 2 }.Judge(history));
        Assert.Equal((2, true), new EarlyStopping { Patience = 2 }.Judge(history[..4]));
        Assert.Equal((2, true), new EarlyStopping { Patience = 3, MinimumDelta = 0.02 }.Judge(history));
        Assert.Equal((3, true), new EarlyStopping { Patience = 2, Metric = StoppingMetric.ValidationAccuracy }.Judge(history));
        Assert.Equal((5, false), new EarlyStopping { Patience = 1, Metric = StoppingMetric.TrainingLoss }.Judge(history));
    }

    [Fact]
    public void Class_weights_make_rare_classes_count()
    {
        // Nine rows of the first class to one of the second, the same features: the probabilities become the weighted shares.
        IDataView data = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 400)
            .Select(i => new Row { Label = i % 10 == 0 ? 1u : 0u, Weight = 1 }));
        float Probability(ClassWeights? weights, string? column = null)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = new()
            {
                LabelColumnName = "Label",
                ExampleWeightColumnName = column,
                Rule = FeedbackRule.Backpropagation,
                Network = NetworkDefinition.Mlp(),
                NumberOfEpochs = 60,
                Seed = 1,
                ClassWeights = weights,
                Optimizer = new OptimizerOptions.Adam { LearningRate = 0.02f },
            };
            return _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(data).Transform(data).GetColumn<float[]>("Score")
                .First()[1];
        }
        Assert.Equal(0.1, Probability(null), 0.02);
        Assert.Equal(0.5, Probability(ClassWeights.Balanced), 0.03);
        Assert.Equal(0.5, Probability(ClassWeights.Balanced, "Weight"), 0.03);
        Assert.Equal(0.25, Probability(ClassWeights.Explicit(1, 3)), 0.03);
        Assert.Contains("3 weights for 2 classes", Assert.Throws<ArgumentException>(() => Probability(ClassWeights.Explicit(1, 2, 3))).Message,
            StringComparison.Ordinal);
        Assert.Contains("all weights are 0", Assert.Throws<ArgumentException>(() => Probability(ClassWeights.Explicit(0, 0))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Training_continues_from_a_model()
    {
        IDataView data = Load("digits");
        foreach (FeedbackRule rule in Feedback.Rules.Six)
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(rule, epochs: 5);
            FeedbackAlignmentMulticlassModelParameters first = Trainer(options).Fit(data).Model;
            options.NumberOfEpochs = 1;
            options.Optimizer = new OptimizerOptions.Sgd { LearningRate = 1e-9f, Momentum = 0 };
            FeedbackAlignmentMulticlassModelParameters second = Trainer(options).Fit(data, first).Model;
            // A step of next to nothing leaves the weights where they were, to rounding.
            foreach ((string name, ParameterTensor tensor) in first.GetParameters())
                Assert.All(tensor.Values.ToArray().Zip(second.GetParameters()[name].Values.ToArray()), pair =>
                    Assert.Equal(pair.First, pair.Second, 1e-4));
            if (rule.ShortName is "fa" or "dfa")
                Assert.Equal(first.GetFeedbackWeights()["dense2"].Values.ToArray(), second.GetFeedbackWeights()["dense2"].Values.ToArray());
            Assert.True(Math.Abs(first.History[^1].Loss - second.History[0].Loss) < 0.3 * first.History[0].Loss);
        }
        FeedbackAlignmentMulticlassModelParameters small = Trainer(Tables.Quick(epochs: 1)).Fit(data).Model;
        FeedbackAlignmentMulticlassTrainer.Options other = Tables.Quick(epochs: 1);
        other.Network = NetworkDefinition.Mlp(5);
        Assert.Contains("Set Network to the model's", Assert.Throws<ArgumentException>(() => Trainer(other).Fit(data, small)).Message,
            StringComparison.Ordinal);
        Assert.Contains("64 features and 10 classes; the training data has 4 and 3",
            Assert.Throws<ArgumentException>(() => Trainer(Tables.Quick(epochs: 1)).Fit(Load("iris"), small)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_convolutional_model_continues_with_its_own_standardisation()
    {
        IDataView data = Load("digits");
        FeedbackAlignmentMulticlassTrainer.Options options = new()
        {
            Network = NetworkDefinition.Sequential(new Layer.Conv2d(4, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU),
                new Layer.Flatten(), new Layer.Dense()),
            NumberOfEpochs = 2,
            Seed = 1,
            Rule = FeedbackRule.FixedRandomSignConcordant,
        };
        FeedbackAlignmentMulticlassModelParameters first = Trainer(options).Fit(data).Model, second = Trainer(options).Fit(data, first).Model;
        Assert.Equal(first.GetParameters()["input.mean"].Values.ToArray(), second.GetParameters()["input.mean"].Values.ToArray());
        Assert.True(second.History[0].Loss < first.History[0].Loss * 0.7);
        options.Rule = FeedbackRule.DirectFeedbackAlignment; // another rule: its feedback is drawn anew
        Assert.True(Trainer(options).Fit(data, first).Model.History[0].Loss < first.History[0].Loss * 0.7);
    }

    private FeedbackAlignmentMulticlassTrainer Trainer(FeedbackAlignmentMulticlassTrainer.Options options) =>
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);

    private IDataView Load(string name)
    {
        IDataView data = Tables.Load(_mlContext, name);
        return _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMinMax("Features")).Fit(data)
            .Transform(data);
    }

    private (IDataView Train, IDataView Test) Split(string name)
    {
        DataOperationsCatalog.TrainTestData split = _mlContext.Data.TrainTestSplit(Load(name), testFraction: 0.3, seed: 1);
        return (split.TrainSet, split.TestSet);
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [1, 2];

        [KeyType(2)]
        public uint Label { get; set; }

        public float Weight { get; set; }
    }
}
