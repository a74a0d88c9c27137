namespace FaMLNet.Cli.Tables;

/// <summary>
/// A file of separated values as people have them: UTF-8 with or without a byte-order mark, plain or compressed by gzip, any line ends, any
/// separator, quotes with separators and line breaks inside, rows that end early. The one reader for columns and rows alike.
/// </summary>
internal sealed class TableFile
{
    private readonly TableLayout _layout;
    private readonly bool _saysQuotes;

    private TableFile(TableLayout layout, TableNames names, TableFormat format)
    {
        _layout = layout;
        (HasDecimalComma, _saysQuotes) = (format.HasDecimalComma, format.Quote != null);
        (Names, Notes) = (names.Names, [.. layout.Notes, .. names.Notes]);
    }

    /// <summary>The file's name in messages.</summary>
    public string Path => _layout.Source.Name;

    /// <summary>The names of the columns, each once, in the file's order; none if the file is empty.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether the user says that numbers have a decimal comma; null to tell it from the columns.</summary>
    public bool? HasDecimalComma { get; }

    /// <summary>The number of rows, without the header.</summary>
    public long Rows { get; private set; }

    /// <summary>What was assumed or left out in reading the file, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private set; }

    /// <summary>Reads layout and names of the columns, and counts the rows.</summary>
    /// <param name="path">A file, a pipe, or <c>-</c> for standard input.</param>
    /// <param name="format">The layout, as far as the user says it.</param>
    /// <exception cref="FileNotFoundException">Nothing is there.</exception>
    /// <exception cref="FormatException">The file cannot be read as a table; the message says where, and what to do.</exception>
    public static TableFile Open(string path, TableFormat format)
    {
        TableLayout layout = TableLayout.Of(TableSource.Open(path), format);
        TableFile file = new(layout, TableNames.Of(layout), format);
        layout.Names = file.Names;
        file.LookAtRows();
        return file;
    }

    /// <summary>A reader before the first row.</summary>
    /// <param name="leftOut">Rows to pass over; null for none.</param>
    public TableReader Read(IReadOnlySet<long>? leftOut = null) => new(_layout, leftOut: leftOut);

    /// <summary>
    /// Looks for a quote that is no quote: one that a later row happens to close makes one value of all rows between. Such a value has lines that are
    /// rows of the table.
    /// </summary>
    private void LookForSwallowedRows(string text, int row)
    {
        if (!text.Contains('\n', StringComparison.Ordinal) || Names.Count < 2)
            return;
        string[] inner = text.Split('\n')[1..^1];
        if (inner.Length == 0 || !inner.All(line => line.Count(character => character == _layout.Separator) == Names.Count - 1))
            return;
        string option = _layout.Quote == QuoteStyle.Single ? "'" : "\"";
        throw new FormatException($"'{Path}', row {row}: a value in quotes goes over {inner.Length + 2} lines that look like rows of the table. "
            + $"If {option} is an ordinary character in this file, give --quote none; else write a quote inside a value twice.");
    }

    /// <summary>Whether a value begins with a quote that nothing closes.</summary>
    private static bool IsOpen(string text) => text.Length > 1 && text[0] == '"' && text.Count(character => character == '"') % 2 == 1;

    /// <summary>Whether a row could be the names of the columns: texts alone.</summary>
    private static bool HasNames(TableReader reader) => Enumerable.Range(0, reader.Count).Select(reader.Text)
        .All(text => text.Length > 0 && !TableNames.IsValue(text));

    /// <summary>Looks at every value: counts rows, and those that end early; refuses those that are too long or hold what no text has.</summary>
    private void LookAtRows()
    {
        long shortRows = 0, firstShort = 0, open = 0;
        string firstOpen = "";
        int values = 0;
        using TableReader reader = Read();
        while (reader.Read())
        {
            if (reader.Count < Names.Count)
            {
                if (shortRows++ == 0)
                    (firstShort, values) = (reader.Row, reader.Count);
            }
            for (int i = 0; i < reader.Count; i++)
            {
                string text = reader.Text(i);
                if (_layout.Quote != QuoteStyle.None)
                    LookForSwallowedRows(text, reader.Row);
                if (IsOpen(text) && open++ == 0)
                    firstOpen = $"row {reader.Row}{(i < Names.Count ? $", column '{Names[i]}'" : "")}: "
                        + (text.Length <= 40 ? text : text[..40] + "…");
                if (i >= Names.Count && text.Length > 0)
                    throw new FormatException($"'{Path}', row {reader.Row}: {reader.Count} values, but there "
                        + (Names.Count == 1 && reader.Row == 1 ? $"is 1 column.{(HasNames(reader) ? TitleLines.Sentence(1) : "")} " : Names.Count == 1
                            ? "is 1 column. " : $"are {Names.Count} columns. ")
                                + $"Values are separated by a {TableFormat.NameOf(_layout.Separator)}: put a value that holds it in quotes, or name "
                                    + $"another separator "
                        + "with --separator.");
            }
        }
        Rows = reader.Row;
        if (open > 0 && !_saysQuotes)
            Notes = [.. Notes, $"'{Path}': {(open == 1 ? "1 value begins" : $"{open} values begin")} with \" and {(open == 1 ? "does" : "do")} not "
                + $"end "
                + $"with it (the first is {firstOpen}). The quote is read as a character of the value. Mend it, or give --quote none if it is "
                    + $"meant."];
        if (shortRows > 0)
        {
            Notes = [.. Notes, $"'{Path}': {(shortRows == 1 ? "1 row ends" : $"{shortRows} rows end")} early (the first is row {firstShort}, with "
                + $"{values} "
                + $"of {Names.Count} values). The values that are not there are missing."];
        }
    }
}
