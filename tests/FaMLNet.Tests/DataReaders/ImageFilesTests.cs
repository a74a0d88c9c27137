using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using Xunit;

namespace FaMLNet.Tests.DataReaders;

/// <summary>Image files through ML.NET's own transforms, beside the binary formats of the field: the same pixels, either way.</summary>
public sealed class ImageFilesTests : IDisposable
{
    private const int Count = 7;
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("famlnet-files");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Colour_images_from_files_are_those_of_the_binary_version_of_Cifar()
    {
        byte[] records = [.. Enumerable.Range(0, Count)
            .SelectMany(row => Enumerable.Range(0, 3072).Select(i => Pixel(row, i)).Prepend((byte)(row % 10)))];
        File.WriteAllBytes(Path.Combine(_folder.FullName, "test_batch.bin"), records);
        IDataView binary = _mlContext.Data.LoadFromCifar10(_folder.FullName, test: true);
        for (int row = 0; row < Count; row++)
            Save(row, (x, y, channel) => Pixel(row, channel * 1024 + y * 32 + x));
        AssertSame(binary, FromFiles(ImagePixelExtractingEstimator.ColorBits.Rgb));
    }

    [Fact]
    public void Grey_images_from_files_are_those_of_an_idx_file()
    {
        byte[] header = [0, 0, 8, 3, 0, 0, 0, Count, 0, 0, 0, 32, 0, 0, 0, 32];
        File.WriteAllBytes(Path.Combine(_folder.FullName, "images"),
            [.. header, .. Enumerable.Range(0, Count).SelectMany(row => Enumerable.Range(0, 1024).Select(i => Pixel(row, i)))]);
        File.WriteAllBytes(Path.Combine(_folder.FullName, "labels"),
            [0, 0, 8, 1, 0, 0, 0, Count, .. Enumerable.Range(0, Count).Select(row => (byte)row)]);
        IDataView binary = _mlContext.Data.LoadFromIdx(Path.Combine(_folder.FullName, "images"), Path.Combine(_folder.FullName, "labels"));
        for (int row = 0; row < Count; row++)
            Save(row, (x, y, _) => Pixel(row, y * 32 + x));
        AssertSame(binary, FromFiles(ImagePixelExtractingEstimator.ColorBits.Red));
    }

    [Fact]
    public void Interleaved_pixels_are_refused_with_the_cure()
    {
        Save(0, (x, y, channel) => (byte)(x + y + channel));
        Save(1, (x, y, channel) => (byte)(x * y));
        var whole = _mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(_mlContext.Transforms.LoadImages("Image", _folder.FullName, "Name"))
            .Append(_mlContext.Transforms.ResizeImages("Image", 32, 32))
            .Append(_mlContext.Transforms.ExtractPixels("Features", "Image", interleavePixelColors: true))
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options { Network = NetworkDefinition.LeNet(), NumberOfEpochs = 1 }));
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() =>
            whole.Fit(_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 2).Select(row => new Named { Name = $"{row}.png", Label = $"{row}" }))));
        Assert.Contains("interleavePixelColors", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A pipeline from files to classes: what lies before the network is applied once, and pixels are attacked in their own units.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public void A_pipeline_over_image_files_is_attacked_at_its_pixels()
    {
        for (int row = 0; row < Count; row++)
            Save(row, (x, y, channel) => Pixel(row, channel * 1024 + y * 32 + x));
        IDataView files = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, Count).Select(row => new Named
        {
            Name = $"{row}.png",
            Label = $"{row}"
        }));
        ITransformer model = _mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(_mlContext.Transforms.LoadImages("Image", _folder.FullName, "Name"))
            .Append(_mlContext.Transforms.ResizeImages("Image", 32, 32)).Append(_mlContext.Transforms.ExtractPixels("Pixels", "Image"))
            .Append(_mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
            {
                FeatureColumnName = "Pixels",
                Rule = FeedbackRule.Backpropagation,
                Network = NetworkDefinition.LeNetCifar(),
                NumberOfEpochs = 60,
                BatchSize = 4,
                Seed = 1,
            })).Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(files);
        RobustnessReport report = _mlContext.MulticlassClassification.EvaluateRobustness(model, files, [Attack.Pgd(8), Attack.FewPixel(2,
            population: 5, generations: 1)]);
        Assert.Equal(("Pixels", (0f, 255f)), (report.FeatureColumnName, report.InputRange!.Value));
        Assert.True(report.Results[0].FooledRows > 0, $"{report}");
        Assert.InRange(report.Results[0].LInfinity.Maximum, 0.01, 8);
    }

    private void AssertSame(IDataView binary, IDataView files)
    {
        Assert.Equal(((VectorDataViewType)binary.Schema["Features"].Type).Dimensions, ((VectorDataViewType)files.Schema["Features"].Type).Dimensions);
        // ML.NET multiplies by 1/255 where the readers divide: the last bit may differ, the pixel may not.
        foreach ((float[] one, float[] other) in binary.GetColumn<float[]>("Features").Zip(files.GetColumn<float[]>("Features")))
        {
            Assert.Equal(one.Select(value => (int)MathF.Round(255 * value)), other.Select(value => (int)MathF.Round(255 * value)));
            Assert.All(one.Zip(other), pair => Assert.Equal(pair.First, pair.Second, 1e-7));
        }
        // Both stay bytes in training.
        using IChannel channel = ((IHostEnvironment)_mlContext).Start("test");
        foreach (IDataView view in new[] { binary, files })
            Assert.True(TrainingDataReader.Read(view, view.Schema["Features"], view.Schema["Label"], null, channel, () => { }).IsPacked);
    }

    private IDataView FromFiles(ImagePixelExtractingEstimator.ColorBits colours)
    {
        IDataView names = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, Count)
            .Select(row => new Named { Name = $"{row}.png", Label = $"{row}" }));
        return _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.LoadImages("Image", _folder.FullName, "Name"))
            .Append(_mlContext.Transforms.ResizeImages("Image", 32, 32))
            .Append(_mlContext.Transforms.ExtractPixels("Features", "Image", colorsToExtract: colours, scaleImage: 1 / 255f)).Fit(names)
            .Transform(names);
    }

    private void Save(int row, Func<int, int, int, byte> pixel)
    {
        byte[] bgra = new byte[32 * 32 * 4];
        for (int i = 0; i < 1024; i++)
        {
            for (int channel = 0; channel < 3; channel++)
                bgra[4 * i + 2 - channel] = pixel(i % 32, i / 32, channel);
            bgra[4 * i + 3] = 255;
        }
        using MLImage image = MLImage.CreateFromPixels(32, 32, MLPixelFormat.Bgra32, bgra);
        image.Save(Path.Combine(_folder.FullName, $"{row}.png"));
    }

    private static byte Pixel(int row, int index) => (byte)(row * 41 + index * 7 + index / 32);

    private sealed class Named
    {
        public string Name { get; set; } = "";

        public string Label { get; set; } = "";
    }
}
