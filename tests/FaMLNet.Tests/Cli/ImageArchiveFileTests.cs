using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using FaMLNet.Cli.Images;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>One archive in place of a folder of images.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class ImageArchiveFileTests : IDisposable
{
    private static readonly (string Name, SKColor Colour)[] Classes = [("cat", new SKColor(200, 40, 40)), ("dog", new SKColor(40, 60, 200))];

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-archive").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("{1}/{2}.png", 16, "There is no train and no test")]
    [InlineData("pictures/{1}/{2}.png", 16, "All lies in the folder pictures/ there")]
    [InlineData("{0}/{1}/{2}.png", 8, "All lies in the folder train/ there")]
    [InlineData("pictures\\{0}\\{1}\\x\\{2}.png", 8, "All lies in the folder pictures/train/ there")]
    [InlineData("./pictures/{0}/{1}/{2}", 8, "All lies in the folder pictures/train/ there")]
    public void An_archive_of_all_is_read_as_its_folder_would_be(string pattern, int rows, string said)
    {
        string path = WriteZip("pictures.zip", pattern);
        List<string> notes = [];
        IDataView view = ImageSource.ForTraining(new MLContext(1), path, notes.Add);
        Assert.Equal(rows, view.GetRowCount());
        Assert.Contains(notes, note => note.Contains(said, StringComparison.Ordinal));
        VBuffer<ReadOnlyMemory<char>> keys = default;
        view.Schema["Label"].GetKeyValues(ref keys);
        Assert.Equal(["cat", "dog"], keys.DenseValues().Select(key => key.ToString()));
        // All of one colour are of one class.
        Assert.Equal(2, view.GetColumn<uint>("Label").Zip(view.GetColumn<float[]>("Features"), (label, pixels) => (label, pixels[0])).Distinct()
            .Count());
    }

    [Theory]
    [InlineData(true, "test/cat/0.png")]
    [InlineData(false, "test/cat/0.png")]
    public void Predictions_name_the_files(bool isZip, string first)
    {
        string data = "pictures";
        if (isZip)
            WriteZip(data = "pictures.zip", "{0}/{1}/{2}.png");
        else
        {
            foreach ((string part, string name, int i, byte[] picture) in All())
                PictureFiles.Write(_folder, $"pictures/{part}/{name}/{i}.png", picture);
        }
        Tool("train", data, "--network", "mlp:8", "--rule", "bp", "-e", "50", "--validation", "0");
        Assert.Contains("accuracy", Tool("evaluate", "model.zip", data), StringComparison.Ordinal);
        Tool("predict", "model.zip", data);
        string[] lines = File.ReadAllLines(Path.Combine(_folder, "predictions.csv"));
        Assert.Equal("File,PredictedLabel,cat,dog", lines[0]);
        Assert.Equal(first, lines[1].Split(',')[0]);
        Assert.Equal(8, lines[1..].Select(line => line.Split(',')[0]).Distinct().Count());
        // The name is that of the picture whose class was predicted.
        Assert.All(lines[1..], line => Assert.Equal(line.Split(',')[0].Split('/')[1], line.Split(',')[1]));
        // Directly in an archive of one part, which needs no test.
        if (isZip)
        {
            WriteZip("plain.zip", "{1}/{0}{2}.png");
            Tool("predict", "model.zip", "plain.zip");
            Assert.StartsWith("cat/test0.png,cat,", File.ReadAllLines(Path.Combine(_folder, "predictions.csv"))[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_folder_whose_parts_are_archives_is_named_down_to_the_file()
    {
        foreach (string part in new[] { "train", "test" })
        {
            PictureFiles.WriteZip(Path.Combine(_folder, "set", part + ".zip"), All().Where(each => each.Part == part)
                .Select(each => ($"{each.Name}/{each.Number}.png", each.Picture)));
        }
        Tool("train", "set", "--network", "mlp:4", "-e", "1");
        Tool("predict", "model.zip", "set");
        Assert.StartsWith("test.zip/cat/0.png,", File.ReadAllLines(Path.Combine(_folder, "predictions.csv"))[1], StringComparison.Ordinal);
    }

    [Theory, InlineData("test"), InlineData("train")]
    public void An_archive_without_the_wanted_part_is_refused_by_its_name(string part)
    {
        string path = Path.Combine(_folder, "pictures.zip");
        PictureFiles.WriteZip(path, [.. All().Where(each => each.Part == part).Select(each => ($"{part}/{each.Name}/{each.Number}.png",
            each.Picture)), ("other/cat/1.png", PictureFiles.Grey16)]);
        FileNotFoundException failure = Assert.Throws<FileNotFoundException>(() => ImagePart.Find(path, part == "test" ? ImagePart.Train
            : ImagePart.Test));
        Assert.Contains($"has the folder '{part}', but not the part that is wanted", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pictures.tar.gz", "'pictures.tar.gz' is a tar archive compressed by gzip, which is not read. Expected a table, a folder, or")]
    [InlineData("pictures.csv", "'pictures.csv' is a tar archive compressed by gzip")]
    [InlineData("pictures.tar", "'pictures.tar' is a tar archive, which is not read.")]
    [InlineData("pictures.rar", "'pictures.rar' is a RAR archive, which is not read.")]
    [InlineData("report.docx", "'report.docx' is an Excel workbook")] // or another document of that kind
    [InlineData("tables.zip", "'tables.zip' is a zip archive, not a table of separated values. Unpack it")]
    public void Other_archives_are_refused_with_what_is_expected(string name, string expected)
    {
        string path = Path.Combine(_folder, name);
        if (name.EndsWith(".rar", StringComparison.Ordinal))
            File.WriteAllBytes(path, [.. "Rar!\x1A\x07\x01\0"u8, .. new byte[600]]);
        else if (name == "report.docx")
            PictureFiles.WriteZip(path, [("[Content_Types].xml", [.. "<x/>"u8]), ("word/media/image1.png", PictureFiles.Grey16)]);
        else if (name == "tables.zip")
            PictureFiles.WriteZip(path, [("a.csv", [.. "a,Label\n1,x\n"u8])]);
        else
        {
            foreach ((string part, string className, int i, byte[] picture) in All())
                PictureFiles.Write(_folder, $"in/{part}/{className}/{i}.png", picture);
            using FileStream file = File.Create(path);
            using Stream packed = name.EndsWith(".tar", StringComparison.Ordinal) ? file : new GZipStream(file, CompressionLevel.Fastest);
            TarFile.CreateFromDirectory(Path.Combine(_folder, "in"), packed, includeBaseDirectory: false);
        }
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => Tool("train", name)).Message, StringComparison.Ordinal);
    }

    /// <summary>A table compressed by gzip is one, and no archive.</summary>
    [Fact]
    public void A_compressed_table_is_still_a_table()
    {
        using (GZipStream packed = new(File.Create(Path.Combine(_folder, "iris.csv.gz")), CompressionLevel.Fastest))
            packed.Write(File.ReadAllBytes(Tables.PathOf("iris")));
        Assert.Contains("Saved as model.zip.", Tool("train", "iris.csv.gz", "-e", "1"), StringComparison.Ordinal);
    }

    /// <summary>A bit of each entry says that it is encrypted; this tool never asks for a password.</summary>
    [Theory, InlineData(1, 1, "1 of 16 images cannot be read")]
    [InlineData(0, 16, "the folder of class 'cat' has no image that can be read. .png: 8 ")]
    public void Encrypted_entries_are_named_and_counted(int from, int to, string expected)
    {
        string path = WriteZip("pictures.zip", "{1}/{0}{2}.png");
        byte[] bytes = File.ReadAllBytes(path);
        int entry = 0, at = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(bytes.Length - 6)); // the directory's place, in the last record
        for (; bytes.AsSpan(at).StartsWith("PK\x01\x02"u8); entry++)
        {
            int local = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 42));
            if (entry >= from && entry <= to)
            {
                bytes[at + 8] |= 1;
                bytes[local + 6] |= 1;
            }
            at += 46 + bytes[at + 28] + bytes[at + 30] + bytes[at + 32];
        }
        Assert.Equal(16, entry);
        File.WriteAllBytes(path, bytes);
        string message = Assert.Throws<InvalidOperationException>(() => Tool("train", "pictures.zip")).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("encrypted: pack without a password (cat/t", message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", message, StringComparison.Ordinal);
    }

    private string Tool(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);

    /// <summary>Four pictures of each class in each part, in the classes' colours.</summary>
    private static IEnumerable<(string Part, string Name, int Number, byte[] Picture)> All() =>
        from part in new[] { "train", "test" }
        from each in Classes
        from i in Enumerable.Range(0, 4)
        select (part, each.Name, i, PictureFiles.Plain(each.Colour));

    private string WriteZip(string name, string pattern)
    {
        string path = Path.Combine(_folder, name);
        string[] names = [.. All().Select(each => string.Format(null, pattern, each.Part, each.Name, each.Number))];
        // Names that a pattern does not tell apart.
        if (names.Distinct().Count() < names.Length)
            names = [.. All().Select(each => string.Format(null, pattern, each.Part, each.Name, each.Part + each.Number))];
        PictureFiles.WriteZip(path, names.Zip(All(), (entry, each) => (entry, each.Picture)));
        return path;
    }
}
