using Sylvan.Data.Csv;

namespace FaMLNet.Cli.Tables;

/// <summary>The rows of a table, one after the other, as often as a reader is made.</summary>
internal sealed class TableReader : IDisposable
{
    private readonly TableLayout _layout;
    private readonly StreamReader _text;
    private readonly CsvDataReader? _csv;
    private readonly IReadOnlySet<long>? _leftOut;
    private string[]? _joined;
    private int _blanks;
    private bool _isBlank, _hasNext;

    /// <param name="layout">The layout of the file.</param>
    /// <param name="skipsHeader">Whether to begin behind the header.</param>
    /// <param name="leftOut">Rows to pass over; null for none.</param>
    public TableReader(TableLayout layout, bool skipsHeader = true, IReadOnlySet<long>? leftOut = null)
    {
        _layout = layout;
        _leftOut = leftOut;
        _text = layout.Source.OpenText();
        Guarded(() => layout.SkipLines(_text));
        if (Guarded(_text.Peek) < 0)
            return;
        _csv = Guarded(() => CsvDataReader.Create(_text, TableSniffer.Options(layout.Separator, layout.Quote)));
        if (skipsHeader && layout.HasHeader)
            ReadRecord();
    }

    /// <summary>The present row, from 1; neither the header nor empty lines count.</summary>
    public int Row { get; private set; }

    /// <summary>The values that the present row has; it may have fewer or more than there are columns.</summary>
    public int Count => _isBlank ? 1 : _joined?.Length ?? _csv!.RowFieldCount;

    /// <exception cref="FormatException">The next row cannot be read.</exception>
    public bool Read()
    {
        do
        {
            if (!ReadRecord())
                return false;
            Row++;
        }
        while (_leftOut?.Contains(Row) == true);
        return true;
    }

    /// <summary>The value of a column in the present row, without blanks around it; empty where the row ends before it.</summary>
    public string Text(int column) => _isBlank || column >= Count ? "" : _joined?[column] ?? Raw(column).Trim();

    public void Dispose()
    {
        _csv?.Dispose();
        _text.Dispose();
    }

    private bool ReadRecord()
    {
        if (!_hasNext)
        {
            while (true)
            {
                if (_csv == null || !Guarded(_csv.Read))
                    return false;
                if (_csv.RowFieldCount > 1 || Raw(0).Trim().Length > 0)
                    break;
                // An empty line: no row, unless it stands between the values of a table of one column.
                _blanks += _layout.HasOneColumn ? 1 : 0;
            }
        }
        _isBlank = _blanks > 0;
        _hasNext = _isBlank;
        if (_blanks-- > 0)
            return true;
        _blanks = 0;
        _joined = _layout.Quote == QuoteStyle.None ? null : Joined();
        return true;
    }

    /// <summary>
    /// Values of a row in which a quote follows a blank, as in <c>1, "a, b"</c>: the quoted value put together again. Null for another row.
    /// </summary>
    private string[]? Joined()
    {
        char quote = _layout.Quote == QuoteStyle.Single ? '\'' : '"';
        int count = _csv!.RowFieldCount;
        bool isPadded = false;
        for (int i = 0; i < count && !isPadded; i++)
            isPadded = _csv.GetFieldSpan(i) is [' ', ..] field && field.TrimStart(' ') is [var first, ..] && first == quote;
        if (!isPadded)
            return null;
        List<string> values = [];
        for (int i = 0; i < count; i++)
        {
            string value = Raw(i), trimmed = value.Trim();
            if (value.StartsWith(' ') && trimmed.StartsWith(quote))
            {
                while (!IsClosed(trimmed, quote) && i + 1 < count)
                    trimmed = (trimmed + _layout.Separator + Raw(++i)).TrimEnd();
                if (IsClosed(trimmed, quote))
                    trimmed = trimmed[1..^1].Replace(new string(quote, 2), quote.ToString(), StringComparison.Ordinal).Trim();
            }
            values.Add(trimmed);
        }
        return [.. values];
    }

    private static bool IsClosed(string text, char quote) => text.Length > 1 && (text.Length - text.TrimEnd(quote).Length) % 2 == 1;

    private string Raw(int column) => Guarded(() => _csv!.GetString(column));

    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (_layout.Source.Explain(failure) is { } explained)
        {
            throw explained;
        }
        catch (Exception failure) when (failure is CsvFormatException or CsvRecordTooLargeException or CsvConfigurationException)
        {
            throw new FormatException($"'{_layout.Source.Name}', row {Row + 1}: {failure.Message.TrimEnd('.')}. The usual cause is a quote that is "
                + "never closed, or one inside a value that is not written twice. If quotes are ordinary characters in this file, give --quote none.",
                failure);
        }
    }
}
