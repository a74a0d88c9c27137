using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Every mistake gets an exception that names the column or option, and the cure, before any long work starts.</summary>
public sealed class BadInputTests
{
    // In a class, keys count from 0 and whatever is beyond the last is missing.
    private const uint Missing = uint.MaxValue;
    private readonly MLContext _mlContext = new(seed: 1);

    [Fact]
    public void Missing_columns_are_named_with_those_that_are_there()
    {
        Fails<ArgumentException>(() => Trainer(o => o.FeatureColumnName = "Pixels").Fit(Data(Row())), "Feature column 'Pixels' not found",
            "'Features'");
        Fails<ArgumentException>(() => Trainer(o => o.LabelColumnName = "Species").Fit(Data(Row())), "Label column 'Species' not found", "'Key'");
        Fails<ArgumentException>(() => Trainer(o => o.ExampleWeightColumnName = "W").Fit(Data(Row())), "Example weight column 'W' not found",
            "'Weight'");
    }

    [Fact]
    public void Wrongly_typed_columns_are_named_with_the_cure()
    {
        Fails<ArgumentException>(() => Trainer(o => o.LabelColumnName = "Text").Fit(Data(Row())), "Label column 'Text' must be a key", "found String",
            "MapValueToKey(\"Text\")");
        Fails<ArgumentException>(() => Trainer(o => o.LabelColumnName = "Number").Fit(Data(Row())), "Label column 'Number' must be a key",
            "MapValueToKey(\"Number\")");
        Fails<ArgumentException>(() => Trainer(o => o.LabelColumnName = "Features").Fit(Data(Row())), "Label column 'Features'", "one label a row");
        Fails<ArgumentException>(() => Trainer(o => o.FeatureColumnName = "Weight").Fit(Data(Row())), "Feature column 'Weight' must be a vector",
            "Concatenate");
        Fails<ArgumentException>(() => Trainer(o => o.FeatureColumnName = "Doubles").Fit(Data(Row())), "Feature column 'Doubles'", "Vector<Double",
            "ConvertType");
        Fails<ArgumentException>(() => Trainer(o => o.FeatureColumnName = "Variable").Fit(Data(Row())), "Feature column 'Variable'", "known size",
            "VectorType");
        Fails<ArgumentException>(() => Trainer(o => o.ExampleWeightColumnName = "Text").Fit(Data(Row())),
            "Example weight column 'Text' must be Single", "ConvertType");
    }

    [Fact]
    public void Wrong_columns_are_found_before_a_pipeline_is_fitted()
    {
        // Fit of a chain asks for the schema first, so that nothing upstream runs in vain.
        var pipeline = _mlContext.Transforms.CopyColumns("Copy", "Features").Append(Trainer(o => o.LabelColumnName = "Text"));
        Fails<ArgumentException>(() => pipeline.GetOutputSchema(Tables.ShapeOf(Data(Row()))), "Label column 'Text'", "MapValueToKey");
    }

