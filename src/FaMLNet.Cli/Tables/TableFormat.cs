namespace FaMLNet.Cli.Tables;

/// <summary>How a table's values are written in quotes.</summary>
internal enum QuoteStyle
{
    /// <summary>In <c>"</c>; a quote inside is written twice.</summary>
    Double,

    /// <summary>In <c>'</c>; a quote inside is written twice.</summary>
    Single,

    /// <summary>Never: quotes are characters like others.</summary>
    None,
}

/// <summary>How a table is laid out, as far as the user says.</summary>
/// <param name="HasHeader">Whether the first line names the columns.</param>
/// <param name="Separator">What stands between two values; null to tell it from the file.</param>
/// <param name="Quote">How values are quoted; null to tell it from the file.</param>
/// <param name="HasDecimalComma">Whether numbers have a decimal comma; null to tell it from the columns.</param>
internal sealed record TableFormat(bool HasHeader = true, char? Separator = null, QuoteStyle? Quote = null, bool? HasDecimalComma = null)
{
    private static readonly Dictionary<string, char> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["comma"] = ',',
        ["semicolon"] = ';',
        ["tab"] = '\t',
        [@"\t"] = '\t',
        ["pipe"] = '|',
        ["space"] = ' ',
    };

    /// <summary>Reads the value of <c>--separator</c>.</summary>
    /// <param name="text">One character, or comma, semicolon, tab, pipe or space; null for no choice.</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public static char? ParseSeparator(string? text) => text == null ? null : Names.TryGetValue(text, out char named) ? named
        : text.Length == 1 && !char.IsLetterOrDigit(text[0]) && text[0] is not ('"' or '\'' or '\r' or '\n' or '\0') ? text[0]
        : throw new FormatException($"--separator must be one character that is no letter, digit or quote, or comma, semicolon, tab, pipe or space; "
            + $"found '{text}'.");

    /// <summary>Reads the value of <c>--quote</c>.</summary>
    /// <param name="text">double, single or none; null for no choice.</param>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static QuoteStyle? ParseQuote(string? text) => text?.ToLowerInvariant() switch
    {
        null => null,
        "double" or "\"" => QuoteStyle.Double,
        "single" or "'" => QuoteStyle.Single,
        "none" => QuoteStyle.None,
        _ => throw new FormatException($"--quote must be double, single or none; found '{text}'."),
    };

    /// <summary>Reads the value of <c>--decimal</c>.</summary>
    /// <param name="text">point or comma; null for no choice.</param>
    /// <returns>Whether numbers have a decimal comma.</returns>
    /// <exception cref="FormatException">It is neither.</exception>
    public static bool? ParseDecimal(string? text) => text?.ToLowerInvariant() switch
    {
        null => null,
        "point" or "." => false,
        "comma" or "," => true,
        _ => throw new FormatException($"--decimal must be point or comma; found '{text}'."),
    };

    /// <summary>The name of a separator in messages.</summary>
    public static string NameOf(char separator) => separator switch
    {
        ',' => "comma",
        ';' => "semicolon",
        '\t' => "tab",
        '|' => "vertical bar",
        ' ' => "space",
        _ => $"'{separator}'",
    };
}
