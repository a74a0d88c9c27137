using System.Globalization;
using System.Text;
using Sylvan.Data.Csv;

namespace FaMLNet.Cli.Tables;

/// <summary>
/// A file of separated values as people have them: UTF-8 with or without a byte-order mark, any line ends, commas, semicolons or tabs, quotes
/// with separators and line breaks inside, numbers with a decimal point or, where the separator is no comma, a decimal comma. The one reader for
/// columns and rows alike.
/// </summary>
internal sealed class TableFile
{
    /// <summary>Rows that decide whether a column holds numbers, and how they are written.</summary>
    public const int RowsLookedAt = 10_000;

    private readonly bool _hasHeader;
    private readonly char _separator;

    private TableFile(string path, bool hasHeader, char separator, IReadOnlyList<TableColumn> columns, bool hasDecimalComma)
    {
        Path = path;
        _hasHeader = hasHeader;
        _separator = separator;
        Columns = columns;
        HasDecimalComma = hasDecimalComma;
    }

    public string Path { get; }

    /// <summary>The columns in the file's order; none if the file is empty.</summary>
    public IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>Whether numbers are written 0,5.</summary>
    public bool HasDecimalComma { get; }

    /// <summary>Reads names and kinds of the columns.</summary>
    /// <param name="path">The file.</param>
    /// <param name="hasHeader">Whether the first line names the columns; if not, they are named 1, 2, 3, …</param>
    /// <exception cref="FormatException">The file cannot be read as a table; the message says where.</exception>
    public static TableFile Open(string path, bool hasHeader)
    {
        char separator = FindSeparator(path);
        using Reader reader = new(path, hasHeader, separator);
        string[] names = reader.Names;
        if (hasHeader && names.Length > 0)
            CheckHeader(path, names);
        ProseSigns[] prose = [.. names.Select(_ => new ProseSigns())];
        bool[] points = [.. names.Select(_ => true)], commas = [.. names.Select(_ => separator != ',')], fractions = new bool[names.Length];
        for (int row = 0; row < RowsLookedAt && reader.Read(); row++)
        {
            for (int i = 0; i < names.Length; i++)
            {
                string text = reader.Text(i);
                if (IsMissing(text))
                    continue;
                bool isPoint = TryParse(text, decimalComma: false, out _);
                points[i] &= isPoint;
                commas[i] = commas[i] && TryParse(text, decimalComma: true, out _);
                // Of a column of numbers nothing is kept.
                if (!points[i] && !commas[i])
                    prose[i].Look(text);
                fractions[i] |= isPoint && text.Contains('.', StringComparison.Ordinal);
            }
        }
        // Decimal commas are told by a column that is one of numbers only with them, where no column has decimal points.
        bool hasDecimalComma = Enumerable.Range(0, names.Length).Any(i => commas[i] && !points[i])
            && !Enumerable.Range(0, names.Length).Any(i => points[i] && fractions[i]);
        return new TableFile(path, hasHeader, separator,
            [.. names.Select((name, i) => new TableColumn(name, i, hasDecimalComma ? commas[i] : points[i], prose[i].Decide()))],
            hasDecimalComma);
    }

    /// <summary>What stands for a value that is not known.</summary>
    public static bool IsMissing(string text) => text is "" or "?" or "NA" or "NaN";

    /// <summary>A number as the file writes it; not a number where it is missing.</summary>
    public bool TryParse(string text, out double value) => IsMissing(text) ? (value = double.NaN) is double.NaN
        : TryParse(text, HasDecimalComma, out value);

    public Reader Read() => new(Path, _hasHeader, _separator);

