using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>What the columns of a table are taken for, and rows that are no rows of data.</summary>
internal sealed class TableColumns
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
        foreach (string word in choices.Missing.Where(word => word is not ("" or "?") && !scans.Any(scan => scan.MissingFound.Contains(word))))
            notes.Add($"'{file.Path}': no value is '{word}', which --missing names.");
        SayTwoReadings(file.Path, columns, scans, choices, notes);
        return new TableColumns(columns, scans, leftOut, notes);
    }

    /// <summary>Remarks, and says, how numbers are read of whose decimal sign their own column tells nothing.</summary>
    private static void SayTwoReadings(string path, TableColumn[] columns, ColumnScan[] scans, TableChoices choices, List<string> notes)
    {
        int comma = Array.FindIndex(scans, scan => TwoReadings.IsWitness(scan, hasComma: true)),
            point = Array.FindIndex(scans, scan => TwoReadings.IsWitness(scan, hasComma: false));
        string? reason = choices.HasDecimalComma != null ? "by --decimal"
            : comma >= 0 == point >= 0 ? null
            : comma >= 0 ? $"since column '{columns[comma].Name}' has a decimal comma" : $"since column '{columns[point].Name}' has a decimal point";
        int[] found = [.. Enumerable.Range(0, columns.Length).Where(i => columns[i].IsNumber && scans[i].HasTwoReadings)];
        foreach (int i in found)
            columns[i] = columns[i] with
            {
                Remark = ColumnDecision.Joined(TwoReadings.Remark(scans[i], columns[i].HasDecimalComma, reason), columns[i].Remark)
            };
        if (reason == null && TwoReadings.Describe(path, [.. found.Select(i => (columns[i].Name, scans[i], columns[i].HasDecimalComma))]) is { } note)
            notes.Add(note);
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

    /// <summary>Counts every row but those that are no data. The first one is looked at last: it may be units.</summary>
    private static void Look(TableFile file, ColumnScan[] scans, HashSet<long> leftOut, List<string> notes)
    {
        string[]? first = null;
        List<long> headers = [];
        double? SumOf(int column, bool hasComma) => scans[column].Sum(hasComma)
            + (first != null && NumberText.TryParse(first[column], hasComma, out double number) ? number : 0);
        TotalRows totals = new(file, (row, number) => Add(scans, row, number), leavesOut: true, (_, _) => false, SumOf);
        using (TableReader reader = file.Read())
        {
            while (reader.Read())
            {
                if (IsHeader(reader, file.Names))
                {
                    headers.Add(reader.Row);
                    leftOut.Add(reader.Row);
                    continue;
                }
                string[] row = reader.Row == 1 ? new string[scans.Length] : totals.NewRow();
                for (int i = 0; i < row.Length; i++)
                    row[i] = reader.Text(i);
                if (reader.Row == 1)
                    first = row;
                else
                    totals.Next(row, reader.Row);
            }
        }
        if (headers.Count > 0)
            notes.Add($"'{file.Path}': {(headers.Count == 1 ? "row" : "rows")} {Shown(headers)} repeat{(headers.Count == 1 ? "s" : "")} the header "
                + $"and {(headers.Count == 1 ? "is" : "are")} left out.");
        totals.End(notes.Add);
        leftOut.UnionWith(totals.LeftOut);
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

    private static string Shown(List<long> rows) => string.Join(", ", rows.Take(5).Select(row => row.ToString(CultureInfo.InvariantCulture)))
        + (rows.Count > 5 ? $", … ({rows.Count} in all)" : "");
}
