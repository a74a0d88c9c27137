using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.DataReaders;

public sealed class ImageDataTests : IDisposable
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("famlnet-images");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, InlineData(false), InlineData(true)]
    public void Idx_files_give_pixels_in_the_unit_interval_and_labels_with_names(bool gzip)
    {
        (string images, string labels) = Idx(rows: 23, gzip: gzip);
        IDataView data = _mlContext.Data.LoadFromIdx(images, labels);
        Assert.Equal(23, data.GetRowCount());
        VectorDataViewType type = (VectorDataViewType)data.Schema["Features"].Type;
        Assert.Equal([1, 4, 3], type.Dimensions);
        float[][] pixels = [.. data.GetColumn<float[]>("Features")];
        uint[] keys = [.. data.GetColumn<uint>("Label")];
        for (int row = 0; row < 23; row++)
        {
            Assert.Equal(Enumerable.Range(0, 12).Select(i => Pixel(row, i) / 255f), pixels[row]);
            Assert.Equal((uint)(row % 5) + 1, keys[row]);
        }
        VBuffer<ReadOnlyMemory<char>> names = default;
        data.Schema["Label"].GetKeyValues(ref names);
        Assert.Equal(["0", "1", "2", "3", "4"], names.DenseValues().Select(name => name.ToString()));
        data = _mlContext.Data.LoadFromIdx(images, labels, ["a", "b", "c", "d", "e", "f"]);
        Assert.Equal("b", _mlContext.Transforms.Conversion.MapKeyToValue("Label").Fit(data).Transform(data).GetColumn<string>("Label").ElementAt(1));
    }

    [Fact]
    public void Idx_files_with_other_classes_as_a_validation_set_advise_label_names_and_those_help()
    {
        (string images, string labels) = Idx(rows: 60, gzip: false);
        (string fewerImages, string fewerLabels) = Idx(rows: 3, gzip: false, name: "fewer"); // classes 0, 1 and 2
        FeedbackAlignmentMulticlassTrainer trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options { Network = NetworkDefinition.Mlp(4), NumberOfEpochs = 1, Seed = 1 });
        IDataView all = _mlContext.Data.LoadFromIdx(images, labels), fewer = _mlContext.Data.LoadFromIdx(fewerImages, fewerLabels);
        foreach ((IDataView train, IDataView validation) in new[] { (all, fewer), (fewer, all) })
        {
            InvalidOperationException failure = Assert.Throws<InvalidOperationException>(() => trainer.Fit(train, validation));
            Assert.Contains("Give LoadFromIdx the same labelNames for both, of all 5 classes.", failure.Message, StringComparison.Ordinal);
        }
        IReadOnlyList<string> names = ["0", "1", "2", "3", "4"];
        Assert.Single(trainer.Fit(_mlContext.Data.LoadFromIdx(images, labels, names),
            _mlContext.Data.LoadFromIdx(fewerImages, fewerLabels, names)).Model.History);
    }

    [Fact]
    public void Several_cursors_at_once_do_not_disturb_each_other_and_columns_not_asked_for_are_not_given()
    {
        (string images, string labels) = Idx(rows: 60, gzip: true);
        IDataView data = _mlContext.Data.LoadFromIdx(images, labels);
        float[][] expected = [.. data.GetColumn<float[]>("Features")];
        Parallel.For(0, 6, _ => Assert.Equal(expected, data.GetColumn<float[]>("Features")));
        using DataViewRowCursor one = data.GetRowCursor([data.Schema["Label"]]), two = data.GetRowCursor(data.Schema);
        ValueGetter<uint> first = one.GetGetter<uint>(data.Schema["Label"]), second = two.GetGetter<uint>(data.Schema["Label"]);
        uint a = 0, b = 0;
        Assert.True(one.MoveNext() && one.MoveNext() && one.MoveNext() && two.MoveNext());
        first(ref a);
        second(ref b);
        Assert.Equal((3u, 1u), (a, b));
        Assert.ThrowsAny<Exception>(() => one.GetGetter<VBuffer<float>>(data.Schema["Features"]));
    }

    [Fact]
    public void Idx_files_that_are_missing_truncated_corrupt_or_mismatched_are_refused_by_name()
    {
        (string images, string labels) = Idx(rows: 10, gzip: false);
        (string moreImages, string moreLabels) = Idx(rows: 11, gzip: false, name: "more");
        Refused<FileNotFoundException>(() => _mlContext.Data.LoadFromIdx(images + "x", labels), "is not there");
        Refused<FormatException>(() => _mlContext.Data.LoadFromIdx(labels, images), "have images and labels been exchanged");
        Refused<FormatException>(() => _mlContext.Data.LoadFromIdx(images, moreLabels), "10 images, but", "11 labels");
        Refused<ArgumentException>(() => _mlContext.Data.LoadFromIdx(images, labels, ["a"]), "5 names are needed; found 1");
        byte[] bytes = File.ReadAllBytes(images);
        string broken = Path.Combine(_folder.FullName, "broken");
        foreach (int length in new[] { 0, 3, 7, 15, 20, bytes.Length - 1 })
        {
            File.WriteAllBytes(broken, bytes[..length]);
            Refused<FormatException>(() => Read<float[]>(_mlContext.Data.LoadFromIdx(broken, labels), "Features"), "broken", "ends early");
        }
        File.WriteAllBytes(broken, [.. bytes, 1]);
        Refused<FormatException>(() => Read<float[]>(_mlContext.Data.LoadFromIdx(broken, labels), "Features"), "more data than its header says");
        File.WriteAllBytes(broken, [0, 0, 8, 3, 0xFF, 0xFF, 0xFF, 0xFF, .. bytes[8..]]);
        Refused<FormatException>(() => _mlContext.Data.LoadFromIdx(broken, labels), "dimension 1 is -1");
        File.WriteAllBytes(broken, [0, 0, 13, 3, .. bytes[4..]]);
        Refused<FormatException>(() => _mlContext.Data.LoadFromIdx(broken, labels), "begins with 00000D03");
        (string gzipped, _) = Idx(rows: 300, gzip: true, name: "zipped");
        byte[] zip = File.ReadAllBytes(gzipped);
        zip[zip.Length / 2] ^= 0xFF;
        zip[zip.Length / 2 + 1] ^= 0xFF;
        File.WriteAllBytes(gzipped, zip);
        (_, string manyLabels) = Idx(rows: 300, gzip: false, name: "many");
        Refused<FormatException>(() => Read<float[]>(_mlContext.Data.LoadFromIdx(gzipped, manyLabels), "Features"), "zipped");
    }

    [Fact]
    public void Cifar_folders_give_images_of_three_channels()
    {
        for (int batch = 1; batch <= 5; batch++)
            File.WriteAllBytes(Path.Combine(_folder.FullName, $"data_batch_{batch}.bin"),
                Cifar(4, 1, (row, i) => batch + row + i, row => (batch + row) % 10));
        File.WriteAllBytes(Path.Combine(_folder.FullName, "test_batch.bin"), Cifar(2, 1, (row, i) => i, row => 9 - row));
        IDataView train = _mlContext.Data.LoadFromCifar10(_folder.FullName), test = _mlContext.Data.LoadFromCifar10(_folder.FullName, test: true);
        Assert.Equal((20L, 2L), (train.GetRowCount(), test.GetRowCount()));
        Assert.Equal([3, 32, 32], ((VectorDataViewType)train.Schema["Features"].Type).Dimensions);
        Assert.Equal([10u, 9u], test.GetColumn<uint>("Label"));
        Assert.Equal((byte)(2 + 1 + 5) / 255f, train.GetColumn<float[]>("Features").ElementAt(5)[5]);
        Assert.Equal("ship", _mlContext.Transforms.Conversion.MapKeyToValue("Label").Fit(test).Transform(test).GetColumn<string>("Label")
            .ElementAt(1));

        File.WriteAllBytes(Path.Combine(_folder.FullName, "test.bin"), Cifar(3, 2, (row, i) => i, row => 50 + row));
        IDataView hundred = _mlContext.Data.LoadFromCifar100(_folder.FullName, test: true);
        Assert.Equal([51u, 52u, 53u], hundred.GetColumn<uint>("Label"));
        Assert.Equal(100UL, ((KeyDataViewType)hundred.Schema["Label"].Type).Count);

        Refused<FileNotFoundException>(() => _mlContext.Data.LoadFromCifar100(_folder.FullName), "train.bin");
        File.WriteAllBytes(Path.Combine(_folder.FullName, "test_batch.bin"), new byte[5000]);
        Refused<FormatException>(() => _mlContext.Data.LoadFromCifar10(_folder.FullName, test: true), "5000 bytes", "multiple of 3073");
        File.WriteAllBytes(Path.Combine(_folder.FullName, "test_batch.bin"), Cifar(1, 1, (_, _) => 0, _ => 77));
        Refused<FormatException>(() => Read<uint>(_mlContext.Data.LoadFromCifar10(_folder.FullName, test: true), "Label"), "label 77");
    }

    [Fact]
    public void A_view_trains_a_network_that_finds_its_shape_by_itself()
    {
        (string images, string labels) = Idx(rows: 40, gzip: true);
        IDataView data = _mlContext.Data.LoadFromIdx(images, labels);
        var model = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options
        {
            Network = NetworkDefinition.Sequential(new Layer.Conv2d(4, 2), new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
                new Layer.Dense()),
            NumberOfEpochs = 2,
        }).Fit(data);
        Assert.Equal([4, 1, 2, 2], model.Model.GetWeights()["conv1"].Shape);
        Assert.Equal(40, model.Transform(data).GetColumn<float[]>("Score").Count());
    }

    private static void Read<T>(IDataView data, string column) => Assert.NotEmpty(data.GetColumn<T>(column).ToArray());

    private static int Pixel(int row, int index) => (row * 37 + index * 11) % 256;

    private (string Images, string Labels) Idx(int rows, bool gzip, string name = "set")
    {
        byte[] images = [0, 0, 8, 3, .. BigEndian(rows), .. BigEndian(4), .. BigEndian(3),
            .. from row in Enumerable.Range(0, rows) from i in Enumerable.Range(0, 12) select (byte)Pixel(row, i)];
        byte[] labels = [0, 0, 8, 1, .. BigEndian(rows), .. Enumerable.Range(0, rows).Select(row => (byte)(row % 5))];
        return (Write($"{name}-images", images, gzip), Write($"{name}-labels", labels, gzip));
    }

    private string Write(string name, byte[] bytes, bool gzip)
    {
        string path = Path.Combine(_folder.FullName, name);
        using Stream file = File.Create(path);
        using Stream stream = gzip ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(bytes);
        return path;
    }

    private static byte[] Cifar(int rows, int labelBytes, Func<int, int, int> pixel, Func<int, int> label) =>
        [.. Enumerable.Range(0, rows).SelectMany(row =>
            Enumerable.Repeat((byte)3, labelBytes - 1).Append((byte)label(row)).Concat(Enumerable.Range(0, 3072).Select(i => (byte)pixel(row, i))))];

    private static byte[] BigEndian(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static void Refused<TException>(Action action, params string[] parts) where TException : Exception
    {
        TException error = Assert.ThrowsAny<TException>(action);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.OrdinalIgnoreCase));
    }
}
