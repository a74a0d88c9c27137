using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Nothing about a label or a file is passed over in silence.</summary>
[Collection(OwnProcesses.Name)]
public sealed class LabelNotesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-labels").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("yes|no||?", "2 of 40 rows have no label and are left out")]
    [InlineData("a|b|c||?", "2 of 40 rows have no label and are left out")]
    [InlineData("1.5|2.5|3.5||NA", "2 of 40 rows have no label and are left out")]
    [InlineData("a|b|NA", "'NA' counts as a class; --missing NA makes it missing.")]
    [InlineData("a|b|unknown|n/a", "'n/a', 'unknown' count as classes; --missing \"n/a\" --missing unknown makes them missing.")]
    [InlineData("a|b|rare", "1 class has a single row: 'rare' (row 3). A class of one row cannot be both learnt and measured.")]
    [InlineData("1.5|2.5|3.5|1000000000", "1000000000 lies far outside the other values")]
    public void What_is_odd_about_a_label_is_said(string values, string expected)
    {
        string[] first = values.Split('|');
        // The first two values fill up the rows.
        List<string> said = Open(Enumerable.Range(0, 40).Select(i => i < first.Length ? first[i] : first[i % 2]));
        Assert.Contains(said, line => line.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Sound_labels_are_passed_over() => Assert.DoesNotContain(Open(Enumerable.Range(0, 40).Select(i => $"{"+-"[i % 2]}")),
        line => line.Contains("no label", StringComparison.Ordinal) || line.Contains("--missing", StringComparison.Ordinal)
            || line.Contains("single row", StringComparison.Ordinal));

    [Fact]
    public void A_label_that_is_different_in_every_row_is_said() => Assert.Contains(Open(Enumerable.Range(0, 40).Select(i => $"customer {i}")),
        line => line.Contains("every row has another class", StringComparison.Ordinal));

    [Theory]
    [InlineData(3)]
    [InlineData(30)]
    public void One_text_among_numbers_is_an_error_that_names_its_row(int classes) => Assert.Contains("'three' in row 17",
        Assert.Throws<FormatException>(() => Open(Enumerable.Range(0, 60).Select(i => i == 16 ? "three" : $"{i % classes}"))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Values_in_missing_that_never_occur_are_said()
    {
        List<string> said = Open(Enumerable.Range(0, 40).Select(i => $"{"ab"[i % 2]}"), new TableChoices { Missing = ["Foo", "0"] });
        Assert.Contains("'table.csv': no value is 'Foo', which --missing names.", said.Select(line => line.Replace(_folder + "/", "",
            StringComparison.Ordinal)));
        Assert.DoesNotContain(said, line => line.Contains("no value is '0'", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n\n")]
    [InlineData("\uFEFF")]
    [InlineData("x,Label\n", "has a header and no rows")]
    public void Files_without_rows_are_refused(string text, string expected = "is empty")
    {
        File.WriteAllLines(Path.Combine(_folder, "train.csv"), Enumerable.Range(0, 40).Select(i => $"{i},{"ab"[i % 2]}").Prepend("x,Label"));
        ProcessRunner.Tool(_folder, "train", "train.csv", "-e", "1", "-n", "mlp:2");
        File.WriteAllText(Path.Combine(_folder, "new.csv"), text);
        foreach (string command in new[] { "predict", "evaluate" })
            Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => ProcessRunner.Tool(_folder, command, "model.zip",
                "new.csv")).Message,
                StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "predictions.csv")));
    }

    [Theory]
    [InlineData("a;v\n0,5;0,5\n1,5;2,5\n2,5;4,5", "a v")]
    [InlineData("a;b;v\n0,5;0,5;1,5\n1,5;2,5;3,5\n2,5;4,5;5,5", "a b v")]
    public void Decimal_commas_are_no_separators_where_the_header_has_another(string start, string names)
    {
        string path = Path.Combine(_folder, "table.csv");
        string last = start.Split('\n')[^1];
        File.WriteAllText(path, start + string.Concat(Enumerable.Repeat("\n" + last, 60)));
        Assert.Equal(names.Split(' '), TableFile.Open(path, new TableFormat()).Names);
    }

    [Theory]
    [InlineData("Customers 2024;;", "Line 1 looks like a title; line 2 has the column names: delete line 1.")]
    [InlineData("Customers 2024", "Line 1 looks like a title; line 2 has the column names: delete line 1.")]
    [InlineData("Person;Money;Target", "Line 1 looks like a title; line 2 has the column names: delete line 1.")]
    [InlineData("Customers 2024;;\nof Berne;;", "Lines 1 to 2 look like a title; line 3 has the column names: delete lines 1 to 2.")]
    public void Lines_above_the_names_of_the_columns_are_named(string above, string expected)
    {
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllText(path, $"{above}\nage;income;Label\n" + string.Join('\n', Enumerable.Range(0, 40).Select(i
            => $"{i};{i * 7};{"ab"[i % 2]}")));
        Assert.Contains(expected, Assert.Throws<FormatException>(() => DataSource.ForTraining(new MLContext(1), path, "Label", true, _
            =>
        { })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_quote_that_nothing_closes_is_said()
    {
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllLines(path, Enumerable.Range(0, 40).Select(i => $"{i},{(i == 20 ? "\"" : "")}Bern,{"ab"[i % 2]}").Prepend("x,city,Label"));
        Assert.Contains(TableFile.Open(path, new TableFormat()).Notes, note => note.Contains("row 21, column 'city': \"Bern",
            StringComparison.Ordinal));
        Assert.Empty(TableFile.Open(path, new TableFormat(Quote: QuoteStyle.None)).Notes);
    }

    [Theory]
    [InlineData("--epochs must be 1 or more; found -3", "--epochs", "-3")]
    [InlineData("--validation is the share of the rows to keep aside", "--validation", "20")]
    [InlineData("--network 'mlp:abc' is not known", "--network", "mlp:abc")]
    [InlineData("--rule 'fda' is not known. Did you mean ", "--rule", "fda")]
    public void Wrong_options_are_refused_before_the_table_is_read(string expected, params string[] options) => Assert.Contains(expected,
        Assert.Throws<InvalidOperationException>(() => ProcessRunner.Tool(_folder, ["train", "none.csv", .. options])).Message,
            StringComparison.Ordinal);

    [Fact]
    public void An_evaluation_without_a_known_label_fails()
    {
        string path = Path.Combine(_folder, "train.csv");
        File.WriteAllLines(path, Enumerable.Range(0, 40).Select(i => $"{i},{"ab"[i % 2]}").Prepend("x,Label"));
        ProcessRunner.Tool(_folder, "train", "train.csv", "-e", "1", "-n", "mlp:2");
        File.WriteAllLines(path, Enumerable.Range(0, 40).Select(i => $"{i},{"AB"[i % 2]}").Prepend("x,Label"));
        Assert.Contains("has a label that the model knows: nothing of it was measured", Assert.Throws<InvalidOperationException>(() =>
            ProcessRunner.Tool(_folder, "evaluate", "model.zip", "train.csv")).Message, StringComparison.Ordinal);
    }

    private List<string> Open(IEnumerable<string> labels, TableChoices? choices = null)
    {
        List<string> said = [];
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllLines(path, labels.Select((label, i) => $"{i * 7 % 40},{label}").Prepend("x,Label"));
        DataSource.ForTraining(new MLContext(1), path, "Label", hasHeader: true, said.Add, task: null, choices);
        return said;
    }
}