    [Fact]
    public void Data_that_cannot_be_trained_on_is_refused_with_the_reason()
    {
        Fails<InvalidOperationException>(() => Trainer().Fit(Data()), "no rows");
        Fails<InvalidOperationException>(() => Trainer().Fit(Data(Row(), Row(), Row())),
            "All 3 usable rows have the same label in column 'Key' (key 1)");
        Fails<InvalidOperationException>(() => Trainer().Fit(Data(Row(r => r.Key = Missing), Row(r => r.Key = Missing))),
            "all 2 rows have a missing label in column 'Key'", "MapValueToKey");
        Fails<InvalidOperationException>(() => Trainer()
            .Fit(Data(Row(r => r.Features = [1, float.NaN, 0]), Row(r => r.Features = [float.NaN, 0, 0]))),
            "all 2 rows have missing (NaN) features in column 'Features'", "ReplaceMissingValues");
        Fails<InvalidOperationException>(() => Trainer().Fit(Data(Row(), Row(r => r.Features = [0, 0, float.PositiveInfinity]))),
            "Feature column 'Features', row 2, slot 2", "must be finite");
        Fails<InvalidOperationException>(() => Trainer().Fit(Data(Row(), Row(r => r.Features = [float.NegativeInfinity, 0, 0]))), "row 2, slot 0");
        Fails<InvalidOperationException>(() => Trainer(o => o.ExampleWeightColumnName = "Weight")
            .Fit(Data(Row(r => r.Weight = -1), Row(r => r.Key = 1))), "Example weight column 'Weight', row 1", "at least 0");
        Fails<InvalidOperationException>(() => Trainer(o => o.ExampleWeightColumnName = "Weight")
            .Fit(Data(Row(r => r.Weight = 0), Row(r => { r.Key = 1; r.Weight = 0; }))), "All weights in example weight column 'Weight' are 0");
        Fails<InvalidOperationException>(() => Trainer(o => o.LabelColumnName = "OneKey").Fit(Data(Row(), Row())),
            "Label column 'OneKey' has 1 class");
    }

    [Fact]
    public void Rows_with_something_missing_are_left_out_and_counted()
    {
        List<string> messages = [];
        _mlContext.Log += (_, message) => messages.Add(message.Message);
        IDataView data = Data(Row(), Row(r => r.Key = 1), Row(r => r.Key = Missing), Row(r => r.Features = [0, float.NaN, 0]),
            Row(r => r.Weight = float.NaN), Row(r => r.Key = 2));
        FeedbackAlignmentMulticlassModelParameters model = Trainer(o => o.ExampleWeightColumnName = "Weight").Fit(data).Model;
        Assert.Contains(messages, message => message.Contains(
            "Left out 3 of 6 rows: 1 with missing (NaN) features, 1 with a missing label, 1 with a missing (NaN) weight", StringComparison.Ordinal));
        Assert.Equal(3, model.NumberOfClasses);
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        Fails<ArgumentException>(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(learningRate: -1),
            "LearningRate must be above 0", "found -1");
        Fails<ArgumentException>(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(learningRate: float.NaN), "LearningRate");
        Fails<ArgumentException>(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(numberOfEpochs: 0),
            "NumberOfEpochs must be at least 1; found 0");
        Fails<ArgumentException>(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(batchSize: 0),
            "BatchSize must be at least 1; found 0");
        Fails<ArgumentException>(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(labelColumnName: ""), "LabelColumnName");
        Fails<ArgumentException>(() => NetworkDefinition.Mlp(10, 0), "hidden layer 2", "found 0");
        Fails<ArgumentException>(() => NetworkDefinition.Mlp(-3), "hidden layer 1", "found -3");
        Fails<ArgumentException>(() => Trainer(o => o.Network = NetworkDefinition.Mlp(3) with { Dropout = 1 }), "Dropout", "found 1");
        Fails<ArgumentException>(() => Trainer(o => o.Network = NetworkDefinition.Mlp(3) with { Activation = (Activation)99 }), "Activation", "ReLU",
            "found 99");
        Fails<ArgumentException>(() => Trainer(o =>
            { o.Network = NetworkDefinition.Mlp(3) with { Normalization = Normalization.Batch }; o.BatchSize = 1; }),
            "BatchSize must be at least 2 with batch normalisation");
        Fails<ArgumentException>(() => Trainer(o => o.Optimizer = new OptimizerOptions.Sgd { Momentum = 1 }), "Sgd.Momentum", "below 1", "found 1");
        Fails<ArgumentException>(() => Trainer(o => o.Optimizer = new OptimizerOptions.Sgd { Momentum = 0, Nesterov = true }),
            "Nesterov needs a Momentum");
        Fails<ArgumentException>(() => Trainer(o => o.Optimizer = new OptimizerOptions.Adam { Beta2 = -0.1f }), "Adam.Beta2");
        Fails<ArgumentException>(() => Trainer(o => o.Optimizer = new OptimizerOptions.AdamW { Epsilon = 0 }), "AdamW.Epsilon must be above 0");
        Fails<ArgumentException>(() => Trainer(o => o.Optimizer = new OptimizerOptions.RmsProp { WeightDecay = -1 }), "RmsProp.WeightDecay");
        Fails<ArgumentException>(() => Trainer(o => o.InitialWeightScale = 0), "InitialWeightScale must be above 0");
        Fails<ArgumentException>(() => Trainer(o => o.FeedbackScale = -1), "FeedbackScale must be above 0");
        Fails<ArgumentException>(() => Trainer(o => o.NumberOfThreads = 0), "NumberOfThreads must be at least 1");
        Fails<ArgumentException>(() => Trainer(o => o.Rule = null!), "Option Rule");
        Fails<ArgumentException>(() => FeedbackRule.Parse("backprop"), "Unknown feedback rule 'backprop'", "bp, fa, dfa, usf, brsf, frsf");
    }

