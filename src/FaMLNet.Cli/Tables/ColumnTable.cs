using System.Globalization;
using Spectre.Console;

namespace FaMLNet.Cli.Tables;

/// <summary>The columns of a table and what they were taken for, for people to look at before they wait for a training.</summary>
internal static class ColumnTable
{
    /// <summary>The remark of the label's column.</summary>
    public const string Label = "the label";

    private const int MostColumns = 40, MostRemarks = 10;

    /// <summary>Shows the columns; of very many only those about which there is something to say.</summary>
    /// <param name="console">Where.</param>
    /// <param name="columns">The columns; none of images.</param>
    /// <param name="tableRows">How many rows the table has.</param>
    public static void Show(IAnsiConsole console, IReadOnlyList<TableColumn> columns, long tableRows)
    {
        if (columns.Count == 0)
            return;
        if (columns.Count <= MostColumns)
        {
            Write(console, columns);
            return;
        }
        IEnumerable<string> kinds = columns.GroupBy(column => column.Kind).OrderBy(group => group.Key)
            .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {(NameOf(group.Key))}"));
        console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{columns.Count} columns, {tableRows} rows; taken as: {string.Join(", ", kinds)}."));
        TableColumn[] remarkable = [.. columns.Where(column => column.Remark.Length > 0)];
        Write(console, remarkable.Take(MostRemarks));
        if (remarkable.Length > MostRemarks)
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"… and {remarkable.Length - MostRemarks} more columns with remarks."));
    }

    /// <summary>The name of a kind in the table.</summary>
    public static string NameOf(ColumnKind kind) => kind == ColumnKind.LeftOut ? "left out" : kind == ColumnKind.Identifier ? "identifier (left out)"
        : kind.ToString().ToLowerInvariant();

    private static void Write(IAnsiConsole console, IEnumerable<TableColumn> columns)
    {
        string[][] rows = [.. columns.Select(column => new[] { column.Name, column.Remark == Label ? "label" : NameOf(column.Kind),
            column.Values?.ToString(CultureInfo.InvariantCulture) ?? "many", column.Missing.ToString(CultureInfo.InvariantCulture),
            column.Remark == Label ? "" : column.Remark })];
        string[] titles = ["column", "taken as", "values", "missing", "remark"];
        // A line of a log is not broken.
        if (!console.Profile.Out.IsTerminal)
        {
            int[] widths = [.. titles.Select((title, i) => i == titles.Length - 1 ? 0 : rows.Select(row => row[i].Length).Append(title.Length)
                .Max())];
            foreach (string[] row in rows.Prepend(titles))
                Console.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
            return;
        }
        Table table = new Table { Border = TableBorder.Simple, ShowRowSeparators = false }.AddColumns(titles);
        foreach (string[] row in rows)
            table.AddRow([.. row.Select(Markup.Escape)]);
        console.Write(table);
    }
}
