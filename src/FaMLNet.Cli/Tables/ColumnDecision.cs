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
        if (scan.Others == 0)
            return column with
            {
                Kind = ColumnKind.LeftOut,
                Missing = scan.Gaps + scan.NoNumbers,
                Remark = scan.Values.Count == 0 ? "it has no values" : $"it has no values: {NoValues(scan)} as missing",
            };
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
        string why = numbers == 0 ? "" : !arePercents ? "some of its numbers have a per cent sign and some have not; "
                + $"--number {name} takes all for numbers"
            : scan.Neither <= Mistakes(scan.Others) && scan.Points > 0 && scan.Commas > 0
                ? $"its decimal signs are mixed: {Row(scan.FirstNoComma)} beside {Row(scan.FirstNoPoint)}; write all with one sign, "
                    + $"or --number {name} with --decimal point or comma makes the others missing"
                : numbers * 2 > scan.Others ? $"{(mistakes == 1 ? "1 value is no number" : $"{mistakes} values are no numbers")}: "
                    + $"{Rows(scan, hasComma)}; --number {name} makes {(mistakes == 1 ? "it" : "them")} missing"
                : FewTexts(scan, hasComma) is { } text ? $"beside '{Short(text)}' its values are numbers; --missing \"{text}\" makes it a column of "
                    + $"numbers"
                : "";
        string mixedDates = scan.AnyDates > 0 && scan.Others - scan.AnyDates <= Mistakes(scan.Others) ? MixedDates(scan, order) : "";
        if (scan.IsProse)
            return column with { Kind = ColumnKind.Text, Remark = "it holds sentences: words and runs of three characters are counted" };
        if (scan.IsDifferentEverywhere && scan.Others >= LeastRows && numbers == 0)
        {
            return mixedDates.Length > 0 ? column with { Kind = ColumnKind.LeftOut, Remark = mixedDates }
                : column with { Kind = ColumnKind.Identifier, Remark = "it has a different text in every row" };
        }
        string constant = Constant(scan, scan.Values.Keys, isNumber: false);
        return column with { Remark = Joined(constant, why.Length > 0 ? why : mixedDates.Length > 0 ? mixedDates : Alike(scan)) };
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
            remarks.Add($"{NoValues(scan)} as missing");
        if (Constant(scan, scan.Values.Keys.Where(value => !NumberText.IsMissing(value)).Select(value => NumberText.ClassOf(value, hasComma)),
            isNumber: true) is { Length: > 0 } constant)
            remarks.Add(constant);
        if (!scan.HasTwoReadings && scan.Decorated is { } decorated && NumberText.TryParse(decorated.Text, hasComma, out double value))
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

    /// <summary>The one text beside numbers of many values; null where there are more texts.</summary>
    private static string? FewTexts(ColumnScan scan, bool hasComma)
    {
        string[] texts = [.. scan.Values.Keys.Where(value => !NumberText.IsMissing(value) && !NumberText.TryParse(value, hasComma, out _)).Take(2)];
        return scan.HasAllValues && scan.Values.Count >= LeastRows && texts.Length == 1 ? texts[0] : null;
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
            AlikeTexts.Key(value.Key)).FirstOrDefault(group => group.Count() > 1);
        return alike == null ? "" : string.Create(CultureInfo.InvariantCulture,
            $"'{alike.First().Key}' (row {alike.First().Value.Row}) and '{alike.ElementAt(1).Key}' (row {alike.ElementAt(1).Value.Row}) differ by "
                + $"case or blanks alone");
    }

    /// <summary>That a column has one value alone; empty for more.</summary>
    private static string Constant(ColumnScan scan, IEnumerable<string> values, bool isNumber)
    {
        if (!scan.HasAllValues || values.Distinct().Take(2).ToArray() is not [var value])
            return "";
        long missing = scan.Gaps + (isNumber ? scan.NoNumbers : 0);
        // A missing number becomes the mean, and so the same one; a missing category is another one.
        return missing == 0 ? $"it is constant: '{Short(value)}' in every row" : isNumber
            ? $"it is constant: '{Short(value)}' in every row that has a value" : $"its one value is '{Short(value)}'; other rows have none";
    }

    /// <summary>Two rows whose dates no one order explains; empty where there are none.</summary>
    private static string MixedDates(ColumnScan scan, int order)
    {
        if (scan.FirstNoDate[order] is not { } first
            || DateText.Orders.FirstOrDefault(other => DateText.TryParse(first.Text, other, out _)) is not { } other)
            return "";
        // By the one order or by the other, and not by both.
        (long Row, string Text, string Order)[] rows = [(first.Row, first.Text, other), .. scan.FirstNoDate[DateText.Orders.ToList().IndexOf(other)]
            is { } second ? new[] { (second.Row, second.Text, DateText.Orders[order]) } : []];
        return $"its dates are of mixed orders: {string.Join(", ", rows.OrderBy(row => row.Row).Select(row => $"{Row((row.Row, row.Text))} is "
            + row.Order))}. Write all as year-month-day; --category takes the texts as they are";
    }

    /// <summary>Remarks as one: those that are not empty.</summary>
    public static string Joined(params string[] remarks) => string.Join("; ", remarks.Where(remark => remark.Length > 0));

    /// <summary>The texts that stand for no value, as the subject of a sentence.</summary>
    private static string NoValues(ColumnScan scan)
    {
        string[] texts = [.. scan.Values.Keys.Where(NumberText.IsMissing)];
        return $"{Quoted(texts)} {(scan.NoNumbers == 1 || texts.Length == 1 ? "counts" : "count")}";
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

    private static string Quoted(IEnumerable<string> texts) =>
        string.Join(", ", texts.Select(text => $"'{text}'"));

    private static string Short(string text) => text.Length <= 40 ? text : text[..37] + "…";
}