    [Fact]
    public void Single_rows_are_refused_wherever_there_is_batch_normalisation()
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(Training.Autograd.TwoBranchesFactory).Assembly);
        IDataView digits = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(Tables.Load(_mlContext, "digits"))
            .Transform(Tables.Load(_mlContext, "digits"));
        foreach (NetworkDefinition network in new NetworkDefinition[]
        {
            NetworkDefinition.Mlp(4) with { Normalization = Normalization.Batch }, NetworkDefinition.ResNet(20), NetworkDefinition.DenseNet121(),
                NetworkDefinition.Custom("two-branches"), Branches(new Layer.Residual([new Layer.BatchNorm()], [])),
                Branches(new Layer.Residual([], [new Layer.Concatenate([new Layer.BatchNorm()])])),
        })
        {
            Fails<ArgumentException>(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
                new FeedbackAlignmentMulticlassTrainer.Options
                {
                    Network = network,
                    BatchSize = 1,
                    NumberOfEpochs = 1,
                    ImageShape = network is MlpDefinition ? null : new ImageShape(1, 8, 8),
                }).Fit(digits), "BatchSize must be at least 2 with batch normalisation", "found 1");
        }

        static NetworkDefinition Branches(Layer layer) => NetworkDefinition.Sequential(layer, new Layer.Flatten(), new Layer.Dense());
    }

    [Fact]
    public void A_network_too_large_for_memory_is_refused_by_name()
    {
        FeedbackAlignmentMulticlassTrainer trainer = Trainer(o => o.Network = NetworkDefinition.Mlp(1 << 20, 1 << 20));
        Fails<ArgumentException>(() => trainer.Fit(Data(Row(), Row(r => r.Key = 1))), "Option Network", "dense2.weight", "Choose fewer hidden units");
    }

    private static void Fails<TException>(Action action, params string[] parts) where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    private FeedbackAlignmentMulticlassTrainer Trainer(Action<FeedbackAlignmentMulticlassTrainer.Options>? change = null)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick();
        options.LabelColumnName = "Key";
        change?.Invoke(options);
        return _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
    }

    private IDataView Data(params AnyRow[] rows) => _mlContext.Data.LoadFromEnumerable(rows);

    private static AnyRow Row(Action<AnyRow>? change = null)
    {
        AnyRow row = new();
        change?.Invoke(row);
        return row;
    }

    private sealed class AnyRow
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [1, 2, 3];

        [VectorType(3)]
        public double[] Doubles { get; set; } = [1, 2, 3];

        public float[] Variable { get; set; } = [1];

        public string Text { get; set; } = "a";

        public float Number { get; set; }

        [KeyType(3)]
        public uint Key { get; set; }

        [KeyType(1)]
        public uint OneKey { get; set; }

        public float Weight { get; set; } = 1;
    }
}
