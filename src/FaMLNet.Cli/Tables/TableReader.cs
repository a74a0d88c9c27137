using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>The rows of a table, one after the other, as often as a reader is made.</summary>
internal sealed class TableReader : IDisposable
{
    private readonly TableLayout _layout;
    private readonly StreamReader _text;
    private readonly CsvRecords? _csv;
    private readonly bool _readsHeader;
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
        _readsHeader = layout.HasHeader;
        _csv = Guarded(() => new CsvRecords(_text, layout.Separator, layout.Quote));
        if (skipsHeader && layout.HasHeader)
            ReadRecord();
        _readsHeader &= !skipsHeader;
    }

    /// <summary>The present row, from 1; neither the header nor empty lines count.</summary>
    public int Row { get; private set; }

    /// <summary>The values that the present row has; it may have fewer or more than there are columns.</summary>
    public int Count => _isBlank ? 1 : _joined?.Length ?? _csv!.Count;

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
    /// <exception cref="FormatException">It holds a character that no text has.</exception>
    public string Text(int column)
    {
        if (_isBlank || column >= Count)
            return "";
        string text = _joined?[column] ?? Raw(column).Trim();
        return TableText.ControlIn(text) is not { } control ? text
            : throw new FormatException($"{Place(Row, column)}: {TableText.Describe(control)}.");
    }

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
                if (_csv.Count > 1 || Raw(0).Trim().Length > 0)
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
        int count = _csv!.Count;
        bool isPadded = false;
        for (int i = 0; i < count && !isPadded; i++)
            isPadded = _csv.IsPadded(i, quote);
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

    private string Raw(int column)
    {
        try
        {
            return _csv!.Text(column);
        }
        catch (CsvFaultException failure)
        {
            throw Explain(failure);
        }
    }

    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (CsvFaultException failure)
        {
            throw Explain(failure);
        }
        catch (Exception failure) when (_layout.Source.Explain(failure) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>A record that cannot be read, as the user is told of it.</summary>
    private FormatException Explain(CsvFaultException failure)
    {
        string quote = _layout.Quote == QuoteStyle.Single ? "'" : "\"", separator = TableFormat.NameOf(_layout.Separator);
        string what = failure.Fault switch
        {
            CsvFault.OpenQuote => $"a value begins with {quote}, and no {quote} ends it before the end of the file",
            CsvFault.TextBehindQuote => $"expected a {separator} or the end of the line behind a value in quotes; found other text",
            CsvFault.TooLong => string.Create(CultureInfo.InvariantCulture,
                $"expected at most {CsvRecords.MostCharacters:N0} characters in a row; found more"),
            _ => $"the row cannot be read as values between which there is a {separator}",
        };
        return new FormatException($"{Place(Row + 1, failure.Field)}: {what}." + (_layout.Quote == QuoteStyle.None
            ? " Name what separates the values with --separator." : " The usual cause is a quote that is never closed, or one inside a value that is "
            + "not written twice. If quotes are ordinary characters in this file, give --quote none."), failure);
    }

    /// <summary>File, row and column for a message.</summary>
    private string Place(int row, int column)
    {
        string line = _readsHeader ? "the first line" : string.Create(CultureInfo.InvariantCulture, $"row {row}");
        string where = column < 0 ? "" : column < _layout.Names.Count ? $", column '{_layout.Names[column]}'"
            : string.Create(CultureInfo.InvariantCulture, $", column {column + 1}");
        return $"'{_layout.Source.Name}', {line}{where}";
    }
}
