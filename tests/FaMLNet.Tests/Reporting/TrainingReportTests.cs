using System.Xml;
using FaMLNet.Reporting;
using FaMLNet.Reporting.Pictures;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;
using Xunit;

namespace FaMLNet.Tests.Reporting;

/// <summary>Pictures: that they are there, show something, and that nothing bad comes of bad input. How they look people must judge.</summary>
public sealed class TrainingReportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-report").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Speed", "Slow")]
    public void Pictures_are_saved_of_everything_that_was_measured()
    {
        TrainingReport report = new("Three rules & more");
        report.Add("DFA <script>", Histories.Make(12), Matrix(4), ["a", "b", "c", "<script>"]);
        report.Add("FA", [Histories.Make(12, shift: 0.1), Histories.Make(9, shift: 0.3)], Matrix(4));
        report.Add("BP", Histories.Make(1, layers: ["other"], validates: false));
        IReadOnlyList<string> files = report.SavePictures(Path.Combine(_folder, "new", "pictures"));
        Assert.Equal(["accuracy", "alignment-angle", "comparison", "confusion-dfa--script", "confusion-fa", "dead-units", "gradient-norm", "loss",
            "norm-ratio", "update-angle", "update-ratio", "weight-norm"],
            files.Where(file => file.EndsWith(".png", StringComparison.Ordinal)).Select(Path.GetFileNameWithoutExtension)
                .Order(StringComparer.Ordinal));
        foreach (string file in files)
        {
            if (file.EndsWith(".svg", StringComparison.Ordinal))
            {
                string svg = File.ReadAllText(file);
                Assert.Contains("</svg>", svg, StringComparison.Ordinal);
                using XmlReader reader = XmlReader.Create(new StringReader(svg), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
                while (reader.Read())
                    continue; // throws if it is no XML
                continue;
            }
            using SKBitmap bitmap = SKBitmap.Decode(file);
            Assert.True(bitmap.Width >= 600 && bitmap.Height >= 400, file);
            Assert.True(bitmap.Pixels.Distinct().Count() > 20, file);
            // Nothing is cut off at the edges: they are white.
            Assert.All(Enumerable.Range(0, bitmap.Width), x => Assert.True(bitmap.GetPixel(x, 0) == SKColors.White
                && bitmap.GetPixel(x, bitmap.Height - 1) == SKColors.White, file));
            Assert.All(Enumerable.Range(0, bitmap.Height), y => Assert.True(bitmap.GetPixel(0, y) == SKColors.White
                && bitmap.GetPixel(bitmap.Width - 1, y) == SKColors.White, file));
        }
        Assert.Equal(files, report.SavePictures(Path.Combine(_folder, "new", "pictures"))); // over what is there
    }

    [Fact]
    public void Bands_reach_from_the_least_to_the_greatest_and_gaps_stay_gaps()
    {
        EpochMetrics[] one = Histories.Make(3), other = Histories.Make(3, shift: 1);
        one[1] = one[1] with { Loss = double.NaN };
        other[1] = other[1] with { Loss = double.PositiveInfinity };
        Curve curve = Curve.Of([one, other], metrics => metrics.Loss);
        Assert.Equal([1, 2, 3], curve.Places);
        Assert.Equal([2.8, double.NaN, 2.3 / 3 + 0.5], curve.Mean);
        Assert.Equal((2.3, 3.3), (curve.Low[0], curve.High[0]));
        Assert.Equal([2.3, 3.3, 2.3 / 3], Curve.Of([one, other[..1]], metrics => metrics.Loss) is { } shorter
            ? [shorter.Low[0], shorter.High[0], shorter.Mean[2]] : []);
    }

    [Fact]
    public void Histories_full_of_gaps_give_pictures_and_no_exception()
    {
        EpochMetrics empty = new() { Epoch = 1, Loss = double.NaN, Accuracy = double.NaN, LearningRate = 0, SamplesPerSecond = 0 };
        EpochMetrics zero = Histories.Make(1)[0] with
        {
            GradientNorm = new Dictionary<string, double> { ["a"] = 0, ["b"] = double.NaN },
            UpdateRatio = new Dictionary<string, double> { ["a"] = 1e-30, ["b"] = 1e30 },
            WeightNorm = new Dictionary<string, double> { ["a"] = double.PositiveInfinity },
            Loss = 1e300,
        };
        TrainingReport report = new("gaps");
        report.Add("nothing", [empty]);
        report.Add("a name that is far too long for any legend, and goes on " + new string('x', 300) + "\nwith another line",
            [zero, zero with { Epoch = 7 }]);
        report.Add("Ünïcödé 中文 🙂", [empty, empty with { Epoch = 2, Loss = 1 }]);
        report.SavePictures(_folder);
        report.SaveHtml(Path.Combine(_folder, "report.html"));
    }

    /// <summary>Both use SkiaSharp, and must use one version of it.</summary>
    [Fact]
    public void Pictures_and_pixels_of_ml_net_live_in_one_process()
    {
        TrainingReport report = new("pixels");
        report.Add("one", Histories.Make(3));
        string picture = report.SavePictures(_folder)[0];
        MLContext mlContext = new();
        IDataView images = mlContext.Data.LoadFromEnumerable([new ImagePath { Path = Path.GetFileName(picture) }]);
        IDataView pixels = mlContext.Transforms.LoadImages("Image", _folder, "Path").Append(mlContext.Transforms.ResizeImages("Image", 16, 16))
            .Append(mlContext.Transforms.ExtractPixels("Features", "Image")).Fit(images).Transform(images);
        Assert.Equal(3 * 16 * 16, pixels.GetColumn<float[]>("Features").Single().Length);
        Assert.NotEmpty(report.SavePictures(_folder));
    }

    [Fact]
    public void A_long_title_ends_in_an_ellipsis_and_not_at_the_edge()
    {
        ConfusionTable table = new(["a", "b"], [[3, 1], [0, 4]]);
        using SKBitmap bitmap = SKBitmap.Decode(ConfusionPicture.Of(table, new string('x', 300)).ToPng().Png);
        Assert.All(Enumerable.Range(0, bitmap.Height), y => Assert.Equal(SKColors.White, bitmap.GetPixel(bitmap.Width - 1, y)));
    }

    [Fact]
    public void Text_is_drawn_by_the_font_that_the_assembly_carries()
    {
        using SKPaint paint = PictureFont.Paint("Alignment ‖B‖/‖W‖ Δ°", 13);
        Assert.Equal("DejaVu Sans", paint.Typeface.FamilyName);
        Assert.True(paint.Typeface.ContainsGlyphs("Alignment ‖B‖/‖W‖ Δ°–…"));
    }

    [Fact]
    public void Bad_input_is_named()
    {
        TrainingReport report = new("bad");
        void Refused<T>(string expected, Action action) where T : Exception =>
            Assert.Contains(expected, Assert.Throws<T>(action).Message, StringComparison.Ordinal);
        Refused<InvalidOperationException>("has no training", () => report.SaveHtml(Path.Combine(_folder, "x.html")));
        Refused<InvalidOperationException>("has no training", () => report.SavePictures(_folder));
        Refused<ArgumentException>("'empty' has no epochs", () => report.Add("empty", Array.Empty<EpochMetrics>()));
        report.Add("one", Histories.Make(2));
        Refused<ArgumentException>("called 'one' already", () => report.Add("one", Histories.Make(2)));
        Refused<ArgumentException>("4 classes and 2 names", () => report.Add("two", Histories.Make(2), Matrix(4), ["a", "b"]));
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        foreach (Action save in new Action[] { () => report.SavePictures(Path.Combine(_folder, "file")), () => report.SaveHtml(_folder) })
            Assert.Contains("cannot be written: ", Assert.Throws<IOException>(save).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder, "*.tmp"));
    }

    internal static ConfusionMatrix Matrix(int classes)
    {
        MLContext mlContext = new(seed: 1);
        Random random = new(1);
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Judged));
        schema["Label"].ColumnType = schema["PredictedLabel"].ColumnType = new KeyDataViewType(typeof(uint), classes);
        schema["Score"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, classes);
        IDataView data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 100 * classes).Select(row =>
        {
            float[] score = new float[classes];
            uint label = (uint)(row % classes), predicted = random.NextDouble() < 0.8 ? label : (uint)random.Next(classes);
            score[predicted] = 1;
            return new Judged { Label = label, PredictedLabel = predicted, Score = score };
        }), schema);
        return mlContext.MulticlassClassification.Evaluate(data).ConfusionMatrix;
    }

    private sealed class ImagePath
    {
        public string Path { get; set; } = "";
    }

    private sealed class Judged
    {
        public uint Label { get; set; }

        public uint PredictedLabel { get; set; }

        public float[] Score { get; set; } = [];
    }
}
