namespace FaMLNet.Cli.Tables;

/// <summary>How a file is laid out: as the user says, and otherwise as its first lines suggest.</summary>
internal sealed class TableLayout
{
    private TableLayout(TableSource source, bool hasHeader, char separator, QuoteStyle quote, bool hasSeparatorLine)
    {
        (Source, HasHeader, Separator, Quote) = (source, hasHeader, separator, quote);
        HasSeparatorLine = hasSeparatorLine;
    }

    public TableSource Source { get; }

    /// <summary>Whether the first line names the columns.</summary>
    public bool HasHeader { get; }

    public char Separator { get; }

    public QuoteStyle Quote { get; }

    /// <summary>Whether the table has one column, in which an empty line is a row without a value.</summary>
    public bool HasOneColumn { get; set; }

    /// <summary>Whether the file begins with a line <c>sep=;</c>, by which Excel tells itself the separator.</summary>
    public bool HasSeparatorLine { get; }

    /// <param name="source">The text.</param>
    /// <param name="format">What the user says.</param>
    /// <exception cref="FormatException">The file is no text.</exception>
    public static TableLayout Of(TableSource source, TableFormat format)
    {
        try
        {
            char? named;
            using (StreamReader text = source.OpenText())
                named = ReadSeparatorLine(text);
            using StreamReader table = source.OpenText();
            if (named != null)
                table.ReadLine();
            (char separator, QuoteStyle quote) = TableSniffer.Tell(table, format.Separator == null && named != null
                ? format with { Separator = named } : format);
            return new TableLayout(source, format.HasHeader, separator, quote, named != null);
        }
        catch (Exception failure) when (source.Explain(failure) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Reads on to the first line that belongs to the table.</summary>
    /// <returns>Whether there was a line that does not.</returns>
    public bool SkipLines(StreamReader text) => HasSeparatorLine && text.ReadLine() != null;

    /// <summary>The separator in Excel's line; null where the file has none.</summary>
    private static char? ReadSeparatorLine(StreamReader text)
    {
        char[] start = new char[6];
        int length = text.ReadBlock(start);
        return length >= 5 && new string(start, 0, 4).Equals("sep=", StringComparison.OrdinalIgnoreCase)
            && (length == 5 || start[5] is '\r' or '\n') ? start[4] : null;
    }
}
