using FaMLNet.Cli.Images;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Files among images that cannot be read: counted, named by kind, and refused where too many are.</summary>
[Trait("Speed", "Slow")]
public sealed class ImageFilesLeftOutTests : IDisposable
{
    private static readonly byte[] Picture = PictureFiles.Varied(40, 40), Jpeg = PictureFiles.Varied(40, 40, SKEncodedImageFormat.Jpeg);

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-left-out").FullName;
    private readonly List<string> _said = [];
    private readonly MLContext _mlContext = new(1);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A file's name, its content, whether it counts as an image that is missed, and how it is named.</summary>
    public static TheoryData<string, byte[], bool, string> Kinds => new()
    {
        { "1.tif", PictureFiles.Tiff, true,
            ".tif: 1 file, TIFF (or a camera's raw format), which is not decoded: convert to PNG or JPEG (cat/1.tif)" },
        { "1.jpg", PictureFiles.Tiff, true, ".jpg: 1 file, TIFF" },
        { "1.heic", [0, 0, 0, 24, .. "ftypheic\0\0\0\0"u8], true, ".heic: 1 file, HEIC, which is not decoded" },
        { "1.jpg", [0, 0, 0, 24, .. "ftypavif\0\0\0\0"u8], true, ".jpg: 1 file, AVIF" },
        { "1.jp2", [0, 0, 0, 12, .. "jP  \r\n\u0087\n"u8], true, ".jp2: 1 file, JPEG 2000" },
        { "1.psd", [.. "8BPS\0\u0001"u8], true, ".psd: 1 file, Photoshop" },
        { "1.pgm", [.. "P5\n8 8\n255\n"u8], true, ".pgm: 1 file, Netpbm" },
        { "1.ico", [0, 0, 1, 0, 1, 0], true, ".ico: 1 file, an icon" },
        { "1.svg", [.. "<?xml version='1.0'?><svg xmlns='x'/>"u8], true, ".svg: 1 file, SVG" },
        { "1.png", [], true, ".png: 1 file, empty: copy again, or remove" },
        { "1.jpg", [.. "<html><body>404 Not Found</body></html>"u8], true, ".jpg: 1 file, texts with the name of an image" },
        { "1.png", [.. "version https://git-lfs.github.com/spec/v1\noid sha256:4d\n"u8], true, "run 'git lfs pull'" },
        { "1.png", Picture[..^300], true, ".png: 1 file, no image that can be decoded whole" },
        { "1.png", Picture[..30], true, ".png: 1 file, no image that can be decoded whole" },
        { "1.jpg", Jpeg[..(Jpeg.Length / 2)], true, ".jpg: 1 file, no image that can be decoded whole" },
        { "1.jpg", Jpeg[..^2], true, ".jpg: 1 file, no image that can be decoded whole" },
        { "1.jpg", [.. Jpeg, .. new byte[3000]], false, "" }, // whole, and what some cameras append
        { "1.png", [.. Picture, .. "appended"u8], false, "" },
        { "1.png", ImageDecodingTests.Claiming(50_000, 50_000), true, "50000 × 50000 pixels, more than 134 million" },
        { "1.txt", [.. "1 0.5 0.5 0.1 0.1"u8], false, ".txt: 1 file, texts (cat/1.txt)" },
        { "labels", [.. "a,b"u8], false, "without extension: 1 file, texts (cat/labels)" },
        { "1.mp4", [0, 0, 0, 24, .. "ftypisom\0\0\0\0"u8], false, ".mp4: 1 file, videos" },
        { "1.npy", [0x93, .. "NUMPY\u0001\0"u8], false, ".npy: 1 file, NumPy arrays" },
        { "1.idx", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1], false, ".idx: 1 file, of an unknown format" }, // a WBMP by its first bytes
        { "notes.pdf", [.. "%PDF-1.7"u8], false, ".pdf: 1 file, PDF documents" },
    };

    [Theory, MemberData(nameof(Kinds))]
    public void A_file_that_cannot_be_read_is_named_for_what_it_is_by_content(string name, byte[] content, bool isMissed, string expected)
    {
        foreach (bool zipped in new[] { false, true })
        {
            string root = Path.Combine(_folder, zipped ? "zipped" : "plain");
            (string, byte[])[] files = [.. from each in new[] { "cat", "dog" }
                from i in Enumerable.Range(0, 20)
                select ($"{each}/{i + 100}.png", Picture), ($"cat/{name}", content)];
            if (zipped)
                PictureFiles.WriteZip(Path.Combine(root, "train.zip"), files);
            else
                Array.ForEach(files, file => PictureFiles.Write(root, "train/" + file.Item1, file.Item2));
            _said.Clear();
            IDataView view = ImageSource.ForTraining(_mlContext, root, _said.Add);
            Assert.Equal(expected.Length == 0 ? 41 : 40, view.GetColumn<float[]>("Features").Count());
            string[] leftOut = [.. _said.Where(line => line.StartsWith("  Left out: ", StringComparison.Ordinal))];
            Assert.Equal(expected.Length == 0 ? 0 : 1, leftOut.Length);
            Assert.All(leftOut, line => Assert.Contains(expected, line, StringComparison.Ordinal));
            // A result of an experiment is one of all images: one that is missed is refused by name, another file is no matter.
            if (isMissed)
            {
                FormatException failure = Assert.Throws<FormatException>(() => ImageArchive.Open(root, ImagePart.Train, isStrict: true));
                Assert.Contains("1 of 41 images cannot be read, and none may be left out here.", failure.Message, StringComparison.Ordinal);
                Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
                Assert.Contains($"cat/{name}", failure.Message, StringComparison.Ordinal);
            }
            else
                Assert.Equal(view.GetRowCount(), ImageArchive.Open(root, ImagePart.Train, isStrict: true).Count);
        }
    }

    [Fact]
    public void A_class_without_an_image_that_can_be_read_is_refused_with_what_it_holds()
    {
        for (int i = 0; i < 6; i++)
        {
            PictureFiles.Write(_folder, $"train/cat/{i}.tif", PictureFiles.Tiff); // case 25: the class vanished
            PictureFiles.Write(_folder, $"train/dog/{i}.png", Picture);
            PictureFiles.Write(_folder, $"train/horse/{i}.png", Picture);
        }
        FormatException failure = Assert.Throws<FormatException>(() => ImageSource.ForTraining(_mlContext, _folder, _said.Add));
        Assert.Contains("the folder of class 'cat' has no image that can be read. .tif: 6 files, TIFF", failure.Message, StringComparison.Ordinal);
        Assert.Contains("convert to PNG or JPEG (cat/0.tif, cat/1.tif, cat/2.tif, and 3 more)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("the folder of class 'cat' has no image", Assert.Throws<InvalidOperationException>(() => ProcessRunner.Tool(_folder,
            "train", ".", "--epochs", "1")).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "model.zip")));
        Directory.Delete(Path.Combine(_folder, "train", "cat"), recursive: true);
        Directory.CreateDirectory(Path.Combine(_folder, "train", "cat"));
        failure = Assert.Throws<FormatException>(() => ImageSource.ForTraining(_mlContext, _folder, _said.Add));
        Assert.Contains("'cat' has no image that can be read: it is empty.", failure.Message, StringComparison.Ordinal);
        PictureFiles.Write(_folder, "train/cat/1.png", Picture);
        Assert.Equal(13, ImageSource.ForTraining(_mlContext, _folder, _said.Add).GetRowCount());
    }

    [Theory, InlineData(1, true), InlineData(2, true), InlineData(3, false), InlineData(10, false)]
    public void A_few_images_that_cannot_be_read_are_left_out_and_more_are_refused(int damaged, bool isTrained)
    {
        for (int i = 0; i < 40; i++)
            PictureFiles.Write(_folder, $"train/{(i < 20 ? "cat" : "dog")}/{i:00}.png", i >= 40 - damaged ? Picture[..200] : Picture);
        if (isTrained)
        {
            Assert.Equal(40 - damaged, ImageSource.ForTraining(_mlContext, _folder, _said.Add).GetRowCount());
            Assert.Contains($"Left out: .png: {ImageSurvey.Count(damaged, "file")}, no image that can be decoded whole", string.Join('\n', _said),
                StringComparison.Ordinal);
            return;
        }
        FormatException failure = Assert.Throws<FormatException>(() => ImageSource.ForTraining(_mlContext, _folder, _said.Add));
        Assert.Contains($"{damaged} of 40 images cannot be read; up to 5 % may be left out. .png: {damaged} files, no image", failure.Message,
            StringComparison.Ordinal);
        Assert.Contains("dog/39.png", damaged == 3 ? failure.Message : "dog/39.png", StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_beyond_the_limit_is_left_out_without_being_read()
    {
        for (int i = 0; i < 20; i++)
            PictureFiles.Write(_folder, $"train/{(i < 10 ? "cat" : "dog")}/{i}.png", Picture);
        using (FileStream file = File.OpenWrite(Path.Combine(_folder, "train", "cat", "0.png")))
            file.SetLength(600L << 20);
        long before = GC.GetTotalAllocatedBytes();
        Assert.Equal(19, ImageSource.ForTraining(_mlContext, _folder, _said.Add).GetRowCount());
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 100 << 20);
        Assert.Contains("600 MB, more than the 512 MB that an image file may have (cat/0.png)", string.Join('\n', _said), StringComparison.Ordinal);
    }

    [Theory, InlineData("images-one-16384"), InlineData("images-zip-size-1073741824"), InlineData("images-zip-method")]
    public void Hostile_sets_are_refused_by_the_files_name_and_do_not_end_a_check(string name)
    {
        string set = Path.Combine(AppContext.BaseDirectory, "Data", "Cases", "files", name);
        long before = GC.GetTotalAllocatedBytes();
        ImageArchive archive = ImageArchive.Survey(ImagePart.Find(set, ImagePart.Train));
        (int count, IReadOnlyList<string> errors) = archive.Check();
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 100 << 20);
        Assert.NotEmpty(errors);
        Assert.All(errors, error => Assert.Contains("cannot be read: ", error, StringComparison.Ordinal));
        Assert.True(count >= errors.Count);
    }
}
