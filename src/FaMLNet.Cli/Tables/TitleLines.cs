using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>Lines above the names of a table's columns: a title, or a second header.</summary>
internal static class TitleLines
{
    private const int MostLines = 4;

    /// <summary>
    /// A sentence that tells the line with the names of the columns, and which lines to delete; empty if none of the first rows has them.
    /// </summary>
    /// <param name="file">The table.</param>
    /// <param name="wanted">A column's name that the first line lacks.</param>
    public static string Describe(TableFile file, string wanted)
    {
        using TableReader reader = file.Read();
        for (int row = 1; row < MostLines && reader.Read(); row++)
        {
            string[] cells = [.. Enumerable.Range(0, reader.Count).Select(reader.Text).Where(text => text.Length > 0)];
            if (cells.Length > 1 && cells.Contains(wanted) && !cells.Any(TableNames.IsValue))
                return Sentence(row);
        }
        return "";
    }

    /// <summary>A sentence about a first line of one text, above rows of several values.</summary>
    public static string Sentence(int row) => string.Create(CultureInfo.InvariantCulture,
        $" {(row == 1 ? "Line 1 looks" : $"Lines 1 to {row} look")} like a title; line {row + 1} has the column names: delete ")
        + (row == 1 ? "line 1." : string.Create(CultureInfo.InvariantCulture, $"lines 1 to {row}."));
}
