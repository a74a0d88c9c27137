using System.Globalization;
using System.Text.RegularExpressions;

namespace FaMLNet.Cli.Tables;

/// <summary>
/// Rows of a table that sum up others: subtotals anywhere, totals and what stands below them at the end. Rows are handed in, and all others handed
/// on; the last ones only at the end.
/// </summary>
/// <param name="file">The table, for messages.</param>
/// <param name="add">Receives the rows of data.</param>
/// <param name="leavesOut">Whether totals are left out; else they are said, and data like others.</param>
/// <param name="isKnown">Whether a column is known to have a word for a total as a value like others.</param>
/// <param name="sumOf">The sum of a column's numbers, by point or by comma; null where it is not known.</param>
internal sealed partial class TotalRows(TableFile file, Action<string[], long> add, bool leavesOut, Func<int, string, bool> isKnown,
    Func<int, bool, double?> sumOf)
{
    private const int RowsAtEnd = 5, MostShown = 5, RowsPerDoubt = 50, LongestWord = 40;

    private readonly Queue<(string[] Cells, long Row)> _last = [];
    private readonly Stack<string[]> _free = [];
    private readonly Dictionary<string, (long Row, int Column, long Count)> _doubts = new(StringComparer.Ordinal);
    private readonly List<(long Row, string What)> _totals = [];
    private readonly List<(long Row, string Text)> _footnotes = [];
    private long _rows;

    /// <summary>The rows that are left out.</summary>
    public HashSet<long> LeftOut { get; } = [];

    /// <summary>An array for the cells of a row.</summary>
    public string[] NewRow() => _free.TryPop(out string[]? row) ? row : new string[file.Names.Count];

    /// <summary>The next row of the table.</summary>
    public void Next(string[] cells, long row)
    {
        if (WordIn(cells) is var (column, word) && Subtotal().IsMatch(word) && cells.Contains("") && !isKnown(column, word))
        {
            Leave(cells, row, In(column, word));
            return;
        }
        _last.Enqueue((cells, row));
        if (_last.Count > RowsAtEnd)
            HandOn(_last.Dequeue());
    }

    /// <summary>Decides about the last rows, and says what was found.</summary>
    public void End(Action<string> say)
    {
        (string[] Cells, long Row)[] last = [.. _last];
        // From a total on, all that follows must be totals or a single text below them.
        int first = Enumerable.Range(0, last.Length).FirstOrDefault(i => TotalIn(last[i].Cells, last.Take(i)) != null
            && last.Skip(i + 1).All(row => TotalIn(row.Cells, last.Take(i)) != null || IsFootnote(row.Cells)), last.Length);
        foreach ((string[] Cells, long Row) row in last.Take(first))
            HandOn(row);
        for (int i = first; i < last.Length; i++)
        {
            (string[] cells, long row) = last[i];
            if (TotalIn(cells, []) is { } what)
                Leave(cells, row, what);
            else
            {
                _footnotes.Add((row, cells.First(text => text.Length > 0)));
                Drop(cells, row);
            }
        }
        Say(say);
    }

    private void Say(Action<string> say)
    {
        string fate = leavesOut ? "left out" : "predicted for like other rows. Delete what is a total";
        if (_totals.Count == 1)
            say($"'{file.Path}': row {_totals[0].Row} has {_totals[0].What}: it is taken for a total and {fate}.");
        else if (_totals.Count > 1)
            say($"'{file.Path}': rows {string.Join(", ", _totals.Take(MostShown).Select(total => $"{total.Row} ({total.What})"))}"
                + (_totals.Count > MostShown ? string.Create(CultureInfo.InvariantCulture, $", … ({_totals.Count} in all)") : "")
                + $" are taken for totals and {fate}.");
        if (_footnotes.Count > 0)
            say($"'{file.Path}': below the total, {string.Join(", ", _footnotes.Select(note => $"'{note.Text}' (row {note.Row})"))} is no row of "
                + $"data "
                + $"and {fate}.");
        foreach ((string word, (long row, int column, long count)) in _doubts.Where(doubt => doubt.Value.Count <= 1 + _rows / RowsPerDoubt)
            .Take(MostShown))
            say($"'{file.Path}': row {row} has {In(column, word)}{(count > 1 ? $", and {count - 1} more" : "")}. It is taken for data like other "
                + $"rows. "
                + "Delete it if it is a total.");
    }

    private void HandOn((string[] Cells, long Row) row)
    {
        _rows++;
        if (WordIn(row.Cells) is var (column, word))
        {
            (long Row, int Column, long Count) before = _doubts.GetValueOrDefault(word, (row.Row, column, 0));
            if (!isKnown(column, word))
                _doubts[word] = before with { Count = before.Count + 1 };
        }
        add(row.Cells, row.Row);
        _free.Push(row.Cells);
    }

    private void Leave(string[] cells, long row, string what)
    {
        _totals.Add((row, what));
        Drop(cells, row);
    }

    private void Drop(string[] cells, long row)
    {
        if (leavesOut)
            LeftOut.Add(row);
        else
            add(cells, row);
        _free.Push(cells);
    }

    /// <summary>What shows that one of the last rows is a total; null where nothing does.</summary>
    /// <param name="cells">The row.</param>
    /// <param name="before">The rows above it that have not been handed on.</param>
    private string? TotalIn(string[] cells, IEnumerable<(string[] Cells, long Row)> before) => WordIn(cells) is var (column, word)
        ? _doubts.ContainsKey(word) || isKnown(column, word) || !WholeWord().IsMatch(word) && !cells.Contains("") ? null : In(column, word)
        : Sums(cells, before);

    /// <summary>A word for a total in a row that has a number beside it.</summary>
    private static (int Column, string Word)? WordIn(string[] cells)
    {
        int at = Array.FindIndex(cells, text => text.Length is > 0 and <= LongestWord && char.IsLetter(text[0])
            && (WholeWord().IsMatch(text) || NamedTotal().IsMatch(text)));
        return at >= 0 && cells.Where((_, i) => i != at).Any(text => TryParse(text, out _, out _)) ? (at, cells[at]) : null;
    }

    /// <summary>Whether a row has gaps and numbers alone, each the sum of its column; null if not.</summary>
    private string? Sums(string[] cells, IEnumerable<(string[] Cells, long Row)> before)
    {
        List<string> columns = [];
        for (int i = 0; i < cells.Length; i++)
        {
            if (cells[i].Length == 0)
                continue;
            if (!TryParse(cells[i], out double point, out double comma) || !IsSum(i, false, point, before) && !IsSum(i, true, comma, before))
                return null;
            columns.Add($"'{file.Names[i]}'");
        }
        return columns.Count > 0 && columns.Count < cells.Length && _rows > RowsAtEnd
            ? $"the sum of all rows above in {(columns.Count == 1 ? "column" : "columns")} {string.Join(", ", columns.Take(MostShown))}" : null;
    }

    private bool IsSum(int column, bool hasComma, double value, IEnumerable<(string[] Cells, long Row)> before)
    {
        if (sumOf(column, hasComma) is not { } sum)
            return false;
        sum += before.Sum(row => NumberText.TryParse(row.Cells[column], hasComma, out double number) ? number : 0);
        return sum != 0 && Math.Abs(value - sum) <= 1e-6 * Math.Abs(sum);
    }

    private static bool IsFootnote(string[] cells) => cells.Length > 1 && cells.Count(text => text.Length > 0) == 1
        && !cells.Any(text => TryParse(text, out _, out _));

    private static bool TryParse(string text, out double point, out double comma)
    {
        bool isPoint = NumberText.TryParse(text, false, out point);
        return NumberText.TryParse(text, true, out comma) || isPoint;
    }

    private string In(int column, string word) => $"'{word}' in column '{file.Names[column]}'";

    [GeneratedRegex(@"^(grand |sub-?|overall )?(total|sum|average|mean|summe|gesamt|insgesamt|gesamtsumme|zwischensumme|mittelwert|durchschnitt"
        + @"|somme|moyenne|totaal|totale|suma)s?:?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex WholeWord();

    /// <summary>A total with what it is of.</summary>
    [GeneratedRegex(@"^((grand |sub-?)?totals?|summe|gesamt|zwischensumme|sous-total)[ :]|[ :](sub-?)?totals?:?$", RegexOptions.IgnoreCase
        | RegexOptions.CultureInvariant)]
    private static partial Regex NamedTotal();

    [GeneratedRegex(@"\bsub-?totals?\b|^(zwischensumme|sous-total)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Subtotal();
}
