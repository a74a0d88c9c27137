using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>What is good to know of a label before a training: rows without one, words that may mean none, classes too small to be learnt.</summary>
internal static class LabelNotes
{
    private const int MostShown = 3, LeastRows = 10;

    /// <summary>The notes, a sentence each.</summary>
    /// <param name="name">The label's column.</param>
    /// <param name="scan">What was counted of it.</param>
    /// <param name="task">Its task.</param>
    /// <param name="values">Its classes, by row and number of rows.</param>
    public static IEnumerable<string> Of(string name, ColumnScan scan, LabelTask task, IReadOnlyDictionary<string, (long Row, long Count)> values)
    {
        if (task.Kind == TaskKind.Regression)
            yield break;
        if (!task.AreNumbers && Words(values.Keys) is { Length: > 0 } words)
            yield return $"Label '{name}': {string.Join(", ", words.Select(word => $"'{word}'"))} {(words.Length == 1 ? "counts as a class"
                : "count as classes")}; {string.Join(" ", words.Select(word => $"--missing {Quoted(word)}"))} makes "
                + $"{(words.Length == 1 ? "it" : "them")} missing.";
        KeyValuePair<string, (long Row, long Count)>[] single = [.. values.Where(value => value.Value.Count == 1).OrderBy(value => value.Value.Row)];
        if (!scan.HasAllValues ? scan.IsDifferentEverywhere : single.Length == values.Count && single.Length >= LeastRows)
            yield return $"Label '{name}': every row has another class, so there is nothing to learn from one row for another. "
                + "Is it an identifier? --label names another column.";
        else if (scan.HasAllValues && single.Length > 0)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"Label '{name}': {single.Length} {(single.Length == 1 ? "class has" : "classes have")} a single row: ")
                + string.Join(", ", single.Take(MostShown).Select(value => FormattableString.Invariant($"'{value.Key}' (row {value.Value.Row})")))
                + $"{(single.Length > MostShown ? ", …" : "")}. A class of one row cannot be both learnt and measured.";
    }

    /// <summary>How many rows have no label, and what becomes of them; null where all have one.</summary>
    /// <param name="name">The label's column.</param>
    /// <param name="scan">What was counted of it.</param>
    /// <param name="task">Its task.</param>
    /// <param name="isOneOfSeveral">Whether several labels are learnt at once.</param>
    public static string? WithoutLabel(string name, ColumnScan scan, LabelTask task, bool isOneOfSeveral)
    {
        long missing = MissingIn(scan, task), rows = scan.Gaps + scan.NoNumbers + scan.Others;
        string verb = missing == 1 ? "has" : "have", are = missing == 1 ? "is" : "are";
        return missing == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"Label '{name}': {missing} of {rows} rows {verb} no label and ")
            + (isOneOfSeveral && task.Kind == TaskKind.Regression ? $"{are} not learnt from for it." : $"{are} left out.");
    }

    /// <summary>The rows without a label.</summary>
    public static long MissingIn(ColumnScan scan, LabelTask task) => scan.Gaps + (task.AreNumbers ? scan.NoNumbers : 0);

    /// <summary>Of texts, those that often mean that a value is not known. Beside + a dash is a value.</summary>
    private static string[] Words(IEnumerable<string> values)
    {
        string[] all = [.. values];
        return [.. all.Where(value => (NumberText.IsMissing(value) || value.Equals("unknown", StringComparison.OrdinalIgnoreCase))
            && !(value == "-" && all.Contains("+"))).Order(StringComparer.Ordinal)];
    }

    private static string Quoted(string word) => word.All(char.IsLetterOrDigit) ? word : $"\"{word}\"";
}
