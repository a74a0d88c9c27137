using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>The names of a table's columns, each once.</summary>
/// <param name="Names">In the file's order.</param>
/// <param name="Notes">What was assumed, a sentence each.</param>
internal sealed record TableNames(IReadOnlyList<string> Names, IReadOnlyList<string> Notes)
{
    /// <summary>Rows that tell whether columns without a name have values.</summary>
    private const int RowsLookedAt = 1000;

    /// <param name="layout">The layout of the file.</param>
    /// <exception cref="FormatException">The first line looks like data.</exception>
    public static TableNames Of(TableLayout layout)
    {
        using TableReader reader = new(layout, skipsHeader: false);
        if (!reader.Read())
            return new TableNames([], []);
        string[] first = [.. Enumerable.Range(0, reader.Count).Select(reader.Text)];
        // For messages about these rows.
        layout.Names = layout.HasHeader ? first : [];
        (int width, int last, bool hasRowNames) = Look(layout);
        string file = $"'{layout.Source.Name}'";
        List<string> notes = [];
        if (!layout.HasHeader)
        {
            // Separators at the end of every row make no column.
            int count = Math.Max(last, 1);
            return new TableNames([.. Enumerable.Range(1, count).Select(i => i.ToString(CultureInfo.InvariantCulture))], notes);
        }
        CheckHeader(file, first);
        List<string> names = [.. first];
        // R writes a name less than there are columns: the first column is the names of its rows.
        if (hasRowNames && width == names.Count + 1 && last == width)
        {
            names.Insert(0, "");
            notes.Add($"{file}: the rows have one value more than the header has names. The first value is taken for the name of the row, as R "
                + $"writes it.");
        }
        int named = names.FindLastIndex(name => name.Length > 0) + 1, kept = Math.Max(named, last);
        if (kept < names.Count)
        {
            notes.Add($"{file}: {names.Count - kept} {(names.Count - kept == 1 ? "column" : "columns")} without a name and without values at the end "
                + $"of the rows {(names.Count - kept == 1 ? "is" : "are")} left out.");
            names.RemoveRange(kept, names.Count - kept);
        }
        HashSet<string> taken = new(names, StringComparer.Ordinal), seen = new(StringComparer.Ordinal);
        for (int i = 0; i < names.Count; i++)
        {
            string name = names[i];
            if (name.Length > 0 && seen.Add(name))
                continue;
            string stem = name.Length == 0 ? $"Column{i + 1}" : name, other = stem;
            for (int number = 2; other == name || taken.Contains(other); number++)
                other = $"{stem}_{number}";
            names[i] = other;
            seen.Add(other);
            taken.Add(other);
            notes.Add(name.Length == 0 ? $"{file}: column {i + 1} has no name in the header and is called '{other}'."
                : $"{file}: column {i + 1} has the same name as an earlier one, '{name}', and is called '{other}'.");
        }
        return new TableNames(names, notes);
    }

    /// <summary>The message for a first line that is no header.</summary>
    public static string NoHeader(string path, IEnumerable<string> names) =>
        $"The first line of '{path}' looks like data, not like the names of columns: {string.Join(", ", names)}. If the file has no header line, "
            + $"give --no-header: its columns are then named 1, 2, 3, …";

    /// <summary>Whether a name looks like a value.</summary>
    public static bool IsValue(string name) => double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static void CheckHeader(string file, string[] names)
    {
        // Years may be names. A number beside a gap or twice is a row.
        if (names.Any(IsValue) && (names.Any(name => name is "?" or "NA" or "NaN")
            || names.Where(name => name.Length > 0).Distinct().Count() < names.Count(name => name.Length > 0)))
            throw new FormatException(NoHeader(file.Trim('\''), names));
        if (names.Length > 1 && names.All(name => name.Length > 0) && names.All(IsValue) && names.Any(name => name.Contains('.',
            StringComparison.Ordinal)))
            throw new FormatException(NoHeader(file.Trim('\''), names));
    }

    /// <summary>
    /// Of the first rows: the commonest number of values, the last column with a value (from 1), and whether the first values could be names of
    /// the rows, each another.
    /// </summary>
    private static (int Width, int Last, bool HasRowNames) Look(TableLayout layout)
    {
        Dictionary<int, int> counts = [];
        HashSet<string> rowNames = [];
        bool areDifferent = true;
        int last = 0;
        using TableReader reader = new(layout);
        for (int row = 0; row < RowsLookedAt && reader.Read(); row++)
        {
            areDifferent &= rowNames.Add(reader.Text(0));
            counts[reader.Count] = counts.GetValueOrDefault(reader.Count) + 1;
            for (int i = reader.Count - 1; i >= last; i--)
            {
                if (reader.Text(i).Length > 0)
                    last = i + 1;
            }
        }
        return (counts.Count == 0 ? 0 : counts.MaxBy(pair => pair.Value).Key, last, areDifferent && rowNames.Count > 1);
    }
}
