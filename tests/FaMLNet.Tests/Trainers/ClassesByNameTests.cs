using FaMLNet.Tests.Robustness;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>Models, training data and validation sets are compared by the values of their classes, not by the numbers of their keys.</summary>
public sealed class ClassesByNameTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _iris;
    private readonly ITransformer _scale;

    public ClassesByNameTests()
    {
        _iris = Tables.Load(_mlContext, "iris");
        _scale = _mlContext.Transforms.NormalizeMeanVariance("Features").Fit(_iris);
    }

    private MulticlassClassificationCatalog Catalog => _mlContext.MulticlassClassification;

    /// <summary>At a rate of 1e-8 nothing can change, in whatever order the classes come.</summary>
    [Theory]
    [InlineData("bp", "dense", "2 1 0"), InlineData("fa", "dense", "1 2 0"), InlineData("dfa", "dense", "2 0 1")]
    [InlineData("drtp", "dense", "2 1 0"), InlineData("kp", "dense", "1 2 0"), InlineData("pfa", "dense", "2 1 0")]
    [InlineData("pepita", "dense", "2 0 1"), InlineData("brsf", "dense", "2 1 0"), InlineData("fa", "skip", "1 2 0")]
    [InlineData("dfa", "norm", "2 0 1")]
    [InlineData("fa", "graph", "1 2 0"), InlineData("dfa", "graph", "2 0 1")]
    public void A_training_goes_on_whatever_the_order_of_the_keys(string rule, string network, string order)
    {
        FeedbackAlignmentMulticlassTransformer first = Catalog.Trainers.FeedbackAlignment(Options(rule, network, 60, rate: null)).Fit(Keyed("0 1 2"));
        IDataView other = Keyed(order);
        FeedbackAlignmentMulticlassTransformer second = Catalog.Trainers.FeedbackAlignment(Options(rule, network, 1, 1e-8f)).Fit(other, first.Model);
        double before = Catalog.Evaluate(first.Transform(Keyed("0 1 2"))).MicroAccuracy;
        Assert.True(before > 0.6, $"{before}");
        Assert.Equal(before, Catalog.Evaluate(second.Transform(other)).MicroAccuracy, 0.01);
        // The predicted words are the same, and so is the probability of each.
        Assert.Equal(Words(first.Transform(Keyed("0 1 2"))), Words(second.Transform(other)));
    }

    /// <summary>The feedback weights follow their outputs: a second training goes the way that it goes with the keys of the first.</summary>
    [Theory, InlineData("fa"), InlineData("dfa"), InlineData("usf"), InlineData("pepita")]
    public void Reordering_the_keys_changes_the_training_by_rounding_only(string rule)
    {
        FeedbackAlignmentMulticlassTransformer first = Catalog.Trainers.FeedbackAlignment(Options(rule, "dense", 5, rate: null)).Fit(Keyed("0 1 2"));
        double[] losses = [.. new[] { "0 1 2", "2 0 1" }.Select(order => Catalog.Trainers.FeedbackAlignment(Options(rule, "dense", 2, rate: null))
            .Fit(Keyed(order), first.Model).Model.History[^1].Loss)];
        Assert.Equal(losses[0], losses[1], 1e-4);
    }

    [Fact]
    public void A_loaded_model_knows_its_classes_too()
    {
        FeedbackAlignmentMulticlassTransformer first = Catalog.Trainers.FeedbackAlignment(Options("fa", "dense", 30, rate: null)).Fit(Keyed("0 1 2"));
        using MemoryStream file = new();
        _mlContext.Model.Save(first, Keyed("0 1 2").Schema, file);
        file.Position = 0;
        var loaded = (FeedbackAlignmentMulticlassTransformer)_mlContext.Model.Load(file, out _);
        IDataView other = Keyed("2 1 0");
        var second = Catalog.Trainers.FeedbackAlignment(Options("fa", "dense", 1, 1e-8f)).Fit(other, loaded.Model);
        Assert.Equal(Catalog.Evaluate(first.Transform(Keyed("0 1 2"))).MicroAccuracy, Catalog.Evaluate(second.Transform(other)).MicroAccuracy);
    }

    [Fact]
    public void Unknown_and_missing_classes_are_named()
    {
        var first = Catalog.Trainers.FeedbackAlignment(Options("fa", "dense", 1, rate: null)).Fit(Keyed("0 1 2"));
        IDataView renamed = Rows(flower => flower.Replace("virginica", "sibirica", StringComparison.Ordinal));
        ArgumentException unknown = Assert.Throws<ArgumentException>(() => Catalog.Trainers.FeedbackAlignment(Options("fa", "dense", 1, rate: null))
            .Fit(Key(renamed), first.Model));
        Assert.Contains("does not know the class 'sibirica'", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("'setosa', 'versicolor', 'virginica'", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("keyData", unknown.Message, StringComparison.Ordinal);
        IDataView two = _mlContext.Data.FilterByCustomPredicate<Flower>(_iris, flower => flower.Label == "setosa");
        ArgumentException missing = Assert.Throws<ArgumentException>(() => Catalog.Trainers.FeedbackAlignment(Options("fa", "dense", 1, rate: null))
            .Fit(Key(two), first.Model));
        Assert.Contains("lacks the model's class 'setosa'", missing.Message, StringComparison.Ordinal);
    }

    /// <summary>Of a module of the user's own it is not known which weights belong to a class.</summary>
    [Fact]
    public void Outputs_that_cannot_be_reordered_are_refused_with_the_cure()
    {
        _mlContext.ComponentCatalog.RegisterAssembly(typeof(RoundingFactory).Assembly);
        FeedbackAlignmentMulticlassTrainer.Options options = Options("bp", "dense", 1, rate: null);
        options.Network = NetworkDefinition.Custom("rounding");
        var first = Catalog.Trainers.FeedbackAlignment(options).Fit(Keyed("0 1 2"));
        ArgumentException failure = Assert.Throws<ArgumentException>(() =>
            Catalog.Trainers.FeedbackAlignment(options).Fit(Keyed("2 1 0"), first.Model));
        Assert.Contains("MapValueToKey(\"Label\", keyData: …)", failure.Message, StringComparison.Ordinal);
        _ = Catalog.Trainers.FeedbackAlignment(options).Fit(Keyed("0 1 2"), first.Model);
    }

    /// <summary>A validation set that was keyed by itself measures what one keyed with the training data's mapping measures.</summary>
    [Theory]
    [InlineData(DataCaching.InMemory, "2 1 0"), InlineData(DataCaching.InMemory, "1 2 0"), InlineData(DataCaching.Streaming, "2 0 1")]
    public void A_validation_set_may_have_keys_of_its_own(DataCaching caching, string order)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Options("fa", "dense", 3, rate: null);
        (options.DataCaching, options.TopK) = (caching, 2);
        IReadOnlyList<EpochMetrics> Fit(string keys) => Catalog.Trainers.FeedbackAlignment(options).Fit(Keyed("0 1 2"), Keyed(keys)).Model.History;
        Assert.Equal(Fit("0 1 2").Select(epoch => (epoch.ValidationLoss, epoch.ValidationAccuracy, epoch.ValidationTopKAccuracy)),
            Fit(order).Select(epoch => (epoch.ValidationLoss, epoch.ValidationAccuracy, epoch.ValidationTopKAccuracy)));
    }

    [Fact]
    public void A_validation_set_may_lack_classes_and_know_further_ones_without_rows()
    {
        IDataView one = _mlContext.Data.FilterByCustomPredicate<Flower>(_iris, flower => flower.Label != "virginica");
        IDataView ownKeys = Key(one), further = Key(one, "sibirica", "virginica", "setosa");
        foreach (IDataView validation in new[] { ownKeys, further })
        {
            var model = Catalog.Trainers.FeedbackAlignment(Options("fa", "dense", 30, rate: null)).Fit(Keyed("0 1 2"), validation);
            Assert.True(model.Model.History[^1].ValidationAccuracy > 0.8, $"{model.Model.History[^1]}");
        }
    }

    [Fact]
    public void A_validation_row_of_an_unknown_class_is_named()
    {
        IDataView renamed = Key(Rows(flower => flower.Replace("virginica", "sibirica", StringComparison.Ordinal)));
        InvalidOperationException failure = Assert.Throws<InvalidOperationException>(() =>
            Catalog.Trainers.FeedbackAlignment(Options("fa", "dense", 1, rate: null)).Fit(Keyed("0 1 2"), renamed));
        Assert.Contains("Label column 'Label' of the validation data, row 101", failure.Message, StringComparison.Ordinal);
        Assert.Contains("does not know the class 'sibirica'; it knows 'setosa', 'versicolor', 'virginica'", failure.Message,
            StringComparison.Ordinal);
    }

    /// <summary>Numbers and truth values are compared as the texts that they are, whatever their type.</summary>
    [Fact]
    public void Keys_may_be_of_numbers_and_of_truth_values()
    {
        IDataView Numbers(Func<Flower, int> value) => _mlContext.Data.LoadFromEnumerable(Flowers().Select(flower =>
            new Numbered { Features = flower.Features, Label = value(flower), Other = value(flower), Truth = value(flower) > 1 }).ToList());
        int ToNumber(Flower flower) => flower.Label switch { "setosa" => 1, "versicolor" => 2, _ => 10 };
        IDataView rows = _scale.Transform(Numbers(ToNumber));
        IDataView backwards = _mlContext.Data.LoadFromEnumerable(_mlContext.Data.CreateEnumerable<Numbered>(rows, false).Reverse().ToList());
        foreach ((string training, string validation) in new[] { ("Label", "Label"), ("Label", "Other"), ("Truth", "Truth") })
        {
            IDataView Keys(IDataView view, string column) =>
                _mlContext.Transforms.Conversion.MapValueToKey("Class", column).Fit(view).Transform(view);
            FeedbackAlignmentMulticlassTrainer.Options options = Options("fa", "dense", 30, rate: null);
            options.LabelColumnName = "Class";
            var model = Catalog.Trainers.FeedbackAlignment(options).Fit(Keys(rows, training), Keys(backwards, validation));
            Assert.Equal(Catalog.Evaluate(model.Transform(Keys(rows, training)), "Class").MicroAccuracy, model.Model.History[^1].ValidationAccuracy);
            Assert.True(model.Model.History[^1].ValidationAccuracy > 0.6, $"{training}, {validation}");
        }
    }

    [Fact]
    public void Keys_without_values_are_compared_by_number()
    {
        IDataView Plain() => _scale.Transform(_mlContext.Data.LoadFromEnumerable(Flowers().Select(flower => new PlainKey
        {
            Features = flower.Features,
            Label = flower.Label switch { "setosa" => 0u, "versicolor" => 1u, _ => 2u },
        }).ToList()));
        var model = Catalog.Trainers.FeedbackAlignment(Options("bp", "dense", 60, rate: null)).Fit(Plain(), Keyed("0 1 2"));
        Assert.True(model.Model.History[^1].ValidationAccuracy > 0.9);
        var second = Catalog.Trainers.FeedbackAlignment(Options("bp", "dense", 1, 1e-8f)).Fit(Keyed("0 1 2"), model.Model);
        Assert.Equal(Catalog.Evaluate(model.Transform(Plain())).MicroAccuracy, Catalog.Evaluate(second.Transform(Keyed("0 1 2"))).MicroAccuracy);
    }

    private static FeedbackAlignmentMulticlassTrainer.Options Options(string rule, string network, int epochs, float? rate)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.Parse(rule), epochs);
        options.Network = network switch
        {
            "skip" => NetworkDefinition.Mlp(16) with { LinearSkip = true },
            "norm" => NetworkDefinition.Mlp(16, 8) with { Normalization = Normalization.Layer },
            "graph" => NetworkDefinition.Sequential(new Layer.Conv2d(6, 2), new Layer.Activate(Activation.Tanh), new Layer.Flatten(),
                new Layer.Dense(8), new Layer.Activate(Activation.Tanh), new Layer.Dense()),
            _ => NetworkDefinition.Mlp(16, 8) with { Activation = rule == "drtp" ? Activation.Tanh : Activation.ReLU },
        };
        if (rate is { } given)
            options.Optimizer = new OptimizerOptions.Sgd { LearningRate = given };
        else if (network == "graph")
            options.Optimizer = new OptimizerOptions.Adam { LearningRate = 0.01f };
        if (network == "graph")
            options.ImageShape = new ImageShape(1, 2, 2);
        return options;
    }

    /// <summary>The rows, keys in the given order of setosa, versicolor and virginica.</summary>
    private IDataView Keyed(string order)
    {
        string[] names = ["setosa", "versicolor", "virginica"];
        return Key(_iris, [.. order.Split(' ').Select(index => names[int.Parse(index, System.Globalization.CultureInfo.InvariantCulture)])]);
    }

    private IDataView Key(IDataView rows, params string[] first)
    {
        IDataView? given = first.Length == 0 ? null : _mlContext.Data.LoadFromEnumerable(first.Concat(["versicolor"]).Distinct()
            .Select(name => new KeyName { Name = name }).ToList());
        rows = _scale.Transform(rows);
        return _mlContext.Transforms.Conversion.MapValueToKey("Label", keyData: given).Fit(rows).Transform(rows);
    }

    private IEnumerable<Flower> Flowers() => _mlContext.Data.CreateEnumerable<Flower>(_iris, reuseRowObject: false);

    private IDataView Rows(Func<string, string> rename) => _mlContext.Data.LoadFromEnumerable(Flowers().Select(flower =>
        new Flower { Features = flower.Features, Label = rename(flower.Label) }).ToList());

    private string[] Words(IDataView scored) => [.. _mlContext.Transforms.Conversion.MapKeyToValue("Word", "PredictedLabel").Fit(scored)
        .Transform(scored).GetColumn<string>("Word")];

    private sealed class KeyName
    {
        public string Name { get; set; } = "";
    }

    private sealed class Flower
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Numbered
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public int Label { get; set; }

        public double Other { get; set; }

        public bool Truth { get; set; }
    }

    private sealed class PlainKey
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint Label { get; set; }
    }
}
