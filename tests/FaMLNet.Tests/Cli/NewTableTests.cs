using FaMLNet.Cli.Naming;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>New tables that differ from the training's in ways that change results without an error.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class NewTableTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-new-tables").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_total_at_the_end_is_not_measured_on()
    {
        Write("train.csv", "region,x,y", Enumerable.Range(0, 60).Select(i => $"{"ab"[i % 2]},{i},{i * 2}.5"));
        Write("new.csv", "region,x,y", Enumerable.Range(0, 30).Select(i => $"{"ab"[i % 2]},{i},{i * 2}.5").Append("Total,435,885"));
        Run("train", "train.csv", "-l", "y", "-e", "60");
        string with = Run("evaluate", "model.zip", "new.csv");
        Assert.Contains("row 31 has 'Total' in column 'region': it is taken for a total and left out.", with, StringComparison.Ordinal);
        Write("new.csv", "region,x,y", Enumerable.Range(0, 30).Select(i => $"{"ab"[i % 2]},{i},{i * 2}.5"));
        Assert.EndsWith(Run("evaluate", "model.zip", "new.csv"), with, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{0}%", "0.0{0}", "its numbers have no per cent sign; when the model was trained they had '%'")]
    [InlineData("$1{0}", "€1{0}", "its numbers have '€'; when the model was trained they had '$'")]
    [InlineData("1{0}", "1{0}%", "its numbers have '%'; when the model was trained they had no per cent sign")]
    public void Numbers_of_another_unit_are_said(string trained, string now, string expected)
    {
        Write("train.csv", "x,Label", Enumerable.Range(0, 60).Select(i => $"{string.Format(null, trained, 1 + i % 3)},{"uvw"[i % 3]}"));
        Write("new.csv", "x,Label", Enumerable.Range(0, 6).Select(i => $"{string.Format(null, now, 1 + i % 3)},{"uvw"[i % 3]}"));
        Run("train", "train.csv", "-e", "2");
        Assert.Contains(expected, Run("evaluate", "model.zip", "new.csv"), StringComparison.Ordinal);
        Assert.DoesNotContain("when the model was trained", Run("evaluate", "model.zip", "train.csv"), StringComparison.Ordinal);
    }

    [Fact]
    public void Categories_that_the_model_does_not_know_are_said()
    {
        Write("train.csv", "x,Label", Enumerable.Range(0, 60).Select(i => $"{"abc"[i % 3]},{"uvw"[i % 3]}"));
        Write("new.csv", "x,Label", Enumerable.Range(0, 6).Select(i => $"{"aBc"[i % 3]},{"uvw"[i % 3]}"));
        Run("train", "train.csv", "-e", "2");
        Assert.Contains("row 2, column 'x': the model does not know the category 'B'; it knows ", Run("evaluate", "model.zip", "new.csv"),
            StringComparison.Ordinal);
        Assert.DoesNotContain("does not know", Run("evaluate", "model.zip", "train.csv"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Yes", "'Yes' differs from the class 'yes' by case alone.")]
    [InlineData("y es", "'y es' differs from the class 'yes' by blanks alone.")]
    [InlineData("Y ES", "'Y ES' differs from the class 'yes' by case and blanks alone.")]
    [InlineData("yess", null)]
    public void Labels_that_differ_by_case_or_blanks_alone_are_said_to(string label, string? expected)
    {
        Write("train.csv", "x,Label", Enumerable.Range(0, 60).Select(i => $"{i % 3},{(i % 2 == 0 ? "yes" : "no")}"));
        Write("new.csv", "x,Label", Enumerable.Range(0, 6).Select(i => $"{i % 3},{(i == 2 ? label : "no")}"));
        Run("train", "train.csv", "-e", "2");
        foreach (string output in new[] { Run("evaluate", "model.zip", "new.csv"), Run("attack", "model.zip", "new.csv", "--attacks", "fgsm") })
        {
            Assert.Contains($"1 row has a label that the model does not know (row 3: '{label}')", output, StringComparison.Ordinal);
            if (expected != null)
                Assert.Contains(expected, output, StringComparison.Ordinal);
            else
                Assert.DoesNotContain("differs from", output, StringComparison.Ordinal);
        }
    }

    /// <summary>Every name that a column of the predictions has, by every task: the classes' as well.</summary>
    [Theory]
    [InlineData("binary", "PredictedLabel,Score,Probability", "Score,PredictedLabel,Probability")]
    [InlineData("multiclass", "PredictedLabel,yes,no,PredictedLabel (class)", "PredictedLabel,yes,no")]
    [InlineData("regression", "Score", "Score")]
    public void Columns_kept_and_predictions_have_different_names(string task, string predictions, string clashing)
    {
        string[] labels = task == "multiclass" ? ["yes", "no", "PredictedLabel"] : task == "binary" ? ["yes", "no"] : ["1.5", "2.5", "3.5"];
        Write("train.csv", "Score,PredictedLabel,Probability,yes,no,File,Label", Enumerable.Range(0, 60).Select(i =>
            $"{i % 3},{i % 4},{i % 5},{i % 6},{i % 7},{i % 8},{labels[i % labels.Length]}"));
        Run("train", "train.csv", "-e", "2", "-t", task);
        Run("predict", "model.zip", "train.csv", "--keep", "Score,PredictedLabel,Probability,yes,no,File,yes,Label");
        string[] names = File.ReadLines(Path.Combine(_folder, "predictions.csv")).First().Split(','), clashes = clashing.Split(',');
        Assert.Equal(names, names.Distinct());
        Assert.Equal(new[] { "Score", "PredictedLabel", "Probability", "yes", "no", "File", "Label" }
            .Select(name => clashes.Contains(name) ? $"{name} (column)" : name).Concat(predictions.Split(',')), names);
        string[] row = File.ReadLines(Path.Combine(_folder, "predictions.csv")).ElementAt(2).Split(',');
        Assert.Equal(["1", "1", "1", "1", "1", "1", labels[1]], row[..7]);
        Assert.Equal(names.Length, row.Length);
    }

    [Fact]
    public void Names_that_are_changed_are_said_and_stay_different()
    {
        List<string> said = [];
        Assert.Equal(["a", "Score (column 2)", "Score (column)", "Score"], OutputNames.Of(["a", "Score", "Score (column)"], ["Score"], [],
            said.Add));
        Assert.Equal(["--keep: the predictions have a column 'Score' of their own. The table's is written as 'Score (column 2)'."], said);
    }

    [Fact]
    public void Classes_of_many_digits_stay_apart_and_numbers_written_in_two_ways_are_said()
    {
        Write("long.csv", "x,Label", Enumerable.Range(0, 60).Select(i => $"{i % 3},1234567890123456{7 + i % 3}"));
        string output = Run("train", "long.csv", "-e", "60", "--task", "multiclass");
        Assert.Matches(@"(9\d|100)\.\d\d %", Run("evaluate", "model.zip", "long.csv"));
        Assert.DoesNotContain("one class", output, StringComparison.Ordinal);
        Write("ways.csv", "x,Label", Enumerable.Range(0, 60).Select(i => $"{i % 3},{(i == 5 ? "02" : $"{i % 3}")}"));
        Assert.Contains("'2' (row 3) and '02' (row 6) are one class, since they are one number", Run("train", "ways.csv", "-e", "2"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_column_may_be_called_as_what_passes_through()
    {
        Write("train.csv", "kept:x,k,Label", Enumerable.Range(0, 60).Select(i => $"{i % 3},{i % 5},{"uvw"[i % 3]}"));
        Run("train", "train.csv", "-e", "2");
        Run("predict", "model.zip", "train.csv", "--keep", "kept:x,k");
        Assert.StartsWith("kept:x,k,PredictedLabel", File.ReadLines(Path.Combine(_folder, "predictions.csv")).First(), StringComparison.Ordinal);
    }

    private void Write(string name, string header, IEnumerable<string> rows) => File.WriteAllLines(Path.Combine(_folder, name), rows.Prepend(header));

    private string Run(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);
}
