using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>What is said of a training's two sets: which of them is meant, whether it counts at all, and what its features need.</summary>
public sealed class SetMessageTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly List<string> _messages = [], _warnings = [];
    private readonly IDataView _iris;

    public SetMessageTests()
    {
        _iris = Tables.Load(_mlContext, "iris");
        _mlContext.Log += (_, entry) => (entry.Kind == ChannelMessageKind.Warning ? _warnings : _messages).Add(entry.RawMessage);
    }

    private static float NaN => float.NaN;

    /// <summary>A validation set whose rows all count 0 would have the loss 0/0, taken for 0, the best there is.</summary>
    [Theory]
    [InlineData(DataCaching.InMemory, true), InlineData(DataCaching.Streaming, true), InlineData(DataCaching.InMemory, false)]
    public void A_validation_set_without_weight_is_refused(DataCaching caching, bool own)
    {
        IDataView keyed = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(_iris).Transform(_iris);
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
        options.DataCaching = caching;
        options.ClassWeights = ClassWeights.Explicit(0, 1, 1);
        FeedbackAlignmentMulticlassTrainer trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
        IDataView first = _mlContext.Data.TakeRows(keyed, 50);
        if (own)
        {
            Says(() => trainer.Fit(keyed, first));
            trainer.Fit(keyed, _mlContext.Data.TakeRows(keyed, 51));
            return;
        }
        options.ValidationFraction = 0.1;
        // 50 rows of the first class, 2 of each other: a tenth of those is none.
        IDataView rows = Keys(Enumerable.Range(0, 54).Select(i => new Row { Features = [i, i % 7], Key = i < 50 ? 0u : (uint)(1 + i % 2) }));
        options.LabelColumnName = "Key";
        Says(() => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(rows));
    }

    [Theory, InlineData(DataCaching.InMemory), InlineData(DataCaching.Streaming)]
    public void A_validation_set_of_example_weights_of_0_is_refused_by_name(DataCaching caching)
    {
        IDataView training = Keys(Enumerable.Range(0, 20).Select(i => new Row { Features = [i, i % 7], Key = (uint)(i % 3), Weight = 1 })),
            validation = Keys(Enumerable.Range(0, 20).Select(i => new Row { Features = [i, i % 7], Key = (uint)(i % 3) }));
        string message = Assert.Throws<InvalidOperationException>(() => Weighted(caching).Fit(training, validation)).Message;
        Assert.Contains("example weight column 'Weight' of the validation data are 0", message, StringComparison.Ordinal);
        // Weights and class weights together: what one leaves the other takes.
        IDataView halves = Keys(Enumerable.Range(0, 20).Select(i => new Row { Features = [i, i % 7], Key = (uint)(i % 2), Weight = i % 2 }));
        FeedbackAlignmentMulticlassTrainer trainer = Weighted(caching, ClassWeights.Explicit(1, 0, 1));
        Says(() => trainer.Fit(training, halves));
    }

    /// <summary>Balanced weights give a class without training rows the weight 0.</summary>
    [Fact]
    public void A_validation_set_of_classes_that_are_not_trained_on_is_refused_where_they_count_0()
    {
        IDataView training = Keys(Enumerable.Range(0, 20).Select(i => new Row { Features = [i, i % 7], Key = (uint)(i % 2), Weight = 1 })),
            validation = Keys(Enumerable.Range(0, 20).Select(i => new Row { Features = [i, i % 7], Key = 2, Weight = 1 }));
        Says(() => Weighted(DataCaching.InMemory, ClassWeights.Balanced).Fit(training, validation));
    }

    [Theory, InlineData(DataCaching.InMemory), InlineData(DataCaching.Streaming)]
    public void Rows_that_are_left_out_are_those_of_a_set(DataCaching caching)
    {
        IDataView training = Keys(Enumerable.Range(0, 20).Select(i => new Row { Features = [i < 3 ? NaN : i, 0], Key = (uint)(i % 3), Weight = 1 })),
            validation = Keys(Enumerable.Range(0, 20).Select(i => new Row { Features = [i, 0], Key = (uint)(i % 3), Weight = i < 4 ? NaN : 1 }));
        Weighted(caching).Fit(training, validation);
        Assert.Contains(_warnings, message => message.StartsWith("Left out 3 of 20 rows: 3 with missing (NaN) features", StringComparison.Ordinal)
            && message.EndsWith("in the training data.", StringComparison.Ordinal));
        Assert.Contains(_warnings, message => message.StartsWith("Left out 4 of 20 rows: 0 with missing", StringComparison.Ordinal)
            && message.EndsWith("in the validation data.", StringComparison.Ordinal));
        Assert.Contains(_messages, message => message.StartsWith("Read 17 rows of 2 features and 3 classes (training", StringComparison.Ordinal));
        Assert.Contains(_messages, message => message.StartsWith("Read 16 rows of 2 features and 3 classes (validation", StringComparison.Ordinal));
    }

    [Fact]
    public void Values_that_are_refused_in_a_validation_set_are_said_to_be_there()
    {
        IDataView training = Keys(Enumerable.Range(0, 20).Select(i => new Row { Features = [i, 0], Key = (uint)(i % 3), Weight = 1 }));
        foreach ((Row row, string expected) in new[]
        {
            (new Row { Features = [0, float.PositiveInfinity], Weight = 1 }, "Feature column 'Features' of the validation data, row 1, slot 1"),
            (new Row { Features = [0, 0], Weight = -1 }, "Example weight column 'Weight' of the validation data, row 1"),
        })
        {
            string message = Assert.Throws<InvalidOperationException>(() => Weighted(DataCaching.InMemory).Fit(training, Keys([row]))).Message;
            Assert.Contains(expected, message, StringComparison.Ordinal);
        }
    }

    /// <summary>Pixels are learnt from as they are, by convolutional networks and by dense ones; the advice for tables would cost accuracy.</summary>
    [Theory]
    [InlineData("graph", 255, "8 8", false), InlineData("graph", 60000, "8 8", false), InlineData("graph", 255, "64", false)]
    [InlineData("dense", 255, "1 8 8", false), InlineData("dense", 255, "64", false)]
    [InlineData("dense", 256, "64", true), InlineData("dense", 255, "9", true), InlineData("dense", 60000, "1 8 8", true)]
    public void Pixels_get_no_advice_to_scale_them(string network, int largest, string dimensions, bool advised)
    {
        int[] sizes = [.. dimensions.Split(' ').Select(size => int.Parse(size, System.Globalization.CultureInfo.InvariantCulture))];
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Image));
        schema[nameof(Image.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, sizes);
        int length = sizes.Aggregate(1, (product, size) => product * size);
        IDataView rows = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Image
        {
            Features = [.. Enumerable.Range(0, length).Select(j => (float)(j == 0 ? largest : (i * j) % largest))],
            Key = (uint)(i % 2)
        }).ToList(), schema);
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
        (options.LabelColumnName, options.Network) = ("Key", network == "dense" ? NetworkDefinition.Mlp(4)
            : NetworkDefinition.Sequential(new Layer.Conv2d(2, 3), new Layer.Flatten(), new Layer.Dense()));
        _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options).Fit(rows, rows);
        Assert.Equal(advised ? 1 : 0, _warnings.Count(warning => warning.Contains("NormalizeMeanVariance", StringComparison.Ordinal)));
    }

    private FeedbackAlignmentMulticlassTrainer Weighted(DataCaching caching, ClassWeights? weights = null)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 1);
        (options.DataCaching, options.LabelColumnName, options.ExampleWeightColumnName, options.ClassWeights) = (caching, "Key", "Weight", weights);
        return _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
    }

    private IDataView Keys(IEnumerable<Row> rows) => _mlContext.Data.LoadFromEnumerable(rows.ToList());

    private static void Says(Action fit)
    {
        string message = Assert.Throws<InvalidOperationException>(fit).Message;
        Assert.Contains("validation rows are 0", message, StringComparison.Ordinal);
        Assert.Contains("ClassWeights", message, StringComparison.Ordinal);
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint Key { get; set; }

        public float Weight { get; set; }
    }

    private sealed class Image
    {
        public float[] Features { get; set; } = [];

        [KeyType(2)]
        public uint Key { get; set; }
    }
}
