using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>
/// A file of separated values as people have them: UTF-8 with or without a byte-order mark, plain or compressed by gzip, any line ends, any
/// separator, quotes with separators and line breaks inside, rows that end early. The one reader for columns and rows alike.
/// </summary>
internal sealed class TableFile
{
    private readonly TableLayout _layout;

    private TableFile(TableLayout layout, TableNames names)
    {
        _layout = layout;
        (Names, Notes) = (names.Names, names.Notes);
    }

    /// <summary>The file's name in messages.</summary>
    public string Path => _layout.Source.Name;

    /// <summary>The names of the columns, each once, in the file's order; none if the file is empty.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The number of rows, without the header.</summary>
    public long Rows { get; private set; }

    /// <summary>What was assumed or left out in reading the file, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private set; }

    /// <summary>The columns in the file's order.</summary>
    public IReadOnlyList<TableColumn> Columns { get; private set; } = [];

    /// <summary>Whether numbers are written 0,5.</summary>
    public bool HasDecimalComma { get; private set; }

    /// <summary>Reads layout, names and kinds of the columns, and looks at every row once.</summary>
    /// <param name="path">A file, a pipe, or <c>-</c> for standard input.</param>
    /// <param name="format">The layout, as far as the user says it.</param>
    /// <exception cref="FileNotFoundException">Nothing is there.</exception>
    /// <exception cref="FormatException">The file cannot be read as a table; the message says where, and what to do.</exception>
    public static TableFile Open(string path, TableFormat format)
    {
        TableLayout layout = TableLayout.Of(TableSource.Open(path), format);
        TableFile file = new(layout, TableNames.Of(layout));
        file.LookAtRows();
        (file.Columns, file.HasDecimalComma) = TableColumns.Decide(file);
        return file;
    }

    /// <summary>What stands for a value that is not known.</summary>
    public static bool IsMissing(string text) => text is "" or "?" or "NA" or "NaN";

    /// <summary>A number as the file writes it; not a number where it is missing.</summary>
    public bool TryParse(string text, out double value) => IsMissing(text) ? (value = double.NaN) is double.NaN
        : TryParse(text, HasDecimalComma, out value);

    /// <summary>A number with one of the two decimal signs.</summary>
    public static bool TryParse(string text, bool decimalComma, out double value)
    {
        if (decimalComma)
            text = text.Contains('.', StringComparison.Ordinal) ? "" : text.Replace(',', '.');
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Whether numbers may have a decimal comma: not where values stand between commas.</summary>
    public bool MayHaveDecimalComma => _layout.Separator != ',';

    /// <summary>A reader before the first row.</summary>
    public TableReader Read() => new(_layout);

    /// <summary>Counts rows, and those that end early; refuses those that are too long.</summary>
    private void LookAtRows()
    {
        long shortRows = 0, firstShort = 0;
        int values = 0;
        using TableReader reader = Read();
        while (reader.Read())
        {
            if (reader.Count < Names.Count)
            {
                if (shortRows++ == 0)
                    (firstShort, values) = (reader.Row, reader.Count);
            }
            for (int i = Names.Count; i < reader.Count; i++)
            {
                if (reader.Text(i).Length > 0)
                    throw new FormatException($"'{Path}', row {reader.Row}: {reader.Count} values, but there are {Names.Count} columns. Values are "
                        + $"separated by a {TableFormat.NameOf(_layout.Separator)}: put a value that holds it in quotes, or name another separator "
                        + "with --separator.");
            }
        }
        Rows = reader.Row;
        if (shortRows > 0)
        {
            Notes = [.. Notes, $"'{Path}': {(shortRows == 1 ? "1 row ends" : $"{shortRows} rows end")} early (the first is row {firstShort}, with {values} "
                + $"of {Names.Count} values). The values that are not there are missing."];
        }
    }
}
