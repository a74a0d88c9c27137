using System.Text;
using FaMLNet.Cli.Images;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Folders and archives of image files as strangers bring them: which class, what is left out, what is refused.</summary>
[Trait("Speed", "Slow")]
public sealed class ImageFolderTests : IDisposable
{
    private static readonly (string Name, SKColor Colour)[] Classes =
        [("cat", new SKColor(200, 40, 40)), ("dog", new SKColor(40, 60, 200)), ("horse", new SKColor(60, 200, 60))];

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-images").FullName;
    private readonly List<string> _said = [];
    private readonly MLContext _mlContext = new(1);

    private string Said => string.Join('\n', _said);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("{0}/{1}.png")] // case 15
    [InlineData("{0}/images/{1}.png")] // case 17: the class was "images"
    [InlineData("{0}/202{1}/{1}.png")] // case 17y: the classes were years
    [InlineData("{0}/a/b/c/d/{1}.PNG")]
    [InlineData("{0}/{1}.jpg")] // a PNG under another name
    [InlineData("{0}/{1}")]
    public void The_class_is_the_folder_directly_below_the_root_whatever_lies_beneath(string pattern)
    {
        foreach (string part in new[] { "train", "test" })
            WriteSet((name, i) => $"{part}/{string.Format(null, pattern, name, i)}", count: 4);
        // What systems and programs leave: no class, and no image.
        foreach (string leaving in new[] { ".git/1.png", "cat/.ipynb_checkpoints/1.png", "cat/@eaDir/1.png/THUMB.jpg", "__MACOSX/cat/._1.png",
            "cat/._1.png", "$RECYCLE.BIN/1.png", "dog/Thumbs.db", "dog/desktop.ini", ".DS_Store", "horse/.DS_Store",
            "System Volume Information/1.png" })
            PictureFiles.Write(_folder, "train/" + leaving, PictureFiles.Plain(SKColors.Black));
        IDataView view = ImageSource.ForTraining(_mlContext, _folder, _said.Add);
        Assert.Equal(["cat", "dog", "horse"], KeysOf(view));
        Assert.Equal(12, view.GetRowCount());
        CheckColours(view);
        Assert.Equal([$"'{Path.Combine(_folder, "train")}': 12 images of 3 classes: cat 4, dog 4, horse 4.", "  All have 8 × 8 pixels.",
            $"'{Path.Combine(_folder, "test")}': 12 images of 3 classes: cat 4, dog 4, horse 4."], _said);
    }

    [Theory]
    [InlineData("{0}\\{1}.png")] // case 24
    [InlineData("{0}/{1}.png")]
    [InlineData("train/{0}/{1}.png")] // the folder was packed, not what is in it
    [InlineData("data\\train\\{0}\\x\\{1}.png")]
    [InlineData("../../{0}/{1}.png")] // only a name
    [InlineData("/{0}/./{1}.png")]
    [InlineData("{0}/über/{1} äß.png")]
    public void Archives_are_read_however_their_names_are_written(string pattern)
    {
        PictureFiles.WriteZip(Path.Combine(_folder, "train.zip"), [.. from each in Classes
            from i in Enumerable.Range(0, 5)
            select (string.Format(null, pattern, each.Name, i), PictureFiles.Plain(each.Colour)),
            ("__MACOSX/train/cat/._1.png", [1, 2, 3])]);
        IDataView view = ImageSource.ForTraining(_mlContext, _folder, _said.Add);
        Assert.Equal(["cat", "dog", "horse"], KeysOf(view));
        Assert.Equal(15, view.GetRowCount());
        CheckColours(view);
        Assert.Equal(pattern.Contains("train", StringComparison.Ordinal), Said.Contains("the classes are the folders below it",
            StringComparison.Ordinal));
        Assert.False(Directory.Exists(Path.Combine(_folder, "..", "cat")));
    }

    [Fact]
    public void Names_in_the_first_encoding_of_zip_are_read()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        using (System.IO.Compression.ZipArchive zip = new(File.Create(Path.Combine(_folder, "train.zip")),
            System.IO.Compression.ZipArchiveMode.Create, leaveOpen: false, Encoding.GetEncoding(437)))
        {
            foreach (string name in new[] { "grün/ä.png", "grün/ö.png", "rot/1.png" })
            {
                using Stream stream = zip.CreateEntry(name).Open();
                stream.Write(PictureFiles.Plain(SKColors.Red));
            }
        }
        IDataView view = ImageSource.ForTraining(_mlContext, _folder, _said.Add);
        Assert.Equal(["grün", "rot"], KeysOf(view));
        Assert.Equal(3, view.GetColumn<uint>("Label").Count());
    }

    [Fact]
    public void Parts_packed_together_are_no_classes()
    {
        PictureFiles.WriteZip(Path.Combine(_folder, "train.zip"),
            [("d/train/cat/1.png", PictureFiles.Grey16), ("d/test/cat/1.png", PictureFiles.Grey16)]);
        Refused<FormatException>("has the folders test, train, which are parts of a set and not classes. Unpack it");
    }

    [Fact]
    public void A_folder_of_classes_without_parts_is_trained_on_and_an_experiment_divides_it_by_class()
    {
        WriteSet((name, i) => $"{name}/{i}.png", count: 10);
        PictureFiles.Write(_folder, "checkpoints/state.json", [.. "{}"u8]);
        File.WriteAllText(Path.Combine(_folder, "model.zip"), "no part");
        IDataView view = ImageSource.ForTraining(_mlContext, _folder, _said.Add);
        Assert.Equal(30, view.GetRowCount());
        Assert.Contains("There is no train and no test: the folders directly in it are the classes.", Said, StringComparison.Ordinal);
        Assert.Contains("Not read, since no image lies there: checkpoints.", Said, StringComparison.Ordinal);
        CheckColours(view);

        ImageArchive all = ImageArchive.Open(_folder, ImagePart.Train);
        (ImageArchive train, ImageArchive test) = all.Split(0.2);
        Assert.Equal((24, 6), (train.Count, test.Count));
        Assert.Equal([1u, 1, 2, 2, 3, 3], test.View(all.Classes, 8, null).GetColumn<uint>("Label"));
        CheckColours(test.View(all.Classes, 8, null));
        // With other images beside a part there would be two meanings: the part is the set.
        WriteSet((name, i) => $"train/{name}/{i}.png", count: 2);
        Assert.Equal(6, ImageSource.ForTraining(_mlContext, _folder, _said.Add).GetRowCount());
    }

    [Fact]
    public void Folders_of_classes_alone_are_checked_and_benchmarked_too()
    {
        WriteSet((name, i) => $"set/{name}/{i}.png", count: 10);
        string check = ProcessRunner.Tool(_folder, "data", "check", "image-folder", "set");
        Assert.Contains("30 images of 3 classes, 0 damaged", check, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "x.yaml"), "experiment: {name: x}\ndata: {dataset: image-folder, dataset_path: set, "
            + "test_share: 0.3}\nmodel: {architecture: 'mlp:4', mode: {type: bp}}\ntraining: {hyperparameters: {epochs: 1}}\n");
        string said = ProcessRunner.Tool(_folder, "benchmark", "x.yaml");
        Assert.Contains("30 images of 3 classes: cat 10, dog 10, horse 10.", said, StringComparison.Ordinal);
        Assert.Contains("21 images to train on, and 9 to test on (data.test_share)", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_class_called_train_is_no_part_and_a_part_of_another_name_is_no_class()
    {
        foreach (string vehicle in new[] { "bus", "car", "train" })
            PictureFiles.Write(_folder, $"{vehicle}/1.png", PictureFiles.Plain(SKColors.Red));
        Assert.Equal(["bus", "car", "train"], KeysOf(ImageSource.ForTraining(_mlContext, _folder, _said.Add)));
        Directory.Delete(Path.Combine(_folder, "train"), recursive: true);
        PictureFiles.Write(_folder, "seg_train/cat/1.png", PictureFiles.Plain(SKColors.Red));
        Refused<FileNotFoundException>("has a folder 'seg_train' with folders of its own, which looks like a part of a set", "Rename it to train");
    }

    [Theory, InlineData("Train", "Test"), InlineData("training", "Validation"), InlineData("TRAIN", "valid")]
    public void Parts_are_found_under_their_usual_names_in_any_case(string train, string test)
    {
        foreach (string part in new[] { train, test })
            WriteSet((name, i) => $"{part}/{name}/{i}.png", count: part == train ? 3 : 2);
        Assert.Equal(9, ImageSource.ForTraining(_mlContext, _folder, _said.Add).GetRowCount());
        Assert.Contains($"{test}': 6 images of 3 classes", Said, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_that_could_be_read_the_one_that_is_not_is_named()
    {
        WriteSet((name, i) => $"train/{name}/{i}.png", count: 2);
        WriteSet((name, i) => $"val/{name}/{i}.png", count: 1);
        WriteSet((name, i) => $"test/{name}/{i}.png", count: 1);
        PictureFiles.WriteZip(Path.Combine(_folder, "train.zip"), [("cat/1.png", PictureFiles.Grey16)]);
        ImageSource.ForTraining(_mlContext, _folder, _said.Add);
        Assert.Contains($"Not read, since the one above is: {Path.Combine(_folder, "train.zip")}.", Said, StringComparison.Ordinal);
        Assert.Contains($"Not read, since the one above is: {Path.Combine(_folder, "val")}.", Said, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_classes_and_sizes_are_said_in_a_line()
    {
        for (int i = 0; i < 30; i++)
        {
            for (int image = 0; image <= (i == 7 ? 2 : 1); image++)
                PictureFiles.Write(_folder, $"train/c{i:00}/{image}.png", PictureFiles.Plain(SKColors.Red, 8 + i % 6, 10));
        }
        ImageSource.ForTraining(_mlContext, _folder, _said.Add);
        Assert.EndsWith("61 images of 30 classes: from 2 (c00) to 3 (c07) each (c00, c01, c02, …).", _said[0], StringComparison.Ordinal);
        Assert.Equal("  Sizes (width × height): 6 sizes, mostly 9 × 10 (11); shorter sides from 8 to 10 pixels. Each is scaled so that its "
            + "shorter side has 8 pixels, and cut in the middle to 8 × 8.", _said[1]);
    }

    [Theory, InlineData(null, 224), InlineData(10, 10), InlineData(320, 320)]
    public void Photographs_are_scaled_down_unless_a_size_is_chosen(int? chosen, int expected)
    {
        foreach (string name in new[] { "a/1.png", "b/1.png" })
            PictureFiles.Write(_folder, name, PictureFiles.Plain(SKColors.Red, 640, 480));
        IDataView view = DataSource.ForTraining(_mlContext, _folder, "Label", hasHeader: true, _said.Add, imageSize: chosen).View;
        Assert.Equal([3, expected, expected], ((VectorDataViewType)view.Schema["Features"].Type).Dimensions);
        Assert.Contains($"640 × 480 (2). Each is scaled so that its shorter side has {expected} pixels", Said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_size_for_what_has_no_images_is_refused()
    {
        PictureFiles.Write(_folder, "table.csv", [.. "a,Label\n1,x\n2,y\n"u8]);
        FormatException failure = Assert.Throws<FormatException>(() => DataSource.ForTraining(_mlContext, Path.Combine(_folder, "table.csv"), "Label",
            hasHeader: true, _said.Add, imageSize: 10));
        Assert.Contains("--image-size is for image files", failure.Message, StringComparison.Ordinal);
        WriteSet((name, i) => $"train/{name}/{i}.png", count: 1);
        failure = Assert.Throws<FormatException>(() => DataSource.ForTraining(_mlContext, _folder, "Label", hasHeader: true, _said.Add,
            imageSize: 0));
        Assert.Contains("--image-size must be from 1 to 4096 pixels; found 0.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_directly_in_the_root_are_counted_and_named()
    {
        WriteSet((name, i) => $"train/{name}/{i}.png", count: 2);
        foreach (string name in new[] { "a.png", "b.jpg" })
            PictureFiles.Write(_folder, "train/" + name, PictureFiles.Grey16);
        PictureFiles.Write(_folder, "train/readme.txt", [.. "text"u8]);
        ImageSource.ForTraining(_mlContext, _folder, _said.Add);
        Assert.Contains("Left out: 2 files outside of the folders of classes (a.png, b.jpg).", Said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_classes_is_told_what_is_expected()
    {
        Refused<FileNotFoundException>("holds neither train-images-idx3-ubyte");
        PictureFiles.Write(_folder, "1.png", PictureFiles.Grey16);
        Refused<FileNotFoundException>("It has 1 image file directly in it (1.png): move each into the folder of its class.");
        PictureFiles.Write(_folder, "test/cat/1.png", PictureFiles.Grey16);
        Refused<FileNotFoundException>("has 'test', but not the part that is wanted: expected train/ or train.zip");
        PictureFiles.Write(_folder, "train/cat/1.png", PictureFiles.Grey16);
        Refused<FormatException>("has the one class 'cat': at least 2 are needed to learn anything");
    }

    [Fact]
    public void Classes_to_test_on_that_the_training_lacks_are_refused_by_name_before_it_starts()
    {
        WriteSet((name, i) => $"train/{name}/{i}.png", count: 2);
        PictureFiles.Write(_folder, "test/cat/1.png", PictureFiles.Grey16);
        ImageSource.ForTraining(_mlContext, _folder, _said.Add);
        Assert.Contains("No image of 2 classes of the training: dog, horse.", Said, StringComparison.Ordinal);
        PictureFiles.Write(_folder, "test/cow/1.png", PictureFiles.Grey16);
        Refused<FormatException>("has a class 'cow', which the training images do not have (cat, dog, horse).");
        Directory.Move(Path.Combine(_folder, "test", "cow"), Path.Combine(_folder, "test", "Dog"));
        Refused<FormatException>("has a class 'Dog'", "'Dog' and 'dog' differ by case or blanks alone");
        // The same letter in two encodings looks the same.
        Directory.Move(Path.Combine(_folder, "test", "Dog"), Path.Combine(_folder, "test", "ku\u0308he"));
        PictureFiles.Write(_folder, "train/k\u00FChe/1.png", PictureFiles.Grey16);
        Refused<FormatException>("have accents as characters of their own");
    }

    [Fact]
    public void The_tool_trains_says_what_it_found_and_its_model_tells_the_classes_apart()
    {
        foreach (string part in new[] { "train", "test" })
            WriteSet((name, i) => $"{part}/{name}/images/{i}.png", count: part == "train" ? 20 : 6);
        string said = ProcessRunner.Tool(_folder, "train", ".", "--rule", "bp", "--network", "mlp:8", "--epochs", "20");
        Assert.Contains("60 images of 3 classes: cat 20, dog 20, horse 20.", said, StringComparison.Ordinal);
        Assert.Contains("18 images of 3 classes: cat 6, dog 6, horse 6.", said, StringComparison.Ordinal);
        Assert.Contains("100.00 %", ProcessRunner.Tool(_folder, "evaluate", "model.zip", "."), StringComparison.Ordinal);
        // A folder of new images needs no part of its own.
        WriteSet((name, i) => $"new/{name}/{i}.png", count: 2);
        Assert.Contains("100.00 %", ProcessRunner.Tool(_folder, "evaluate", "model.zip", "new"), StringComparison.Ordinal);
    }

    private void WriteSet(Func<string, int, string> name, int count)
    {
        foreach ((string each, SKColor colour) in Classes)
        {
            for (int i = 0; i < count; i++)
                PictureFiles.Write(_folder, name(each, i), PictureFiles.Plain(colour));
        }
    }

    private void Refused<T>(params string[] parts) where T : Exception
    {
        T failure = Assert.Throws<T>(() => ImageSource.ForTraining(_mlContext, _folder, _said.Add));
        Assert.All(parts, part => Assert.Contains(part, failure.Message, StringComparison.Ordinal));
    }

    private static string[] KeysOf(IDataView view)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        view.Schema["Label"].GetKeyValues(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }

    /// <summary>Every image has its class's colour.</summary>
    private static void CheckColours(IDataView view)
    {
        foreach ((uint label, float[] pixels) in view.GetColumn<uint>("Label").Zip(view.GetColumn<float[]>("Features")))
        {
            SKColor colour = Classes[label - 1].Colour;
            Assert.Equal((colour.Red / 255f, colour.Green / 255f, colour.Blue / 255f), (pixels[0], pixels[64], pixels[128]));
        }
    }
}
