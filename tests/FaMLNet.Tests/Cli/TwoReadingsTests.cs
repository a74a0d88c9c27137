using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Tables;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Numbers that are others by the other decimal sign, such as 1.100: what decides, and that it is said where nothing does.</summary>
[Collection(OwnProcesses.Name)]
public sealed class TwoReadingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-two-readings").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("900|998|1.000|1.198", "'1.000' in row 3 is read as 1; if it means 1000, give --decimal comma")]
    [InlineData("900|998|1,000|1,198", "'1,000' in row 3 is read as 1000; if it means 1, give --decimal comma")]
    [InlineData("3.759|2.742|2.483|3.349", "'3.759' in row 1 is read as 3.759; if it means 3759, give --decimal comma")]
    [InlineData("-1.100|5|6|7", "'-1.100' in row 1 is read as -1.1; if it means -1100, give --decimal comma")]
    public void Numbers_whose_decimal_sign_nothing_tells_are_said(string values, string expected)
    {
        List<string> said = [];
        Assert.Contains(expected, Open(values, "1|2|3|4", said).Remark,
            StringComparison.Ordinal);
        string[] parts = expected.Split("; if");
        Assert.Contains(said, line => line.EndsWith($"column 'x': {parts[0]}. If{parts[1]}.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("900|998|1.000|1.5", "1|2|3|4")] // another value has one reading
    [InlineData("0.123|0.456|0.789|1.000", "1|2|3|4")] // no thousands begin with 0
    [InlineData("900|998|1000|1198", "1|2|3|4")]
    [InlineData("1.234.567|1.000|5|6", "1|2|3|4")]
    [InlineData("900|998|1.000|1.198", "0.5|1.5|2.5|3.5", "since column 'k' has a decimal point")]
    [InlineData("900|998|1.000|1.198", "0,5|1,5|2,5|3,5", "'1.000' in row 3 is read as 1000, since column 'k' has a decimal comma")]
    [InlineData("900|998|1,000|1,198", "0,5|1,5|2,5|3,5", "'1,000' in row 3 is read as 1, since column 'k' has a decimal comma")]
    public void Other_numbers_of_the_column_or_of_the_file_decide(string values, string others, string remark = "")
    {
        List<string> said = [];
        TableColumn column = Open(values, others, said);
        Assert.Contains(remark, column.Remark, StringComparison.Ordinal);
        Assert.DoesNotContain("if it means", column.Remark, StringComparison.Ordinal);
        Assert.DoesNotContain(said, line => line.Contains("--decimal", StringComparison.Ordinal));
    }

    [Fact]
    public void The_option_decides()
    {
        List<string> said = [];
        TableColumn column = Open("900|998|1.000|1.198", "1|2|3|4", said, new TableChoices { HasDecimalComma = true });
        Assert.Contains("'1.000' in row 3 is read as 1000, by --decimal", column.Remark, StringComparison.Ordinal);
        Assert.DoesNotContain(said, line => line.Contains("--decimal", StringComparison.Ordinal));
    }

    [Fact]
    public void A_fraction_below_one_is_no_thousand()
    {
        Assert.Equal([0.123, 0.5], Values("0,123|0,5").Select(value => Math.Round(value, 6)));
        Assert.Equal([0.123, 0.5], Values("0.123|0.5").Select(value => Math.Round(value, 6)));

        static IEnumerable<double> Values(string texts) => texts.Split('|').Select(text =>
            NumberText.TryParse(text, text.Contains(',', StringComparison.Ordinal), out double value) ? value : double.NaN);
        Assert.False(NumberText.TryParse("0,123", hasDecimalComma: false, out _));
        Assert.False(NumberText.TryParse("0.123", hasDecimalComma: true, out _));
    }

    [Fact]
    public void New_files_are_read_as_the_training_was_and_it_is_said()
    {
        string path = Path.Combine(_folder, "train.csv");
        File.WriteAllLines(path, Enumerable.Range(0, 60).Select(i => $"{500 + i % 3 * 400};{i % 5},5;{"uvw"[i % 3]}").Prepend("x;k;Label"));
        ProcessRunner.Tool(_folder, "train", "train.csv", "-e", "2");
        File.WriteAllLines(path, Enumerable.Range(0, 6).Select(i => $"{(i == 2 ? "1.300" : "500")};3;{"uvw"[i % 3]}").Prepend("x;k;Label"));
        Assert.Contains("'train.csv', column 'x': '1.300' in row 3 is read as 1300, as when the model was trained. If it means 1.3, give --decimal "
            + "point.", ProcessRunner.Tool(_folder, "evaluate", "model.zip", "train.csv"), StringComparison.Ordinal);
        Assert.DoesNotContain("1.300", ProcessRunner.Tool(_folder, "evaluate", "model.zip", "train.csv", "--decimal", "point"),
            StringComparison.Ordinal);
    }

    private TableColumn Open(string values, string others, List<string> said, TableChoices? choices = null)
    {
        string[] k = others.Split('|');
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllText(path, "x;k;Label\n" + string.Join('\n', values.Split('|').Select((value, i) => $"{value};{k[i]};{"uv"[i % 2]}")));
        return DataSource.ForTraining(new MLContext(1), path, "Label", hasHeader: true, said.Add, TaskKind.Multiclass, choices).Columns[0];
    }
}
