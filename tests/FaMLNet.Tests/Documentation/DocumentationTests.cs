using System.Text.RegularExpressions;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Documentation;

/// <summary>Holds the documentation to the code.</summary>
[Collection(Alone.Name)]
public sealed partial class DocumentationTests
{
    private static readonly string Root = ProcessRunner.Metadata("RepositoryRoot");

    public static TheoryData<string> Pages =>
        [.. Directory.GetFiles(Path.Combine(Root, "docs"), "*.md").Append(Path.Combine(Root, "README.md"))
        .Select(path => Path.GetRelativePath(Root, path))];

    [Theory, MemberData(nameof(Pages))]
    public void Code_blocks_are_taken_from_compiled_files(string page)
    {
        string[][] sources = [.. new[] { "src", "tests", "examples" }.SelectMany(folder =>
            Directory.GetFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(path => Lines(File.ReadAllText(path)))];
        foreach (Match block in CodeBlock().Matches(File.ReadAllText(Path.Combine(Root, page)).ReplaceLineEndings("\n")))
        {
            // Using directives stand apart from the code that they serve.
            string[] lines = [.. Lines(block.Groups[1].Value)
                .Where(line => !line.StartsWith("using ", StringComparison.Ordinal) || line.Contains('('))];
            Assert.True(sources.Any(source => Contains(source, lines)), $"{page}: no compiled file has this block:\n{block.Groups[1].Value}");
        }
    }

    [Theory, MemberData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        foreach (Match link in RelativeLink().Matches(File.ReadAllText(Path.Combine(Root, page))))
            Assert.True(Path.Exists(Path.Combine(Root, Path.GetDirectoryName(page)!, link.Groups[1].Value)), $"{page}: {link.Groups[1].Value}");
    }

    [Fact]
    public void The_first_pipeline_of_the_readme_works()
    {
        string before = Environment.CurrentDirectory;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("famlnet-readme");
        try
        {
            File.Copy(Tables.PathOf("digits"), Path.Combine(folder.FullName, "digits.csv"));
            Environment.CurrentDirectory = folder.FullName;
            Assert.True(FirstPipeline.Run().MicroAccuracy > 0.94);
            Assert.True(File.Exists("digits.zip"));
        }
        finally
        {
            Environment.CurrentDirectory = before;
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_snippets_of_the_guides_work()
    {
        MLContext mlContext = new(seed: 1);
        IDataView data = Tables.Load(mlContext, "digits");
        IDataView keyed = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        EpochMetrics last = ReliableTraining.Create(mlContext).Fit(keyed).Model.History[^1];
        Assert.InRange(last.ValidationTopKAccuracy!.Value, last.ValidationAccuracy!.Value, 1);
        FeedbackAlignmentMulticlassTransformer lastEpoch = FurtherModels.OfTheLastEpoch(mlContext, keyed);
        Assert.True(mlContext.MulticlassClassification.Evaluate(lastEpoch.Transform(keyed)).MicroAccuracy > 0.9);
        TrainingDivergedException failure = Assert.Throws<TrainingDivergedException>(() => mlContext.MulticlassClassification.Trainers
            .FeedbackAlignment(new FeedbackAlignmentMulticlassTrainer.Options { Optimizer = new OptimizerOptions.Sgd { LearningRate = 1e20f } })
            .Fit(keyed));
        Assert.NotNull(FurtherModels.BeforeItDiverged(mlContext, failure, keyed).Transform(keyed).Schema.GetColumnOrNull("Score"));
        Assert.Equal(0.01f, FurtherModels.Settings().Optimizer.LearningRate);
        Assert.Equal(FurtherModels.Network(), mlContext.MulticlassClassification.Trainers.FeedbackAlignment(network: FurtherModels.Network(),
            numberOfEpochs: 1).Fit(keyed).Model.Network);
        IDataView cancer = Tables.Load(mlContext, "breast-cancer");
        cancer = mlContext.Transforms.Conversion.MapValue("Label", new Dictionary<string, bool> { ["malignant"] = true, ["benign"] = false })
            .Fit(cancer).Transform(cancer);
        (FeedbackAlignmentBinaryTransformer careful, FeedbackAlignmentRegressionTrainer regression) = TaskTraining.Create(mlContext, cancer);
        Assert.Equal(1.5f, careful.Threshold);
        cancer = mlContext.Transforms.Conversion.ConvertType("Label", outputKind: Microsoft.ML.Data.DataKind.Single).Fit(cancer).Transform(cancer);
        Assert.Equal(25, regression.Fit(cancer).Model.History.Count);
        last = MeasuredTraining.Create(mlContext).Fit(keyed).Model.History[^1];
        Assert.InRange(last.TotalUpdateAngle!.Value, 0, 90);
        string before = Environment.CurrentDirectory;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("famlnet-reporting");
        try
        {
            Environment.CurrentDirectory = folder.FullName;
            ReportedTraining.Run(mlContext, keyed, keyed);
            Assert.True(File.Exists("report.html") && File.Exists("runs/dfa.csv") && Directory.GetFiles("runs/dfa").Length == 1
                && Directory.GetFiles("pictures").Length > 10);
        }
        finally
        {
            Environment.CurrentDirectory = before;
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_snippet_of_several_numbers_and_labels_works()
    {
        MLContext mlContext = new(seed: 1);
        Random random = new(1);
        IDataView rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 300).Select(_ =>
        {
            float[] x = [.. Enumerable.Range(0, 3).Select(_ => random.NextSingle() * 2 - 1)];
            return new VectorRow { Features = x, Height = 170 + 10 * x[0], Weight = 70 + 5 * x[1], IsUrgent = x[0] > 0, IsBilling = x[2] > 0.5 };
        }).ToArray());
        (VectorRegressionMetrics numbers, MultiLabelMetrics labels) = VectorTraining.Run(mlContext, rows, rows);
        Assert.Equal(["Height", "Weight"], numbers.Outputs.Select(output => output.Name));
        Assert.InRange(numbers.RSquared, 0.8, 1);
        Assert.InRange(labels.MicroF1, 0.8, 1);
    }

    private sealed class VectorRow
    {
        [Microsoft.ML.Data.VectorType(3)]
        public float[] Features { get; set; } = [];

        public float Height { get; set; }

        public float Weight { get; set; }

        public bool IsUrgent { get; set; }

        public bool IsBilling { get; set; }
    }

    private static string[] Lines(string text) =>
        [.. text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];

    private static bool Contains(string[] source, string[] lines)
    {
        for (int start = 0; start <= source.Length - lines.Length; start++)
        {
            if (source.AsSpan(start, lines.Length).SequenceEqual(lines))
                return true;
        }
        return false;
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]+)\)")]
    private static partial Regex RelativeLink();
}
