using FaMLNet.Rows;
using Microsoft.ML;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Training;

public sealed class AugmentationTests
{
    private static readonly ImageShape Shape = new(2, 5, 7);
    private static readonly float[] Means = [-1, -2];

    [Fact]
    public void A_crop_moves_the_image_and_uncovers_black()
    {
        HashSet<(int, int)> moves = [];
        Augmenter augmenter = new(Augmentation.RandomCrop(2), Shape, seed: 1);
        float[] image = Image();
        for (int trial = 0; trial < 400; trial++)
        {
            float[] changed = augmenter.Change(image, Means).ToArray();
            (int Down, int Right) move = (from down in Enumerable.Range(-2, 5) from right in Enumerable.Range(-2, 5) select (down, right))
                .Single(move => Enumerable.Range(0, changed.Length).All(i => changed[i] == At(image, i, -move.down, -move.right)));
            moves.Add(move);
        }
        Assert.Equal(25, moves.Count);
    }

    [Fact]
    public void A_flip_mirrors_left_and_right_about_as_often_as_asked()
    {
        float[] image = Image();
        float[] mirrored = [.. image.Chunk(Shape.Width).SelectMany(row => row.Reverse())];
        Augmenter augmenter = new(Augmentation.HorizontalFlip(0.25), Shape, seed: 1);
        int flipped = 0;
        for (int trial = 0; trial < 1000; trial++)
        {
            float[] changed = augmenter.Change(image, Means).ToArray();
            Assert.True(changed.SequenceEqual(image) || changed.SequenceEqual(mirrored));
            flipped += changed.SequenceEqual(mirrored) ? 1 : 0;
        }
        Assert.InRange(flipped, 200, 300);
    }

    [Fact]
    public void Cutout_fills_a_square_with_the_channels_means()
    {
        float[] image = Image();
        Augmenter augmenter = new(Augmentation.Cutout(3), Shape, seed: 1);
        HashSet<int> sizes = [];
        for (int trial = 0; trial < 300; trial++)
        {
            float[] changed = augmenter.Change(image, Means).ToArray();
            int[] cut = [.. Enumerable.Range(0, image.Length).Where(i => changed[i] != image[i])];
            Assert.All(cut, i => Assert.Equal(Means[i / 35], changed[i]));
            Assert.Equal(cut.Where(i => i < 35), cut.Where(i => i >= 35).Select(i => i - 35)); // the same place in each channel
            int[] rows = [.. cut.Where(i => i < 35).Select(i => i / 7).Distinct()],
                columns = [.. cut.Where(i => i < 35).Select(i => i % 7).Distinct()];
            Assert.Equal(cut.Length / 2, rows.Length * columns.Length); // a full rectangle
            sizes.Add(cut.Length / 2);
        }
        Assert.Equal(9, sizes.Max());
        Assert.True(sizes.Min() < 9); // it reaches over the border now and then
        float[] covered = new Augmenter(Augmentation.Cutout(100), Shape, seed: 1).Change(image, Means).ToArray();
        Assert.Equal(Enumerable.Repeat(-1f, 35).Concat(Enumerable.Repeat(-2f, 35)), covered);
    }

    [Fact]
    public void Changes_compose_and_the_seed_decides()
    {
        Augmentation both = Augmentation.RandomCrop(1).Then(Augmentation.HorizontalFlip()).Then(Augmentation.Cutout(2));
        float[][] Run(int seed)
        {
            Augmenter augmenter = new(both, Shape, seed);
            return [.. Enumerable.Range(0, 50).Select(_ => augmenter.Change(Image(), Means).ToArray())];
        }
        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
        Assert.Equal(both, Augmentation.RandomCrop(1).Then(Augmentation.HorizontalFlip()).Then(Augmentation.Cutout(2)));
    }

