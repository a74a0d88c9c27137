using FaMLNet.Cli.Pipelines;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Rows that sum up others are not learnt, wherever their word stands; what may be one and is learnt is said.</summary>
public sealed class TotalRowTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-totals").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("Total,435,885", 1, "row 31 has 'Total' in column 'region': it is taken for a total and left out.")]
    [InlineData("Grand Total,435,885", 1, "row 31 has 'Grand Total' in column 'region'")]
    [InlineData("Total,435,885|Printed on 2024-01-01,,", 2, "below the total, 'Printed on 2024-01-01' (row 32) is no row of data and left out.")]
    [InlineData("Total,435,885|Average,14.5,29.5", 2,
        "rows 31 ('Total' in column 'region'), 32 ('Average' in column 'region') are taken for totals and left out.")]
    [InlineData("435,885,Total", 1, "row 31 has 'Total' in column 'y'")]
    [InlineData(",435,885", 1, "row 31 has the sum of all rows above in columns 'x', 'y'")]
    [InlineData("Subtotal a,,885", 1, "row 31 has 'Subtotal a' in column 'region'")]
    [InlineData("Summe,435,885", 1, "row 31 has 'Summe' in column 'region'")]
    public void Totals_at_the_end_are_left_out_and_said(string end, int rows, string expected)
    {
        List<string> said = [];
        Assert.Equal(30, Rows(said, [.. Data(30), .. end.Split('|')]));
        Assert.Contains(said, line => line.Contains(expected, StringComparison.Ordinal));
        Assert.Equal(rows, end.Split('|').Length);
    }

    [Theory]
    [InlineData(",435,886")] // no sum
    [InlineData(",434,884")]
    [InlineData("b,435,885")] // no gap
    [InlineData("Totally new,435,885")]
    public void Other_rows_at_the_end_are_data(string end)
    {
        List<string> said = [];
        Assert.Equal(31, Rows(said, [.. Data(30), end]));
        Assert.DoesNotContain(said, line => line.Contains("total", StringComparison.Ordinal));
    }

    [Fact]
    public void Subtotals_are_left_out_anywhere()
    {
        List<string> said = [];
        Assert.Equal(30, Rows(said, [.. Data(30).SelectMany((row, i) => i % 10 == 9 ? new[] { row, $"Subtotal {i},,100" } : [row])]));
        Assert.Contains(said, line => line.Contains("rows 11 ('Subtotal 9' in column 'region'), 22 (", StringComparison.Ordinal));
    }

    [Fact]
    public void A_word_for_a_total_in_the_middle_is_learnt_and_said()
    {
        List<string> said = [];
        string[] rows = [.. Data(30)];
        rows[12] = "Total,5,5.5";
        Assert.Equal(30, Rows(said, rows));
        Assert.Contains(said, line => line.Contains("row 13 has 'Total' in column 'region'. It is taken for data like other rows. Delete it if it "
            + "is a "
            + "total.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_category_of_that_name_is_one()
    {
        List<string> said = [];
        Assert.Equal(30, Rows(said, [.. Data(30).Select((row, i) => i % 3 == 2 ? "total" + row[1..] : row)]));
        Assert.DoesNotContain(said, line => line.Contains("'total'", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Data(int rows) => Enumerable.Range(0, rows).Select(i => FormattableString.Invariant(
        $"{"ab"[i % 2]},{i},{i * 2 + 0.5}"));

    private long Rows(List<string> said, IEnumerable<string> rows)
    {
        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllLines(path, rows.Prepend("region,x,y"));
        return DataSource.ForTraining(new MLContext(1), path, "y", hasHeader: true, said.Add, task: null).Rows;
    }
}
