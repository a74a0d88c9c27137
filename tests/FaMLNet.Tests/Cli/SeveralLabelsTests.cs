using System.Globalization;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>The tool learns several labels of a table at once, from training to prediction, or says why it does not.</summary>
[Collection(OwnProcesses.Name)]
public sealed class SeveralLabelsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-several").FullName;

    public SeveralLabelsTests()
    {
        Random random = new(1);
        File.WriteAllLines(PathOf("t.csv"), Enumerable.Range(0, 400).Select(i =>
        {
            double x = random.NextDouble() * 2 - 1, y = random.NextDouble() * 2 - 1;
            string height = i % 7 == 0 ? "" : (170 + 10 * x).ToString("F3", CultureInfo.InvariantCulture);
            string urgent = x > 0 ? "yes" : "no", paid = y > 0.6 ? "paid" : "open";
            return string.Create(CultureInfo.InvariantCulture, $"{x:F4},{y:F4},{height},{70 + 20 * y:F3},{urgent},{paid},{"abc"[i % 3]}");
        }).Prepend("x,y,height,weight,urgent,Labels,kind"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Several_numbers_are_learnt_predicted_and_measured()
    {
        string output = Run("train", "t.csv", "--label", "height,weight", "--ignore", "urgent,Labels,kind", "--rule", "bp", "--network", "mlp:32",
            "--epochs", "60", "--report", "report.html", "--csv", "history.csv");
        Assert.Contains("Task: several numbers at once (regression), for the labels 'height', 'weight'.", output, StringComparison.Ordinal);
        Assert.True(File.Exists(PathOf("report.html")) && File.ReadAllLines(PathOf("history.csv")).Length > 5);
        output = Run("evaluate", "model.zip", "t.csv");
        // Rows in which the number is known.
        Assert.Matches(@"height\D+[\d.]+\D+[\d.]+\D+0\.9\d+\D+342\b", output);
        Assert.Matches(@"weight\D+[\d.]+\D+[\d.]+\D+0\.9\d+\D+400\b", output);
        Assert.Matches(@"Mean R²: 0\.9\d+", output);
        Run("predict", "model.zip", "t.csv", "--keep", "x,height", "--output", "p.csv");
        string[] predicted = File.ReadAllLines(PathOf("p.csv"));
        Assert.Equal("x,height (column),height,weight", predicted[0]);
        Assert.Equal(401, predicted.Length);
        foreach (string[] cells in predicted.Skip(1).Select(row => row.Split(',')))
            Assert.Equal(170 + 10 * double.Parse(cells[0], CultureInfo.InvariantCulture), double.Parse(cells[2], CultureInfo.InvariantCulture), 5.0);
        // New data has no labels.
        File.WriteAllLines(PathOf("new.csv"), ["y,x", "0.5,-0.5"]);
        Run("predict", "model.zip", "new.csv", "--output", "n.csv");
        Assert.Equal(["height,weight", 2], [File.ReadLines(PathOf("n.csv")).First(), (object)File.ReadAllLines(PathOf("n.csv")).Length]);
        Fails("'new.csv' has no column 'height', the label's", "evaluate", "model.zip", "new.csv");
        Fails("--label: 'model.zip' predicts several labels", "evaluate", "model.zip", "t.csv", "--label", "height");
        Fails("predicts several labels per row; attacks are on classifiers of one label", "attack", "model.zip", "t.csv", "--attacks", "fgsm");
    }

    [Fact]
    public void Several_labels_of_two_values_are_learnt_in_the_tables_own_words()
    {
        string output = Run("train", "t.csv", "--label", "urgent,Labels", "--ignore", "height,weight,kind", "--network", "mlp:32", "--epochs", "40");
        Assert.Contains("Task: several labels of two values at once (binary), for the labels 'urgent', 'Labels'.", output, StringComparison.Ordinal);
        Assert.Contains("Label 'urgent': yes counts as true, no as false (by its meaning).", output, StringComparison.Ordinal);
        Assert.Contains("Label 'Labels': paid counts as true, open as false (the rarer value).", output, StringComparison.Ordinal);
        output = Run("evaluate", "model.zip", "t.csv");
        Assert.Matches(@"urgent \(yes\)\D+0\.9\d+", output);
        Assert.Matches(@"Labels \(paid\)\D+[01]\.\d+", output);
        Assert.Contains("micro F1", output, StringComparison.Ordinal);
        Run("predict", "model.zip", "t.csv", "--output", "p.csv");
        string[] predicted = File.ReadAllLines(PathOf("p.csv"));
        Assert.Equal("urgent,Labels,Probability: urgent,Probability: Labels", predicted[0]);
        string[] truth = [.. File.ReadLines(PathOf("t.csv")).Skip(1).Select(row => string.Join(',', row.Split(',')[4..6]))];
        Assert.True(truth.Zip(predicted.Skip(1)).Count(pair => pair.Second.StartsWith(pair.First + ",", StringComparison.Ordinal)) > 360);
        // A value that the model does not know is no false.
        string[] rows = File.ReadAllLines(PathOf("t.csv"));
        rows[3] = rows[3].Replace(",open,", ",shut,", StringComparison.Ordinal).Replace(",paid,", ",shut,", StringComparison.Ordinal);
        File.WriteAllLines(PathOf("u.csv"), rows);
        Fails("'u.csv', row 3, column 'Labels': the model knows the labels open and paid; found 'shut'", "evaluate", "model.zip", "u.csv");
        rows[3] = rows[3].Replace(",shut,", ",,", StringComparison.Ordinal);
        File.WriteAllLines(PathOf("u.csv"), rows);
        Assert.Contains("micro F1", Run("evaluate", "model.zip", "u.csv"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("height,urgent", "labels of two kinds: column 'height' holds numbers, and column 'urgent' has two values")]
    [InlineData("urgent,kind", "column 'kind' holds texts of more than two values")]
    [InlineData("height,urgen", "has no column 'urgen'. Did you mean urgent?")]
    public void Labels_that_do_not_go_together_are_refused(string label, string expected) => Fails(expected, "train", "t.csv", "--label", label);

    [Fact]
    public void Several_labels_are_no_classes()
    {
        Fails("--task multiclass is for one label, but --label names several", "train", "t.csv", "--label", "height,weight", "--task", "multiclass");
        Fails("--task regression predicts a number, but column 'urgent' holds texts", "train", "t.csv", "--label", "height,urgent", "--task",
            "regression");
        Assert.False(File.Exists(PathOf("model.zip")));
    }

    /// <summary>A column whose own name has a comma is one label.</summary>
    [Fact]
    public void A_column_with_a_comma_in_its_name_is_one_label()
    {
        File.WriteAllLines(PathOf("c.csv"), File.ReadLines(PathOf("t.csv")).Select((row, i) => i == 0 ? row.Replace("weight", "\"height,weight\"",
            StringComparison.Ordinal) : row));
        string output = Run("train", "c.csv", "--label", "height,weight", "--columns");
        Assert.Contains("Task: regression, for the label, column 'height,weight'", output, StringComparison.Ordinal);
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private void Fails(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.ThrowsAny<Exception>(() => Run(arguments)).Message, StringComparison.Ordinal);

    private string Run(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);
}
