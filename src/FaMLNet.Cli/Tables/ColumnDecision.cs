using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>What a column is taken for, by what was counted of it and by what the user says.</summary>
internal static class ColumnDecision
{
    /// <summary>Rows below which every value counts, and the share of the others that may be no number in a column of numbers.</summary>
    public const int LeastRows = 20, SharePerMistake = 50;

    private static readonly string[] RowCounters = ["id", "index", "row", "rowid", "row_id", "nr", "no", "no.", "#", "number", "unnamed: 0",
        "rownames"];

    /// <summary>Values of so many rows that may be no number in a column of numbers: one in fifty, and one at least of twenty.</summary>
    public static long Mistakes(long rows) => rows < LeastRows ? 0 : Math.Max(1, rows / SharePerMistake);

    /// <summary>Whether numbers of the column have a decimal comma: by their own witness, else by that of the file.</summary>
    public static bool HasDecimalComma(ColumnScan scan, bool fileHas) => scan.Commas > scan.Points || scan.Commas == scan.Points && fileHas;

    /// <summary>The kind of a column that the user does not name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="index">Its place, from 0.</param>
    /// <param name="scan">What was counted of it.</param>
    /// <param name="hasComma">Whether its numbers, if it holds any, have a decimal comma.</param>
    public static TableColumn Decide(string name, int index, ColumnScan scan, bool hasComma)
    {
        TableColumn column = new(name, index, ColumnKind.Category)
        {
            Values = scan.HasAllValues ? scan.Values.Count : null,
            Missing = scan.Gaps,
        };
        if (scan.Others == 0 && scan.Values.Count == 0)
            return column with { Kind = ColumnKind.LeftOut, Remark = "it has no values" };
        long numbers = hasComma ? scan.Commas : scan.Points, mistakes = scan.Others - numbers;
        bool arePercents = scan.Percents == 0 || scan.Percents == scan.Others - scan.Neither;
        if (scan.Others > 0 && mistakes <= Mistakes(scan.Others) && arePercents)
        {
            bool counts = scan.CountsRows && scan.Others > LeastRows
                && (RowCounters.Contains(name.ToLowerInvariant()) || name == $"Column{index + 1}");
            return counts ? column with { Kind = ColumnKind.Identifier, Remark = "it counts the rows" } : Number(column, scan, hasComma);
        }
        int order = Enumerable.Range(0, DateText.Orders.Count).OrderByDescending(i => scan.Dates[i]).First();
        if (scan.Others - scan.Dates[order] <= Mistakes(scan.Others) && scan.Dates[order] > 0)
            return Date(column, scan, order);
        // Numbers with a decimal point and numbers with a decimal comma in one column, or with and without a per cent sign.
        string why = numbers == 0 ? "" : !arePercents ? "some of its numbers have a per cent sign and some have not"
            : scan.Neither <= Mistakes(scan.Others) && scan.Points > 0 && scan.Commas > 0
                ? $"its decimal signs are mixed: {Row(scan.FirstNoComma)} beside {Row(scan.FirstNoPoint)}"
                : numbers * 2 > scan.Others ? $"{mistakes} values are no numbers: {Rows(scan, hasComma)}" : "";
        if (scan.IsProse)
            return column with { Kind = ColumnKind.Text, Remark = "it holds sentences: words and runs of three characters are counted" };
        if (scan.IsDifferentEverywhere && scan.Others >= LeastRows && numbers == 0)
            return column with { Kind = ColumnKind.Identifier, Remark = "it has a different text in every row" };
        return column with { Remark = why.Length > 0 ? why : Alike(scan) };
    }

