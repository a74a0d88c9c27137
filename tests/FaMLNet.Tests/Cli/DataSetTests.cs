using System.IO.Compression;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Images;
using FaMLNet.Cli.Sets;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Data sets by name and folder: what is published, image files, and what is damaged.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class DataSetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-sets").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, InlineData("mnist"), InlineData("fashion-mnist")]
    public void The_published_files_are_recognised_also_where_other_tools_put_them(string name)
    {
        string source = LargeSets.Require(name);
        PublishedSet set = PublishedSet.All.Single(set => set.Name == name);
        (IReadOnlyList<string> lines, bool inOrder) = DataCheck.Run(set, source);
        Assert.True(inOrder, string.Join('\n', lines));
        Assert.All(lines.Skip(1), line => Assert.EndsWith("size and SHA-256 as published", line, StringComparison.Ordinal));

        // Unpacked, in torchvision's folder; then one file cut off, one changed in place, one cut while compressed, one gone.
        string raw = Directory.CreateDirectory(Path.Combine(_folder, set.Folders[0])).FullName;
        foreach (string file in Directory.GetFiles(source, "*.gz"))
        {
            using GZipStream packed = new(File.OpenRead(file), CompressionMode.Decompress);
            using FileStream plain = File.Create(Path.Combine(raw, Path.GetFileNameWithoutExtension(file)));
            packed.CopyTo(plain);
        }
        Assert.True(DataCheck.Run(set, _folder).InOrder);
        string labels = Path.Combine(raw, "train-labels-idx1-ubyte"), test = Path.Combine(raw, "t10k-images-idx3-ubyte"),
            testLabels = Path.Combine(raw, "t10k-labels-idx1-ubyte");
        byte[] bytes = File.ReadAllBytes(labels);
        File.WriteAllBytes(labels, bytes[..^1]);
        byte[] images = File.ReadAllBytes(test);
        images[1000] ^= 1;
        File.WriteAllBytes(test, images);
        File.Delete(testLabels);
        byte[] compressed = File.ReadAllBytes(Path.Combine(source, "t10k-labels-idx1-ubyte.gz"));
        File.WriteAllBytes(testLabels + ".gz", compressed[..(compressed.Length / 2)]);
        File.Delete(Path.Combine(raw, "train-images-idx3-ubyte"));
        File.WriteAllText(Path.Combine(raw, "train-images-idx3-ubyte"), "");
        (lines, inOrder) = DataCheck.Run(set, _folder);
        string all = string.Join('\n', lines);
        Assert.False(inOrder);
        Assert.Contains("train-images-idx3-ubyte: has 0 bytes; published 47,040,016.", all, StringComparison.Ordinal);
        Assert.Contains("train-labels-idx1-ubyte: has 60,007 bytes; published 60,008.", all, StringComparison.Ordinal);
        Assert.Contains("t10k-images-idx3-ubyte: size as published, but SHA-256 is not", all, StringComparison.Ordinal);
        Assert.Contains("t10k-labels-idx1-ubyte: ", all, StringComparison.Ordinal);
        Assert.Contains(set.Owner, all, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_is_said_with_where_it_goes_and_who_publishes_it()
    {
        foreach (PublishedSet set in PublishedSet.All)
        {
            (IReadOnlyList<string> lines, bool inOrder) = DataCheck.Run(set, _folder);
            Assert.False(inOrder);
            Assert.Equal(set.Files.Count, lines.Count(line => line.EndsWith(": is not there", StringComparison.Ordinal)));
            Assert.Contains("Nothing is downloaded.", lines[^1], StringComparison.Ordinal);
        }
        InvalidOperationException failure = Assert.Throws<InvalidOperationException>(() => Tool("data", "check", "mnist", _folder));
        Assert.Contains("Not all is in order.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'data check' needs a set and a folder", Assert.Throws<InvalidOperationException>(() => Tool("data", "check")).Message,
            StringComparison.Ordinal);
        Assert.Contains("The data set 'mnsit' is not known", Assert.Throws<InvalidOperationException>(() => Tool("data", "check", "mnsit",
            _folder)).Message,
            StringComparison.Ordinal);
        Assert.Contains("There is no folder", Assert.Throws<InvalidOperationException>(() => Tool("data", "check", "mnist", "nowhere")).Message,
            StringComparison.Ordinal);
        Assert.Contains("cifar100: CIFAR-100", Tool("data", "list"), StringComparison.Ordinal);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Image_files_are_decoded_ahead_in_order_whatever_their_kind_and_size(bool zipped)
    {
        Dictionary<string, (int Class, byte[] Pixels)> expected = WriteImages("train", count: 150);
        if (zipped)
            Zip("train");
        ImageArchive archive = ImageArchive.Open(_folder, ["train"]);
        Assert.Equal(["cat", "dog", "über den Wolken"], archive.Classes);
        Assert.Equal(8, archive.UsualSize());
        MLContext mlContext = new(1);
        foreach (int? seed in new int?[] { null, 5 })
        {
            IDataView view = archive.View(archive.Classes, 8, seed);
            Assert.Equal(150, view.GetRowCount());
            List<(uint Label, float[] Features)> rows = Read(view), again = Read(view);
            Assert.Equal(150, rows.Count);
            // Every cursor sees the same order.
            Assert.All(rows.Zip(again), pair => Assert.True(pair.First.Label == pair.Second.Label
                && pair.First.Features.SequenceEqual(pair.Second.Features)));
            string[] colours = [.. expected.Values.Select(pair => $"{pair.Class + 1}:{pair.Pixels[0]},{pair.Pixels[64]},{pair.Pixels[128]}")],
                found = [.. rows.Select(row => $"{row.Label}:{Pixel(row, 0)},{Pixel(row, 64)},{Pixel(row, 128)}")];
            Assert.Equal(colours.Order(), found.Order());
            Assert.Equal(seed == null, colours.SequenceEqual(found));
        }
        // A cursor that is left in the middle stops its threads.
        using (DataViewRowCursor cursor = archive.View(archive.Classes, 8, null).GetRowCursor(archive.View(archive.Classes, 8, null).Schema))
            Assert.True(cursor.MoveNext());

        static int Pixel((uint Label, float[] Features) row, int index) => (int)MathF.Round(row.Features[index] * 255);
    }

    [Fact]
    public void A_wide_image_is_scaled_and_cut_in_the_middle()
    {
        using SKBitmap bitmap = new(40, 20, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        for (int x = 0; x < 40; x++)
        {
            for (int y = 0; y < 20; y++)
                bitmap.SetPixel(x, y, x is < 10 or >= 30 ? SKColors.Red : SKColors.Blue);
        }
        byte[] file = bitmap.Encode(SKEncodedImageFormat.Png, 100).ToArray(), pixels = new byte[3 * 10 * 10];
        ImageDecoder.Decode(file, 10, pixels, "test");
        Assert.All(pixels[..100], value => Assert.InRange(value, 0, 100)); // the red ends are cut off, but for what scaling mixes in at the edge
        Assert.Equal(0, pixels[5]);
        Assert.Equal(255, pixels[205]);
    }

    [Fact]
    public void A_damaged_image_is_named_and_nothing_is_trained_on_half_of_one()
    {
        WriteImages("train", count: 60);
        WriteImages("test", count: 20);
        string file = Directory.GetFiles(Path.Combine(_folder, "train", "cat"), "*.jpg").Order(StringComparer.Ordinal).First(path =>
            new FileInfo(path).Length > 0);
        byte[] bytes = File.ReadAllBytes(file);
        foreach (byte[] damaged in new[] { bytes[..(bytes.Length / 2)], [], [.. "no image at all"u8] })
        {
            // One of sixty is left out, and said; a check and an experiment refuse it.
            File.WriteAllBytes(file, damaged);
            List<string> said = [];
            ImageArchive archive = ImageArchive.Open(_folder, ["train"], said.Add);
            Assert.Equal(59, Read(archive.View(archive.Classes, 8, null)).Count);
            Assert.Contains($"(cat/{Path.GetFileName(file)})", Assert.Single(said, line => line.StartsWith("  Left out", StringComparison.Ordinal)),
                StringComparison.Ordinal);
            (int count, IReadOnlyList<string> errors) = archive.Check();
            Assert.Equal((60, 1), (count, errors.Count));
            Assert.Contains("60 images of 3 classes, 1 damaged", Assert.Throws<InvalidOperationException>(() => Tool("data", "check",
                "image-folder", _folder)).Message,
                StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(_folder, "x.yaml"), "experiment: {name: x}\ndata: {dataset: image-folder, dataset_path: .}\n"
                + "model: {architecture: 'mlp:4', mode: {type: bp}}\ntraining: {hyperparameters: {epochs: 1}}\n");
            string refusal = Assert.Throws<InvalidOperationException>(() => Tool("benchmark", "x.yaml")).Message;
            Assert.Contains("1 of 60 images cannot be read", refusal, StringComparison.Ordinal);
            Assert.Contains(Path.GetFileName(file), refusal, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(_folder, "results", "x", "result.json")));
        }
        // A file that changes after it was looked at is named, and nothing is trained on half of it.
        File.WriteAllBytes(file, bytes);
        ImageArchive whole = ImageArchive.Open(_folder, ["train"]);
        File.WriteAllBytes(file, bytes[..(bytes.Length / 2)]);
        FormatException failure = Assert.Throws<ImageFileException>(() => Read(whole.View(whole.Classes, 8, null)));
        Assert.Contains(Path.GetFileName(file), failure.Message, StringComparison.Ordinal);
        Assert.Contains("no image that can be decoded whole", failure.Message, StringComparison.Ordinal);
        File.WriteAllBytes(file, bytes);
        string results = Path.Combine(_folder, "results");
        if (Directory.Exists(results))
            Directory.Delete(results, recursive: true);
        Assert.Contains("top-1", Tool("benchmark", "x.yaml"), StringComparison.Ordinal);

        // The other commands take such folders too; a model knows its classes and its size, also where a class is not tested.
        Tool("train", ".", "--rule", "bp", "--network", "mlp:8", "--epochs", "3", "--output", "model.zip");
        Assert.Contains("über den Wolken", Tool("evaluate", "model.zip", "."), StringComparison.Ordinal);
        string dog = Path.Combine(_folder, "test", "dog"), aside = Path.Combine(_folder, "aside");
        Directory.Move(dog, aside);
        Assert.Contains("über den Wolken", Tool("evaluate", "model.zip", "."), StringComparison.Ordinal);
        Directory.Move(aside, dog);
        Tool("predict", "model.zip", ".", "--output", "predicted.csv");
        Assert.Equal(21, File.ReadAllLines(Path.Combine(_folder, "predicted.csv")).Length);

        // Classes that the training images do not have; no images; an archive that is cut off.
        Directory.Move(Path.Combine(_folder, "test", "cat"), Path.Combine(_folder, "test", "cow"));
        ImageArchive train = ImageArchive.Open(_folder, ["train"]);
        Assert.Contains("'cow'", Assert.Throws<FormatException>(() => ImageArchive.Open(_folder, ["test", "val"]).View(train.Classes, 8,
            null)).Message,
            StringComparison.Ordinal);
        Assert.Contains("expected test/ or test.zip or val/ or val.zip", Assert.Throws<FileNotFoundException>(() =>
            ImageArchive.Open(Path.Combine(_folder, "train", "dog"), ["test", "val"])).Message, StringComparison.Ordinal);
        Zip("train");
        byte[] archived = File.ReadAllBytes(Path.Combine(_folder, "train.zip"));
        File.WriteAllBytes(Path.Combine(_folder, "train.zip"), archived[..(archived.Length / 2)]);
        Assert.Contains("is cut off", Assert.Throws<FormatException>(() => ImageArchive.Open(_folder, ["train"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cifar_comes_in_its_binary_version_or_as_image_files()
    {
        Random random = new(1);
        foreach ((string file, int rows) in Enumerable.Range(1, 5).Select(batch => ($"data_batch_{batch}.bin", 20)).Append(("test_batch.bin", 20)))
        {
            byte[] bytes = new byte[rows * 3073];
            random.NextBytes(bytes);
            for (int row = 0; row < rows; row++)
                bytes[row * 3073] = (byte)(row % 10);
            Directory.CreateDirectory(Path.Combine(_folder, "cifar-10-batches-bin"));
            File.WriteAllBytes(Path.Combine(_folder, "cifar-10-batches-bin", file), bytes);
        }
        File.WriteAllText(Path.Combine(_folder, "x.yaml"), "experiment: {name: x}\ndata: {dataset: cifar10, dataset_path: .}\n"
            + "model: {architecture: 'mlp:4', mode: {type: dfa}}\ntraining: {hyperparameters: {epochs: 1}}\nevaluation: {report: false, "
            + "tensorboard: false}\n");
        Assert.Contains("top-1", Tool("benchmark", "x.yaml"), StringComparison.Ordinal);
        Assert.Contains("has 61,460 bytes; published 30,730,000", Assert.Throws<InvalidOperationException>(() => Tool("data", "check", "cifar10",
            _folder)).Message,
            StringComparison.Ordinal);
    }

    /// <summary>JPEG's pixels are others than the published ones: said, recorded, and another experiment.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void Cifar_from_image_files_is_not_Cifar(bool isZipped)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "cifar10-jpeg"));
        foreach ((string part, int count) in new[] { ("train", 40), ("test", 12) })
        {
            WriteImages(part, count);
            if (isZipped)
                Zip(part);
            string name = isZipped ? part + ".zip" : part;
            Directory.Move(Path.Combine(_folder, name), Path.Combine(_folder, "cifar10-jpeg", name));
        }
        File.WriteAllText(Path.Combine(_folder, "x.yaml"), "experiment: {name: x, output_dir: r}\ndata: {dataset: cifar10, dataset_path: "
            + "cifar10-jpeg}\n"
            + "model: {architecture: 'mlp:4', mode: {type: dfa}}\ntraining: {hyperparameters: {epochs: 1, batch_size: 8}}\nevaluation: {report: "
            + "false, tensorboard: false}\n");
        const string warning = "results are not those of CIFAR-10";
        Assert.Contains("It is not the published CIFAR-10", Tool("benchmark", "x.yaml", "--check"), StringComparison.Ordinal);
        Assert.Contains(warning, Tool("benchmark", "x.yaml"), StringComparison.Ordinal);
        ExperimentResult result = ExperimentResult.Read(Path.Combine(_folder, "r", "x", "result.json"));
        Assert.Contains(result.Notes!, note => note.Contains(warning, StringComparison.Ordinal));
        Assert.Equal(("cifar10 as image files", "image files (JPEG, PNG)"), ($"{result.Identity!["data"]!["name"]}",
            $"{result.Identity["data"]!["format"]}"));
        File.AppendAllText(Path.Combine(_folder, "x.yaml"), "sweep: {over: {seed: [1]}}\n");
        string output = Tool("sweep", "x.yaml", "--set", "experiment.name=y");
        Assert.Contains("Data: CIFAR-10 as image files (JPEG, PNG), not the published CIFAR-10.", output, StringComparison.Ordinal);
        // The same folder with the published files beside them is another data set.
        Directory.CreateDirectory(Path.Combine(_folder, "cifar10-jpeg", "cifar-10-batches-bin"));
        foreach (string file in Enumerable.Range(1, 5).Select(batch => $"data_batch_{batch}.bin").Append("test_batch.bin"))
            File.WriteAllBytes(Path.Combine(_folder, "cifar10-jpeg", "cifar-10-batches-bin", file), new byte[20 * 3073]);
        string configuration = Path.Combine(_folder, "x.yaml");
        File.WriteAllText(configuration, File.ReadAllText(configuration).Replace("sweep: {over: {seed: [1]}}\n", "", StringComparison.Ordinal));
        Assert.Contains("data.name is cifar10 as image files there and cifar10 here", Assert.Throws<InvalidOperationException>(() =>
            Tool("benchmark", "x.yaml")).Message, StringComparison.Ordinal);
    }

    private static List<(uint, float[])> Read(IDataView view)
    {
        List<(uint, float[])> rows = [];
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<uint> label = cursor.GetGetter<uint>(view.Schema["Label"]);
        ValueGetter<VBuffer<float>> features = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
        uint number = 0;
        VBuffer<float> values = default;
        while (cursor.MoveNext())
        {
            label(ref number);
            features(ref values);
            rows.Add((number, values.DenseValues().ToArray()));
        }
        return rows;
    }

    /// <summary>Small images of one colour each, in three classes, as PNG, JPEG and some larger than the others.</summary>
    private Dictionary<string, (int Class, byte[] Pixels)> WriteImages(string part, int count)
    {
        string[] classes = ["cat", "dog", "über den Wolken"];
        Dictionary<string, (int, byte[])> images = new(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            int label = i % 3, size = i == 0 || i % 7 != 0 ? 8 : 16;
            string folder = Directory.CreateDirectory(Path.Combine(_folder, part, classes[label])).FullName;
            bool isPng = i % 2 == 0 || i >= 60;
            string name = $"{i:000}.{(isPng ? "png" : "jpg")}";
            using SKBitmap bitmap = new(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque);
            SKColor colour = new((byte)(i * 7), (byte)(255 - i), (byte)(i * 3));
            bitmap.Erase(colour);
            byte[] file = bitmap.Encode(isPng ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg, 100).ToArray(), pixels = new byte[3 * 64];
            File.WriteAllBytes(Path.Combine(folder, name), file);
            if (isPng)
            {
                pixels.AsSpan(0, 64).Fill(colour.Red);
                pixels.AsSpan(64, 64).Fill(colour.Green);
                pixels.AsSpan(128, 64).Fill(colour.Blue);
            }
            else
            {
                // What the decoder of the platform makes of it.
                using SKBitmap decoded = SKBitmap.Decode(file);
                SKColor seen = decoded.GetPixel(0, 0);
                pixels.AsSpan(0, 64).Fill(seen.Red);
                pixels.AsSpan(64, 64).Fill(seen.Green);
                pixels.AsSpan(128, 64).Fill(seen.Blue);
            }
            images[$"{classes[label]}/{name}"] = (label, pixels);
        }
        return images.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary(pair => pair.Key, pair => pair.Value);
    }

    private void Zip(string part)
    {
        ZipFile.CreateFromDirectory(Path.Combine(_folder, part), Path.Combine(_folder, part + ".zip"));
        Directory.Delete(Path.Combine(_folder, part), recursive: true);
    }

    private string Tool(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);
}
