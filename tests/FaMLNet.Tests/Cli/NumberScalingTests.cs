using System.Globalization;
using CsCheck;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static System.FormattableString;

namespace FaMLNet.Tests.Cli;

/// <summary>Numbers of any size and offset, columns of any name.</summary>
public sealed class NumberScalingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-scaling").FullName;
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly List<string> _said = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>In single precision the first two sets of numbers have one value for all classes.</summary>
    [Theory]
    [InlineData(1_700_000_000, 12)] // Unix seconds
    [InlineData(20_261_128_000_000, 1)] // a date and time in 14 digits
    [InlineData(1e15, 1)]
    [InlineData(-1e9, 1)]
    [InlineData(0, 1e-9)]
    [InlineData(0, 1e12)]
    public void Numbers_that_differ_little_from_each_other_are_told_apart(double offset, double step)
    {
        IEnumerable<string> rows = Enumerable.Range(0, 90).Select(i =>
            $"{(offset + step * (i % 3 * 10 + i % 2)).ToString("R", CultureInfo.InvariantCulture)},{"uvw"[i % 3]}");
        Assert.Equal(1, Accuracy("t,Label\n" + string.Join('\n', rows)));
        Assert.Empty(_said);
    }

    [Theory]
    [InlineData("999999999")]
    [InlineData("-1e30")]
    public void One_value_far_outside_does_not_flatten_the_others(string outlier)
    {
        string[] rows = File.ReadAllLines(Tables.PathOf("iris"));
        string[] cells = rows[80].Split(',');
        rows[80] = string.Join(',', cells.Select((cell, i) => i == 2 ? outlier : cell));
        Assert.True(Accuracy(string.Join('\n', rows)) > 0.95);
        string said = Assert.Single(_said);
        Assert.StartsWith($"Column '{rows[0].Split(',')[2]}': ", said, StringComparison.Ordinal);
        Assert.Contains("far outside", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Long_tails_are_left_as_they_are()
    {
        Random random = new(1);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(random.NextDouble() * 2 * Math.PI);
        IEnumerable<string> rows = Enumerable.Range(0, 500).Select(i => Invariant($"{Math.Exp(1.5 * Normal()):G6},{i % 40 / 39},{"uv"[i % 2]}"));
        Accuracy("income,rare,Label\n" + string.Join('\n', rows));
        Assert.Empty(_said);
    }

    [Fact]
    public void Values_become_zero_mean_and_unit_deviation_and_missing_ones_the_mean()
    {
        DataSource data = Open("a,b,Label\n1700000000,1,u\n1700000010,,v\n1700000020,3,u\n");
        IDataView prepared = TablePipeline.Prepare(_mlContext, data).Fit(data.View).Transform(data.View);
        float[][] rows = [.. prepared.GetColumn<float[]>("Features")];
        float deviation = MathF.Sqrt(1.5f);
        Assert.Equal([-deviation, 0, deviation], rows.Select(row => row[0]), (x, y) => MathF.Abs(x - y) < 1e-6f);
        Assert.Equal([-deviation, 0, deviation], rows.Select(row => row[1]), (x, y) => MathF.Abs(x - y) < 1e-6f);
        VBuffer<ReadOnlyMemory<char>> names = default;
        prepared.Schema["Features"].GetSlotNames(ref names);
        Assert.Equal(["a", "b"], names.DenseValues().Select(name => name.ToString()));
    }

    /// <summary>A label or feature of a name that the pipeline uses itself is not compared with, or replaced by, what the pipeline makes.</summary>
    [Theory]
    [InlineData("Score", "regression")]
    [InlineData("Features", "regression")]
    [InlineData("Numbers", "regression")]
    [InlineData("Score", "binary")]
    [InlineData("Probability", "binary")]
    [InlineData("PredictedLabel", "binary")]
    [InlineData("PredictedLabel", "multiclass")]
    [InlineData("Score (column)", "multiclass")]
    [InlineData("Categories", "multiclass")]
    [Trait("Speed", "Slow")]
    public void A_label_may_have_any_name(string name, string task)
    {
        Random random = new(1);
        IEnumerable<string> rows = Enumerable.Range(0, 60).Select(i => Invariant($"{random.NextDouble():F4},{"xy"[i % 2]},")
            + (task == "regression" ? Invariant($"{random.NextDouble():F4}") : task == "binary" ? $"{random.Next(2)}" : $"{"uvw"[random.Next(3)]}"));
        File.WriteAllText(Path.Combine(_folder, "dice.csv"), $"a,b,{name}\n" + string.Join('\n', rows));
        ProcessRunner.Tool(_folder, "train", "dice.csv", "--label", name, "--task", task, "--epochs", "2");
        string output = ProcessRunner.Tool(_folder, "evaluate", "model.zip", "dice.csv");
        Assert.DoesNotContain("100.00 %", output, StringComparison.Ordinal);
        Assert.DoesNotContain("1.0000", output.Split("Confusion")[0].Split("TEST")[0], StringComparison.Ordinal);
        Assert.Equal(output, ProcessRunner.Tool(_folder, "evaluate", "model.zip", "dice.csv", "--label", name));
    }

    [Fact]
    public void Features_may_have_any_name()
    {
        string[] rows = File.ReadAllLines(Tables.PathOf("iris"));
        rows[0] = "Score,Features,Probability,PredictedLabel,Label";
        Assert.True(Accuracy(string.Join('\n', rows)) > 0.95);
    }

    [Fact]
    public void Names_inside_the_pipeline_are_as_different_as_in_the_table() =>
        Gen.OneOfConst("Score", "Features", "x", "", " (column)").Array[1, 3].Sample(parts =>
        {
            string name = string.Concat(parts);
            Assert.Equal(name, ColumnNames.InTable(ColumnNames.InPipeline(name)));
        });

    private double Accuracy(string table)
    {
        DataSource data = Open(table);
        _said.Clear();
        FeedbackAlignmentMulticlassTrainer trainer = _mlContext.MulticlassClassification.Trainers.FeedbackAlignment(
            new FeedbackAlignmentMulticlassTrainer.Options
            {
                LabelColumnName = data.Label,
                Rule = FeedbackRule.Backpropagation,
                NumberOfEpochs = 40
            });
        ITransformer model = TablePipeline.Prepare(_mlContext, data, _said.Add).Append(trainer).Fit(data.View);
        return _mlContext.MulticlassClassification.Evaluate(model.Transform(data.View), data.Label).MicroAccuracy;
    }

    private DataSource Open(string table)
    {
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllText(path, table);
        return DataSource.ForTraining(_mlContext, path, "Label", hasHeader: true, _said.Add);
    }
}
