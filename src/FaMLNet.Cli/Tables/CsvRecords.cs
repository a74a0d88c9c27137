using System.Text;
using Sylvan.Data.Csv;

namespace FaMLNet.Cli.Tables;

/// <summary>Reasons for which a record cannot be read.</summary>
internal enum CsvFault
{
    /// <summary>A value in quotes does not end.</summary>
    OpenQuote,

    /// <summary>Behind a value in quotes there is neither a separator nor the end of the line.</summary>
    TextBehindQuote,

    /// <summary>A record has more characters than <see cref="CsvRecords.MostCharacters"/>.</summary>
    TooLong,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>A record that cannot be read. The message is for developers: <see cref="TableReader"/> has that for users.</summary>
/// <param name="fault">The reason.</param>
/// <param name="field">The value's place in its record, from 0; −1 if it is not known.</param>
/// <param name="cause">The reader's own exception.</param>
internal sealed class CsvFaultException(CsvFault fault, int field, Exception cause) : Exception($"{fault}, field {field}", cause)
{
    public CsvFault Fault { get; } = fault;

    public int Field { get; } = field;
}

/// <summary>
/// The records of separated values. The only place that knows the library which reads them: its exceptions leave as <see cref="CsvFaultException"/>.
/// </summary>
internal sealed class CsvRecords : IDisposable
{
    /// <summary>The characters that a record may have.</summary>
    public const int MostCharacters = 1 << 24;

    private readonly CsvDataReader _csv;

    /// <param name="text">The text; it is not disposed.</param>
    /// <param name="separator">What stands between two values.</param>
    /// <param name="quote">How values are quoted.</param>
    public CsvRecords(TextReader text, char separator, QuoteStyle quote) => _csv = Guarded(() => CsvDataReader.Create(new WithoutZeros(text),
        new CsvDataReaderOptions
        {
            HasHeaders = false,
            Delimiter = separator,
            Quote = Sign(quote),
            // A quote inside a value is written twice.
            Escape = Sign(quote),
            // A row may begin with any character: no sign makes it a comment. The library would still drop zeros, hence WithoutZeros.
            Comment = '\0',
            MaxBufferSize = MostCharacters,
            OwnsReader = false,
        }));

    /// <summary>The number of values in the present record.</summary>
    public int Count => _csv.RowFieldCount;

    public bool Read() => Guarded(_csv.Read);

    /// <summary>A value of the present record, as it stands there.</summary>
    public string Text(int field)
    {
        try
        {
            return _csv.GetString(field);
        }
        catch (Exception failure) when (IsOwn(failure))
        {
            throw Fault(failure);
        }
    }

    /// <summary>Whether a value begins with a quote that blanks precede.</summary>
    public bool IsPadded(int field, char quote)
    {
        try
        {
            return _csv.GetFieldSpan(field) is [' ', ..] value && value.TrimStart(' ') is [var first, ..] && first == quote;
        }
        catch (Exception failure) when (IsOwn(failure))
        {
            throw Fault(failure);
        }
    }

    public void Dispose() => _csv.Dispose();

    private static char Sign(QuoteStyle quote) => quote switch
    {
        QuoteStyle.Double => '"',
        QuoteStyle.Single => '\'',
        _ => '\0',
    };

    private static T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (IsOwn(failure))
        {
            throw Fault(failure);
        }
    }

    /// <summary>Whether a failure is the library's own, and not one of the file or of memory.</summary>
    private static bool IsOwn(Exception failure) =>
        failure is not (IOException or InvalidDataException or DecoderFallbackException or OutOfMemoryException or UnauthorizedAccessException);

    private static CsvFaultException Fault(Exception failure) => new(failure switch
    {
        CsvRecordTooLargeException => CsvFault.TooLong,
        CsvInvalidCharacterException when failure.Message.Contains("end of the input", StringComparison.Ordinal) => CsvFault.OpenQuote,
        CsvInvalidCharacterException => CsvFault.TextBehindQuote,
        _ => CsvFault.Other,
    }, (failure as CsvFormatException)?.FieldOrdinal ?? -1, failure);

    /// <summary>
    /// A text whose zeros are another control character: the library takes zero for "no character" and would drop it, and any row that begins with
    /// it.
    /// No value may have the other one either.
    /// </summary>
    private sealed class WithoutZeros(TextReader text) : TextReader
    {
        public override int Peek() => Replaced(text.Peek());

        public override int Read() => Replaced(text.Read());

        public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

        public override int Read(Span<char> buffer)
        {
            int length = text.Read(buffer);
            buffer[..length].Replace('\0', TableText.Zero);
            return length;
        }

        public override int ReadBlock(char[] buffer, int index, int count) => ReadBlock(buffer.AsSpan(index, count));

        public override int ReadBlock(Span<char> buffer)
        {
            int length = text.ReadBlock(buffer);
            buffer[..length].Replace('\0', TableText.Zero);
            return length;
        }

        private static int Replaced(int character) => character == 0 ? TableText.Zero : character;
    }
}
