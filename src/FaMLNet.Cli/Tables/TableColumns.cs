using System.Globalization;
using System.Text.RegularExpressions;

namespace FaMLNet.Cli.Tables;

/// <summary>What the columns of a table are taken for, and rows that are no rows of data.</summary>
internal sealed partial class TableColumns
{
    private const int MostValues = 1000, LeastValues = 20, MostValuesInAll = 2_000_000;

    private TableColumns(IReadOnlyList<TableColumn> columns, IReadOnlyList<ColumnScan> scans, IReadOnlySet<long> leftOut, IReadOnlyList<string> notes)
    {
        (Columns, Scans, LeftOut, Notes) = (columns, scans, leftOut, notes);
    }

    /// <summary>In the file's order, the label included.</summary>
    public IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>What was counted of each.</summary>
    public IReadOnlyList<ColumnScan> Scans { get; }

    /// <summary>Rows that repeat the header, give units or totals.</summary>
    public IReadOnlySet<long> LeftOut { get; }

    /// <summary>What was left out, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Looks at every row, and decides.</summary>
    /// <param name="file">The table.</param>
    /// <param name="choices">What the user says.</param>
    /// <exception cref="FormatException">A column cannot be what the user says.</exception>
    public static TableColumns Decide(TableFile file, TableChoices choices)
    {
        int count = file.Names.Count, values = Math.Clamp(MostValuesInAll / Math.Max(count, 1), LeastValues, MostValues);
        ColumnScan[] scans = [.. file.Names.Select(_ => new ColumnScan(values, choices.Missing))];
        HashSet<long> leftOut = [];
        List<string> notes = [];
        Look(file, scans, leftOut, notes);
        bool fileHasComma = choices.HasDecimalComma ?? (scans.Any(scan => scan.Commas > scan.Points)
            && !scans.Any(scan => scan.Points > scan.Commas && scan.HasFraction));
        TableColumn[] columns = [.. file.Names.Select((name, i) => Decide(file.Path, name, i, scans[i], choices, fileHasComma))];
        return new TableColumns(columns, scans, leftOut, notes);
    }

    private static TableColumn Decide(string path, string name, int index, ColumnScan scan, TableChoices choices, bool fileHasComma)
    {
        TableColumn column = new(name, index, ColumnKind.Category) { Values = scan.HasAllValues ? scan.Values.Count : null, Missing = scan.Gaps };
        bool hasComma = choices.HasDecimalComma ?? ColumnDecision.HasDecimalComma(scan, fileHasComma);
        if (choices.Numbers.Contains(name))
            return (hasComma ? scan.Commas : scan.Points) > 0 ? ColumnDecision.Number(column, scan, hasComma) : throw new FormatException(
                $"--number names the column '{name}' of '{path}', which has no number: {ColumnDecision.Rows(scan, hasComma)}.");
        if (choices.Categories.Contains(name))
            return column;
        if (choices.Texts.Contains(name))
            return column with { Kind = ColumnKind.Text };
        if (choices.Ignored.Contains(name))
            return column with { Kind = ColumnKind.LeftOut, Remark = "by --ignore" };
        return ColumnDecision.Decide(name, index, scan, hasComma);
    }