    private static bool TryParse(string text, bool decimalComma, out double value)
    {
        if (decimalComma)
            text = text.Contains('.', StringComparison.Ordinal) ? "" : text.Replace(',', '.');
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    private static void CheckHeader(string path, string[] names)
    {
        string found = string.Join(", ", names.Select(name => $"'{name}'"));
        if (names.Any(name => float.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            && (names.Any(IsMissing) || names.Distinct().Count() < names.Length))
            throw new FormatException(NoHeader(path, names));
        if (names.Any(string.IsNullOrWhiteSpace) || names.Distinct().Count() < names.Length)
            throw new FormatException(
                $"The first line of '{path}' must name its columns, each once; found {found}. If it holds data, give --no-header.");
    }

    /// <summary>The message for a first line that is no header.</summary>
    public static string NoHeader(string path, IEnumerable<string> names) =>
        $"The first line of '{path}' looks like data, not like the names of columns: {string.Join(", ", names)}. If the file has no header line, "
            + $"give --no-header: its columns are then named 1, 2, 3, …";

    /// <summary>The one of comma, semicolon and tab that is most frequent in the first line, outside quotes.</summary>
    private static char FindSeparator(string path)
    {
        using StreamReader reader = OpenText(path);
        int[] counts = new int[3];
        bool quoted = false;
        for (int letter = Next(path, reader); letter >= 0 && (quoted || letter is not ('\n' or '\r')); letter = Next(path, reader))
        {
            quoted ^= letter == '"';
            int index = ",;\t".IndexOf((char)letter, StringComparison.Ordinal);
            if (!quoted && index >= 0)
                counts[index]++;
        }
        return ",;\t"[Array.IndexOf(counts, counts.Max())];
    }

    private static int Next(string path, StreamReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (DecoderFallbackException failure)
        {
            throw NotUtf8(path, failure);
        }
    }

    private static StreamReader OpenText(string path) =>
        new(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true);

    private static FormatException NotUtf8(string path, Exception failure) =>
        new($"'{path}' is not in UTF-8. Save it so: in a spreadsheet as 'CSV UTF-8'; with iconv -f WINDOWS-1252 -t UTF-8.", failure);

    /// <summary>The rows, one after the other.</summary>
    public sealed class Reader : IDisposable
    {
        private readonly string _path;
        private readonly StreamReader _text;
        private readonly CsvDataReader? _csv;

        internal Reader(string path, bool hasHeader, char separator)
        {
            _path = path;
            _text = OpenText(path);
            if (_text.Peek() < 0)
                return;
            _csv = Guarded(() => CsvDataReader.Create(_text,
                new CsvDataReaderOptions { HasHeaders = hasHeader, Delimiter = separator, MaxBufferSize = 1 << 24 }));
            Names = [.. Enumerable.Range(0, _csv.FieldCount)
                .Select(i => hasHeader ? _csv.GetName(i) : (i + 1).ToString(CultureInfo.InvariantCulture))];
        }

        public string[] Names { get; } = [];

        /// <summary>The present row, from 1; the header does not count.</summary>
        public int Row { get; private set; }

        /// <exception cref="FormatException">The next row cannot be read.</exception>
        public bool Read()
        {
            do
            {
                if (_csv == null || !Guarded(_csv.Read))
                    return false;
                Row++;
            }
            while (Names.Length > 1 && _csv.RowFieldCount == 1 && Text(0).Length == 0); // an empty line
            if (_csv.RowFieldCount != Names.Length)
                throw new FormatException($"'{_path}', row {Row}: {_csv.RowFieldCount} values, but there are {Names.Length} columns. Mend the row, "
                    + $"or quote values that hold the separator.");
            return true;
        }

        /// <summary>The text of a column in the present row.</summary>
        public string Text(int column) => Guarded(() => _csv!.GetString(column));

        public void Dispose()
        {
            _csv?.Dispose();
            _text.Dispose();
        }

        private T Guarded<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (DecoderFallbackException failure)
            {
                throw NotUtf8(_path, failure);
            }
            catch (Exception failure) when (failure is CsvFormatException or CsvRecordTooLargeException or CsvConfigurationException)
            {
                throw new FormatException($"'{_path}', row {Row + 1}: {failure.Message.TrimEnd('.')}. A quote that is never closed is the usual "
                    + $"cause; a quote within quotes is written twice.", failure);
            }
        }
    }
}

/// <summary>A column of a file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Index">Its place, from 0.</param>
/// <param name="IsNumber">Whether its first rows hold nothing but numbers and missing values.</param>
/// <param name="IsProse">Whether they hold sentences: many values that are different and long.</param>
internal sealed record TableColumn(string Name, int Index, bool IsNumber, bool IsProse);
