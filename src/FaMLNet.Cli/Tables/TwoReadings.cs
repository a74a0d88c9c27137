namespace FaMLNet.Cli.Tables;

/// <summary>
/// Numbers that are others by the other decimal sign: 1.100 is 1.1 or 1100. Where nothing in their column tells the sign, and nothing in the file,
/// how they are read is said.
/// </summary>
internal static class TwoReadings
{
    private const int MostNames = 5;

    /// <summary>Whether a column shows by its own numbers that the file has the sign: only one sign explains some of them.</summary>
    public static bool IsWitness(ColumnScan scan, bool hasComma) => hasComma ? scan.Commas > scan.Points : scan.Points > scan.Commas;

    /// <summary>The remark of a column; empty for one whose own numbers tell the sign.</summary>
    /// <param name="scan">What was counted of it.</param>
    /// <param name="hasComma">How it is read.</param>
    /// <param name="reason">What decided, as the end of a sentence; null for nothing.</param>
    public static string Remark(ColumnScan scan, bool hasComma, string? reason) => !scan.HasTwoReadings ? ""
        : $"{Example(scan, hasComma)}{(reason == null ? $"; if it means {Value(scan, !hasComma)}, give {Option(hasComma)}" : $", {reason}")}";

    /// <summary>A sentence about columns of a file whose sign nothing tells; null for none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">The columns, each with how it is read.</param>
    /// <param name="how">What else to say of the reading, as <c>, as when the model was trained</c>; empty for nothing.</param>
    public static string? Describe(string path, IReadOnlyList<(string Name, ColumnScan Scan, bool HasComma)> columns, string how = "")
    {
        if (columns.Count == 0)
            return null;
        (string name, ColumnScan scan, bool hasComma) = columns[0];
        string others = string.Join(", ", columns.Skip(1).Take(MostNames).Select(column => $"'{column.Name}'")) + (columns.Count > MostNames + 1
            ? ", …" : "");
        return $"'{path}', column '{name}': {Example(scan, hasComma)}{how}. If it means {Value(scan, !hasComma)}, give {Option(hasComma)}."
            + (others.Length > 0 ? $" The same holds for {(columns.Count == 2 ? "column" : "columns")} {others}." : "");
    }

    private static string Option(bool hasComma) => $"--decimal {(hasComma ? "point" : "comma")}";

    private static string Example(ColumnScan scan, bool hasComma) =>
        FormattableString.Invariant($"'{scan.FirstOfTwoReadings!.Value.Text}' in row {scan.FirstOfTwoReadings.Value.Row} is read as ")
        + Value(scan, hasComma);

    private static string Value(ColumnScan scan, bool hasComma) =>
        NumberText.TryParse(scan.FirstOfTwoReadings!.Value.Text, hasComma, out double value) ? NumberText.Canonical(value) : "";
}