    /// <summary>A column of numbers; what is none is missing, and said.</summary>
    public static TableColumn Number(TableColumn column, ColumnScan scan, bool hasComma)
    {
        long mistakes = scan.Others - (hasComma ? scan.Commas : scan.Points);
        List<string> remarks = [];
        if (mistakes > 0)
            remarks.Add($"{(mistakes == 1 ? "1 value is no number and counts" : $"{mistakes} values are no numbers and count")} as missing: "
                + $"{Rows(scan, hasComma)}");
        if (scan.NoNumbers > 0)
            remarks.Add($"{Quoted(scan.Values.Where(value => NumberText.IsMissing(value.Key)).Select(value => value.Key))} "
                + $"count{(scan.NoNumbers == 1 ? "s" : "")} as missing");
        if (scan.Decorated is { } decorated && NumberText.TryParse(decorated.Text, hasComma, out double value))
            remarks.Add($"{Row(decorated)} is read as {NumberText.Canonical(value)}");
        if (scan is { FirstCurrency: { } one, OtherCurrency: { } another })
            remarks.Add($"its currencies are mixed, and only the numbers are read: {Row(one)} beside {Row(another)}");
        if (hasComma && scan.HasFraction)
            remarks.Add("with a decimal comma");
        return column with
        {
            Kind = ColumnKind.Number,
            HasDecimalComma = hasComma,
            Missing = scan.Gaps + scan.NoNumbers + mistakes,
            Remark = string.Join("; ", remarks),
        };
    }

    private static TableColumn Date(TableColumn column, ColumnScan scan, int order)
    {
        long mistakes = scan.Others - scan.Dates[order];
        int other = Enumerable.Range(0, DateText.Orders.Count).FirstOrDefault(i => i != order && scan.Dates[i] == scan.Dates[order], -1);
        string remark = $"{DateText.Orders[order]}; becomes {string.Join(", ", DateText.Parts)}"
            + (other >= 0 ? $"; {DateText.Orders[other]} would fit as well" : scan.FirstNoDate.Where((_, i) => i != order && scan.Dates[i] > 0)
                .FirstOrDefault(first => first != null) is { } first ? $"; told by {Row(first)}" : "")
            + (mistakes > 0 ? $"; {mistakes} other values count as missing: {Row(scan.FirstNoDate[order])}" : "");
        return column with
        {
            Kind = ColumnKind.Date,
            DateOrder = DateText.Orders[order],
            Missing = scan.Gaps + scan.NoNumbers + mistakes,
            Remark = remark,
        };
    }

    /// <summary>Values that differ by case or blanks alone; empty for none.</summary>
    public static string Alike(ColumnScan scan)
    {
        IGrouping<string, KeyValuePair<string, (long Row, long Count)>>? alike = scan.Values.OrderBy(value => value.Value.Row).GroupBy(value =>
            string.Concat(value.Key.Where(character => !char.IsWhiteSpace(character))).ToUpperInvariant()).FirstOrDefault(group => group.Count() > 1);
        return alike == null ? "" : string.Create(CultureInfo.InvariantCulture,
            $"'{alike.First().Key}' (row {alike.First().Value.Row}) and '{alike.ElementAt(1).Key}' (row {alike.ElementAt(1).Value.Row}) differ by "
                + $"case or blanks alone");
    }

    /// <summary>The first rows that are no numbers.</summary>
    public static string Rows(ColumnScan scan, bool hasComma)
    {
        IEnumerable<(long Row, string Text)> rows = scan.NeitherRows;
        if ((hasComma ? scan.FirstNoComma : scan.FirstNoPoint) is { } first && !scan.NeitherRows.Contains(first))
            rows = rows.Prepend(first);
        return string.Join(", ", rows.OrderBy(row => row.Row).Take(3).Select(row => Row(row)));
    }

    private static string Row((long Row, string Text)? first) => first is { } found
        ? string.Create(CultureInfo.InvariantCulture, $"'{Short(found.Text)}' in row {found.Row}") : "";

    private static string Quoted(IEnumerable<string> texts) => string.Join(", ", texts.Select(text => $"'{text}'"));

    private static string Short(string text) => text.Length <= 40 ? text : text[..37] + "…";
}
