using FaMLNet.Tests.Robustness;
using Microsoft.ML;
using SkiaSharp;
using Xunit;

namespace FaMLNet.Tests.Reporting;

/// <summary>Pictures of attacks.</summary>
public sealed class RobustnessPicturesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-pictures").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Curves_have_a_diagram_an_attack_and_a_line_a_model()
    {
        MLContext mlContext = new(seed: 1);
        float[][] rows = RandomModel.Rows(30, 64, seed: 1);
        RobustnessReport Report(int seed)
        {
            ITransformer model = LinearModel.Of(mlContext, LinearModel.Weights(3, 64, seed));
            return mlContext.MulticlassClassification.EvaluateRobustness(model, RandomModel.View(mlContext, rows,
                RandomModel.Predicted(mlContext, model, rows, 3), 3), [FaMLNet.Attack.Fgsm(0.01f), FaMLNet.Attack.Fgsm(0.05f),
                FaMLNet.Attack.FewPixel(1, population: 5, generations: 1), FaMLNet.Attack.DeepFool()]);
        }
        FaMLNet.Reporting.RobustnessCurves curves = new("Three linear models");
        Assert.Contains("no model", Assert.Throws<InvalidOperationException>(() => curves.SavePicture(Path.Combine(_folder, "no"))).Message,
            StringComparison.Ordinal);
        curves.Add("one", Report(1));
        curves.Add("two seeds", Report(2), Report(3));
        Assert.Contains("'one'", Assert.Throws<ArgumentException>(() => curves.Add("one", Report(1))).Message, StringComparison.Ordinal);
        Assert.Contains("'none'", Assert.Throws<ArgumentException>(() => curves.Add("none")).Message, StringComparison.Ordinal);
        curves.SavePicture(Path.Combine(_folder, "a", "curves"));
        string svg = File.ReadAllText(Path.Combine(_folder, "a", "curves.svg"));
        foreach (string text in new[] { "Three linear models", "FGSM L∞, true gradient", "One pixel, 5 × 1", "two seeds", "pixels", "bound",
            "bands from" })
            Assert.Contains(text, svg, StringComparison.Ordinal);
        Assert.DoesNotContain("DeepFool", svg, StringComparison.Ordinal); // without a bound there is no curve
        using SKBitmap picture = SKBitmap.Decode(Path.Combine(_folder, "a", "curves.png"));
        Assert.True(picture.Width > 1000 && picture.Height > 500);
    }

    [Fact]
    public void A_sheet_shows_the_image_the_change_and_the_changed_image()
    {
        float[] clean = new float[16], changed = new float[16];
        clean[0] = changed[0] = 1;
        changed[15] = 0.25f;
        string path = Path.Combine(_folder, "sheet.png");
        FaMLNet.Reporting.AdversarialSheet.Save(path, "A sheet", [new FaMLNet.Reporting.AdversarialImage(clean, changed, "cat: 90 %", "dog: 51 %")],
            new ImageShape(1, 4, 4), (0, 1));
        using SKBitmap picture = SKBitmap.Decode(path);
        // Two pixels a unit; a tile is 112 units, a pixel of the image 28.
        byte At(int tile, int pixel) => picture.GetPixel(2 * (14 + tile * 124 + pixel % 4 * 28 + 14), 2 * (44 + 26 + pixel / 4 * 28 + 14)).Red;
        Assert.Equal((255, 0, 0), (At(0, 0), At(0, 15), At(0, 5)));
        Assert.Equal((255, 63), (At(2, 0), At(2, 15)));
        Assert.InRange(At(1, 15), 250, 255); // amplified to half of the range, from grey
        Assert.Equal((128, 128), (At(1, 0), At(1, 5)));
        Assert.Contains("1 or 3 channels", Assert.Throws<ArgumentException>(() => FaMLNet.Reporting.AdversarialSheet.Save(path, "A sheet",
            [new FaMLNet.Reporting.AdversarialImage(clean, changed, "", "")], new ImageShape(2, 2, 4), (0, 1))).Message, StringComparison.Ordinal);
        Assert.Contains("must have 9 values", Assert.Throws<ArgumentException>(() => FaMLNet.Reporting.AdversarialSheet.Save(path, "A sheet",
            [new FaMLNet.Reporting.AdversarialImage(clean, changed, "", "")], new ImageShape(1, 3, 3), (0, 1))).Message, StringComparison.Ordinal);
    }
}
