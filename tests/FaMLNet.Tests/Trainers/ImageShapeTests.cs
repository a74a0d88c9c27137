using CsCheck;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Trainers;

/// <summary>What a column's dimensions say of its images is believed, by trainers and by models; a word against it is refused.</summary>
public sealed class ImageShapeTests
{
    private static readonly NetworkDefinition Small =
        NetworkDefinition.Sequential(new Layer.Conv2d(4, 3), new Layer.Activate(Activation.ReLU), new Layer.AdaptiveAveragePool2d(2),
            new Layer.Flatten(), new Layer.Dense());

    private readonly MLContext _mlContext = new(seed: 1);

    [Theory]
    [InlineData("30 40 3", "3 30 40"), InlineData("3 30 40", "3 40 30"), InlineData("30 40", "1 40 30"), InlineData("40 30 1", "1 30 40")]
    [InlineData("4 30 40", "30 40 4"), InlineData("2 3 10 20", "6 20 10"), InlineData("3 1200", "4 30 30")]
    public void A_shape_that_contradicts_the_column_is_refused(string dimensions, string shape)
    {
        ArgumentException failure = Assert.Throws<ArgumentException>(() => Trainer(shape).Fit(Rows(dimensions)));
        Assert.StartsWith($"Option ImageShape: {shape.Replace(" ", " × ", StringComparison.Ordinal)}", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"contradicts feature column 'Features', which has the dimensions {dimensions.Replace(" ", " × ",
            StringComparison.Ordinal)}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(dimensions == "30 40 3", failure.Message.Contains("interleavePixelColors", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("3 30 40", "3 30 40"), InlineData("3600", "3 30 40"), InlineData("1 3600", "3 30 40"), InlineData("3 1200", "3 30 40")]
    [InlineData("90 40", "3 30 40"), InlineData("30 40 1", "1 30 40"), InlineData("2 3 10 20", "6 10 20"), InlineData("1 1 30 40", "1 30 40")]
    public void A_shape_that_says_more_or_the_same_is_taken(string dimensions, string shape) => Trainer(shape).Fit(Rows(dimensions));

    /// <summary>Without a word of the user's the column's dimensions count, before what its length may look like: 10 × 40 is no 20 × 20.</summary>
    [Theory]
    [InlineData("3 30 40", "3 30 40"), InlineData("30 40", "1 30 40"), InlineData("10 40", "1 10 40"), InlineData("30 40 1", "1 30 40")]
    [InlineData("400", "1 20 20"), InlineData("3 400", "3 20 20"), InlineData("1 400", "1 20 20")]
    public void The_columns_dimensions_are_the_images(string dimensions, string expected)
    {
        FeedbackAlignmentMulticlassModelParameters model = Trainer(null).Fit(Rows(dimensions)).Model;
        Assert.Equal(Shape(expected), model.Layout.ImageInput);
    }

    [Theory]
    [InlineData("3 30 40", null, "30 40 3"), InlineData("3 30 40", null, "3 40 30"), InlineData("1200", "1 30 40", "40 30")]
    [InlineData("3600", "3 30 40", "40 30 3")]
    public void A_model_refuses_images_of_another_shape(string trained, string? shape, string scored)
    {
        ITransformer model = Trainer(shape).Fit(Rows(trained));
        Refuses(model, scored);
        _ = model.Transform(Rows(trained)).GetColumn<float[]>("Score").Count();
        using MemoryStream file = new();
        _mlContext.Model.Save(model, Rows(trained).Schema, file);
        file.Position = 0;
        Refuses(_mlContext.Model.Load(file, out _), scored);

        void Refuses(ITransformer model, string dimensions)
        {
            string message = Assert.Throws<InvalidOperationException>(() => model.Transform(Rows(dimensions))).Message;
            Assert.Contains($"Feature column 'Features' has the dimensions {dimensions.Replace(" ", " × ", StringComparison.Ordinal)}; the model was "
                + "trained on", message, StringComparison.Ordinal);
        }
    }

    /// <summary>A dense network mixes up the pixels of another order as well.</summary>
    /// <summary>Also where the network takes no images: what is said of the features must be true.</summary>
    [Fact]
    public void A_shape_of_another_length_is_refused_whatever_the_network()
    {
        ArgumentException error = Assert.Throws<ArgumentException>("ImageShape", () => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options { ImageShape = new ImageShape(1, 3, 3), NumberOfEpochs = 1 }).Fit(Rows("3 30 40")));
        Assert.Contains("1 × 3 × 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dense_model_refuses_features_of_another_shape()
    {
        ITransformer model = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(numberOfEpochs: 1).Fit(Rows("3 30 40"));
        Assert.Throws<InvalidOperationException>(() => model.Transform(Rows("30 40 3")));
        // A plain vector says nothing of an order.
        _ = model.Transform(Rows("3600")).GetColumn<float[]>("Score").Count();
    }

    [Fact]
    public void Images_of_another_shape_are_refused_for_validation_and_for_going_on()
    {
        string message = Assert.Throws<InvalidOperationException>(() => Trainer(null).Fit(Rows("3 30 40"), Rows("3 40 30"))).Message;
        Assert.Contains("of the validation data has the dimensions 3 × 40 × 30; that of the training data has 3 × 30 × 40", message,
            StringComparison.Ordinal);
        FeedbackAlignmentMulticlassModelParameters model = Trainer(null).Fit(Rows("3 30 40")).Model;
        ArgumentException failure = Assert.Throws<ArgumentException>(() => Trainer(null).Fit(Rows("3 40 30"), model));
        Assert.Contains("was trained on images of 3 × 30 × 40; the training data has images of 3 × 40 × 30", failure.Message,
            StringComparison.Ordinal);
    }

    /// <summary>Of any image: its own dimensions agree, in part or whole, and no other order of three different sizes does.</summary>
    [Fact]
    public void Dimensions_agree_with_themselves_and_with_no_other_order()
    {
        Gen.Select(Gen.Int[2, 40], Gen.Int[2, 40], Gen.Int[2, 40]).Where((c, h, w) => c != h && h != w && c != w).Sample((c, h, w) =>
        {
            int[] image = [c, h, w];
            foreach (int[] same in new int[][] { image, [c * h * w], [c, h * w], [c * h, w], [1, c * h * w], [1, c, h, w] })
                Assert.True(VectorDimensions.Agree(same, image) && VectorDimensions.Agree(image, same));
            foreach (int[] other in new int[][] { [c, w, h], [h, w, c], [h, c, w], [w, h, c], [w, c, h] })
                Assert.False(VectorDimensions.Agree(other, image) || VectorDimensions.Agree(image, other));
        });
    }

    private FeedbackAlignmentMulticlassTrainer Trainer(string? shape) => _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
        new FeedbackAlignmentMulticlassTrainer.Options
        {
            Network = Small,
            NumberOfEpochs = 1,
            Seed = 1,
            ImageShape = shape == null ? null : Shape(shape)
        });

    private IDataView Rows(string dimensions)
    {
        int[] sizes = Sizes(dimensions);
        int length = sizes.Aggregate(1, (product, size) => product * size);
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, sizes);
        return _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Row
        {
            Features = [.. Enumerable.Range(0, length).Select(j => (float)(i * j % 256))],
            Label = (uint)(i % 2),
        }).ToList(), schema);
    }

    private static ImageShape Shape(string text) => Sizes(text) is [int channels, int height, int width] ? new(channels, height, width)
        : throw new ArgumentException(text);

    private static int[] Sizes(string text) =>
        [.. text.Split(' ').Select(size => int.Parse(size, System.Globalization.CultureInfo.InvariantCulture))];

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        [KeyType(2)]
        public uint Label { get; set; }
    }
}