    [Fact]
    public void Out_of_range_settings_and_networks_without_images_are_refused()
    {
        MLContext mlContext = new(seed: 1);
        void Refused<TException>(Augmentation augmentation, string part, NetworkDefinition? network = null, ImageShape? shape = null)
            where TException : Exception
        {
            TException error = Assert.Throws<TException>(() => mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
                new FeedbackAlignmentMulticlassTrainer.Options
                {
                    Network = network ?? NetworkDefinition.LeNet(),
                    Augmentation = augmentation,
                    ImageShape = shape
                }));
            Assert.Contains("Option Augmentation", error.Message, StringComparison.Ordinal);
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }
        Refused<ArgumentException>(Augmentation.RandomCrop(0), "padding of RandomCrop must be at least 1");
        Refused<ArgumentException>(Augmentation.HorizontalFlip().Then(Augmentation.RandomCrop(8)), "below height and width (8 and 8); found 8",
            shape: new ImageShape(1, 8, 8));
        Refused<ArgumentException>(Augmentation.HorizontalFlip(1.5), "probability of HorizontalFlip must be 0 to 1; found 1.5");
        Refused<ArgumentException>(Augmentation.Cutout(0), "size of Cutout");
        Refused<ArgumentOutOfRangeException>(Augmentation.Cutout(3), "takes no images", NetworkDefinition.Mlp(3));
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void It_changes_training_reproducibly_and_leaves_other_random_streams_alone()
    {
        IDataView data = Tables.Load(new MLContext(), "digits");
        float[] Train(Augmentation? augmentation)
        {
            MLContext mlContext = new(seed: 1);
            var model = mlContext.Transforms.Conversion.MapValueToKey("Label")
                .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
                {
                    Rule = FeedbackRule.BatchwiseRandomSignConcordant,
                    Network = NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
                    new Layer.Dense()),
                    NumberOfEpochs = 1,
                    Augmentation = augmentation,
                    Seed = 4,
                })).Fit(data);
            return Tables.ModelOf(model).GetWeights()["conv1"].Values.ToArray();
        }
        float[] plain = Train(null), cropped = Train(Augmentation.RandomCrop(1));
        Assert.Equal(cropped, Train(Augmentation.RandomCrop(1)));
        Assert.NotEqual(plain, cropped);
        Assert.Equal(plain, Train(Augmentation.HorizontalFlip(0)));
    }

    [Fact]
    public void Resizing_is_torch_interpolation_and_part_of_the_network()
    {
        foreach ((int height, int width) in new[] { (10, 14), (3, 4), (5, 7), (1, 1), (9, 2) })
        {
            float[] image = Image();
            float[] resized = new float[height * width];
            new BilinearResize(Shape, new ImageShape(2, height, width)).Run(image.AsSpan(0, 35), resized);
            using torch.Tensor expected = torch.nn.functional.interpolate(torch.tensor(image[..35], [1, 1, 5, 7]), [height, width],
                mode: torch.InterpolationMode.Bilinear, align_corners: false);
            float[] values = expected.data<float>().ToArray();
            for (int i = 0; i < values.Length; i++)
                Assert.Equal(values[i], resized[i], 1e-4);
        }
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "digits");
        var model = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                Rule = FeedbackRule.Backpropagation,
                Network = NetworkDefinition.LeNet().Resized(32) with { Activation = Activation.Tanh },
                NumberOfEpochs = 2,
                Seed = 1,
            })).Fit(data);
        Assert.True(mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy > 0.9);
        using MemoryStream zip = new();
        mlContext.Model.Save(model, data.Schema, zip);
        ITransformer loaded = mlContext.Model.Load(zip, out _);
        Assert.Equal(NetworkDefinition.LeNet().Resized(32) with { Activation = Activation.Tanh }, Tables.ModelOf(loaded).Network);
        Assert.Equal(Tables.ModelOf(model).GetParameters()["dense2.weight"].Values.ToArray(),
            Tables.ModelOf(loaded).GetParameters()["dense2.weight"].Values.ToArray());
    }

    private static float[] Image() => [.. Enumerable.Range(1, Shape.Length).Select(i => (float)i)];

    /// <summary>The pixel that lies so far from the i-th, 0 outside.</summary>
    private static float At(float[] image, int i, int down, int right)
    {
        int channel = i / 35, row = i % 35 / 7 + down, column = i % 7 + right;
        return row is >= 0 and < 5 && column is >= 0 and < 7 ? image[channel * 35 + row * 7 + column] : 0;
    }
}