    /// <summary>Counts every row but those that are no data. The first and the last are looked at last: they may be units and totals.</summary>
    private static void Look(TableFile file, ColumnScan[] scans, HashSet<long> leftOut, List<string> notes)
    {
        string[]? first = null, pending = null;
        long pendingRow = 0;
        List<long> headers = [];
        using (TableReader reader = file.Read())
        {
            while (reader.Read())
            {
                string[] row = new string[scans.Length];
                for (int i = 0; i < row.Length; i++)
                    row[i] = reader.Text(i);
                if (IsHeader(reader, file.Names))
                {
                    headers.Add(reader.Row);
                    leftOut.Add(reader.Row);
                    continue;
                }
                if (reader.Row == 1)
                {
                    first = row;
                    continue;
                }
                if (pending != null)
                    Add(scans, pending, pendingRow);
                (pending, pendingRow) = (row, reader.Row);
            }
        }
        if (headers.Count > 0)
            notes.Add($"'{file.Path}': {(headers.Count == 1 ? "row" : "rows")} {Shown(headers)} repeat{(headers.Count == 1 ? "s" : "")} the header "
                + $"and {(headers.Count == 1 ? "is" : "are")} left out.");
        if (pending != null && IsTotal(pending, scans))
        {
            leftOut.Add(pendingRow);
            notes.Add($"'{file.Path}': the last row, {pendingRow}, begins with '{pending.First(text => text.Length > 0)}': it is taken for a total "
                + $"and left out.");
        }
        else if (pending != null)
            Add(scans, pending, pendingRow);
        if (first != null && IsUnits(first, scans))
        {
            leftOut.Add(1);
            notes.Add($"'{file.Path}': row 1 has no number where all others have "
                + $"({string.Join(", ", first.Where(text => text.Length > 0).Take(4))}): it is "
                + "taken for units and left out.");
        }
        else if (first != null)
            Add(scans, first, 1);
    }

    private static void Add(ColumnScan[] scans, string[] row, long number)
    {
        for (int i = 0; i < scans.Length; i++)
            scans[i].Look(row[i], number);
    }

    /// <summary>Whether a row repeats the names of the columns.</summary>
    public static bool IsHeader(TableReader row, IReadOnlyList<string> names)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (row.Text(i) != names[i] || NumberText.TryParse(names[i], hasDecimalComma: false, out _))
                return false;
        }
        return names.Count > 1;
    }

    /// <summary>Whether a row has no number in any of the columns, two at least, in which all other rows have one.</summary>
    private static bool IsUnits(string[] row, ColumnScan[] scans)
    {
        int[] numbers = [.. Enumerable.Range(0, scans.Length).Where(i => scans[i].Others > 1 && Math.Max(scans[i].Points,
            scans[i].Commas) == scans[i].Others)];
        return numbers.Length > 1 && numbers.Any(i => !NumberText.IsMissing(row[i]))
            && numbers.All(i => !NumberText.TryParse(row[i], false, out _) && !NumberText.TryParse(row[i], true, out _));
    }

    /// <summary>Whether a row begins with a word for a total that its column has nowhere else, and numbers follow.</summary>
    private static bool IsTotal(string[] row, ColumnScan[] scans)
    {
        int at = Array.FindIndex(row, text => text.Length > 0);
        return at >= 0 && TotalWord().IsMatch(row[at]) && !scans[at].Values.ContainsKey(row[at])
            && row.Skip(at + 1).Any(text => NumberText.TryParse(text, false, out _) || NumberText.TryParse(text, true, out _));
    }

    /// <summary>The word for a total that a row begins with; null where it has none, or no number after it.</summary>
    public static string? TotalOf(TableReader row, int columns)
    {
        int at = 0;
        while (at < columns && row.Text(at).Length == 0)
            at++;
        if (at == columns || row.Text(at) is not { Length: <= 20 } word || !TotalWord().IsMatch(word))
            return null;
        return Enumerable.Range(at + 1, columns - at - 1).Select(row.Text).Any(text => NumberText.TryParse(text, false, out _)
            || NumberText.TryParse(text, true, out _)) ? word : null;
    }

    private static string Shown(List<long> rows) => string.Join(", ", rows.Take(5).Select(row => row.ToString(CultureInfo.InvariantCulture)))
        + (rows.Count > 5 ? $", … ({rows.Count} in all)" : "");

    [GeneratedRegex(@"^(grand |sub)?(total|sum|average|mean|summe|gesamt|insgesamt|mittelwert|somme|totaal|totale|suma)s?:?$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex TotalWord();
}
