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

    /// <summary>What was assumed of the layout, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>The names of the columns; none before they are known.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    /// <summary>Whether the table has one column, in which an empty line is a row without a value.</summary>
    public bool HasOneColumn => Names.Count == 1;

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
            List<string> notes = [];
            if (format.Quote == null && quote == QuoteStyle.Double && TellSingle(source, format, separator, named != null) is { } single)
            {
                (separator, quote) = (single, QuoteStyle.Single);
                notes.Add($"'{source.Name}': the values of every row are in ' and are read without it. --quote none keeps it.");
            }
            return new TableLayout(source, format.HasHeader, separator, quote, named != null) { Notes = notes };
        }
        catch (Exception failure) when (source.Explain(failure) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>The separator of a file that quotes its values by ' throughout; null for another file.</summary>
    private static char? TellSingle(TableSource source, TableFormat format, char told, bool hasSeparatorLine)
    {
        foreach (char separator in format.Separator is { } asked ? [asked] : hasSeparatorLine ? [told] : TableSniffer.Separators.Prepend(told))
        {
            using StreamReader text = source.OpenText();
            if (hasSeparatorLine)
                text.ReadLine();
            if (SingleQuotes.Are(text, separator, format.HasHeader))
                return separator;
        }
        return null;
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
