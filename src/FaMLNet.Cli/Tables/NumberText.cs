using System.Globalization;
using System.Text.RegularExpressions;

namespace FaMLNet.Cli.Tables;

/// <summary>Numbers as tables write them: with a decimal point or comma, with thousands separated, with a currency or per cent sign.</summary>
internal static partial class NumberText
{
    /// <summary>Signs between thousands, beside point and comma.</summary>
    private const string Blanks = " '’\u00A0\u202F\u2009";

    /// <summary>Numbers of so many digits are different in double precision if their digits are.</summary>
    private const int ExactDigits = 15;

    private static readonly string[] Currencies = ["USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "SEK", "NOK", "DKK", "PLN", "CZK",
        "BRL"];

    /// <summary>What a column of numbers has for a value that is not known.</summary>
    private static readonly HashSet<string> Missing = new(StringComparer.OrdinalIgnoreCase)
    {
        "", "?", "NA", "NaN", "NULL", "None", "nil", "N/A", "#N/A", "<NA>", "n.a.", "n. a.", "-", "--", "–", "—", ".", "..", "missing", "#VALUE!",
        "#DIV/0!", "#REF!", "#NUM!", "#NULL!", "#NAME?",
    };

    /// <summary>The words that stand for a number that is not known.</summary>
    public static IReadOnlyList<string> MissingWords { get; } = [.. Missing.Where(word => word.Length > 0)];

    /// <summary>Whether a text stands for a number that is not known.</summary>
    public static bool IsMissing(string text) => Missing.Contains(text);

    /// <summary>Reads a number.</summary>
    /// <param name="text">As the table writes it, without blanks around it.</param>
    /// <param name="hasDecimalComma">Whether 1,5 is one and a half and 1.500 fifteen hundred, else the other way round.</param>
    /// <param name="value">The number; of 5 % it is 5.</param>
    /// <returns>Whether the text is a finite number.</returns>
    public static bool TryParse(string text, bool hasDecimalComma, out double value)
    {
        value = double.NaN;
        if (text.Length == 0 || text.Length > 60)
            return false;
        // Most numbers are plain.
        bool isPlain = char.IsAsciiDigit(text[^1]) && !text.Contains(',', StringComparison.Ordinal);
        if (isPlain && (!hasDecimalComma || !text.Contains('.', StringComparison.Ordinal))
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
            return double.IsFinite(value);
        string digits = Undecorated(text, out bool isNegative);
        char point = hasDecimalComma ? ',' : '.';
        if (digits.AsSpan().ContainsAny((hasDecimalComma ? "." : ",") + Blanks))
        {
            if (!(hasDecimalComma ? GroupedByPoints() : GroupedByCommas()).IsMatch(digits))
                return false;
            digits = string.Concat(digits.Where(character => char.IsAsciiDigit(character) || character == point || character is '-' or '+'));
        }
        if (hasDecimalComma)
            digits = digits.Replace(',', '.');
        if (digits.Length == 0 || !digits.Any(char.IsAsciiDigit) || char.IsAsciiLetter(digits[0])
            || !double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out value) || !double.IsFinite(value))
        {
            value = double.NaN;
            return false;
        }
        value = isNegative ? -value : value;
        return true;
    }

    /// <summary>Whether a number has a per cent sign.</summary>
    public static bool IsPercent(string text) => text.EndsWith('%');

    /// <summary>Whether a number has separators between its thousands, or a currency: what is good to say.</summary>
    public static bool IsDecorated(string text, bool hasDecimalComma) =>
        text.AsSpan().ContainsAny((hasDecimalComma ? "." : ",") + Blanks + "$€£¥%(") || text.Any(char.IsUpper) && !text.Contains('E',
            StringComparison.Ordinal);

    /// <summary>The currency of a number, a sign or a code; null for none.</summary>
    public static string? CurrencyOf(string text) => text.Length == 0 || char.IsAsciiDigit(text[0]) && char.IsAsciiDigit(text[^1]) ? null
        : text.FirstOrDefault(IsCurrencySign) is var sign and not '\0' ? sign.ToString()
        : Currencies.FirstOrDefault(code => text.Contains(code, StringComparison.Ordinal));

    /// <summary>The name of the class that a number stands for: of 1 and 1.0 the same.</summary>
    /// <returns>The text itself where it is no number, or has more digits than double precision tells apart, as long identifiers have.</returns>
    public static string ClassOf(string text, bool hasDecimalComma) =>
        text.Count(char.IsAsciiDigit) <= ExactDigits && TryParse(text, hasDecimalComma, out double value) ? Canonical(value) : text;

    /// <summary>A number as the name of a class: 1 and 1.0 are the same.</summary>
    public static string Canonical(double value) => (value == 0 ? 0 : value).ToString("R", CultureInfo.InvariantCulture);

    /// <summary>The digits of a number without a currency, a per cent sign and the brackets of bookkeepers.</summary>
    private static string Undecorated(string text, out bool isNegative)
    {
        isNegative = text is ['(', .., ')'];
        if (isNegative)
            text = text[1..^1].Trim();
        string sign = "";
        for (bool again = true; again && text.Length > 0;)
        {
            again = false;
            if (text[0] is '-' or '+' or '\u2212' && sign.Length == 0 && text.Length > 1 && !char.IsAsciiDigit(text[1])
                && text[1] is not ('.' or ','))
                (sign, text, again) = (text[0] == '+' ? "+" : "-", text[1..].TrimStart(), true);
            else if (IsCurrencySign(text[0]))
                (text, again) = (text[1..].TrimStart(), true);
            else if (IsCurrencySign(text[^1]) || text[^1] == '%')
                (text, again) = (text[..^1].TrimEnd(), true);
            else if (Currencies.FirstOrDefault(code => text.StartsWith(code, StringComparison.Ordinal)) is { } before)
                (text, again) = (text[before.Length..].TrimStart(), true);
            else if (Currencies.FirstOrDefault(code => text.EndsWith(code, StringComparison.Ordinal)) is { } behind)
                (text, again) = (text[..^behind.Length].TrimEnd(), true);
        }
        return sign + text.Replace('\u2212', '-');
    }

    private static bool IsCurrencySign(char character) => char.GetUnicodeCategory(character) == UnicodeCategory.CurrencySymbol;

    [GeneratedRegex(@"^[-+]?[1-9]\d{0,2}(?:(?:,\d{3})+|(?:,\d{2})+,\d{3}|(?:[ '’\u00A0\u202F\u2009]\d{3})+)(?:\.\d*)?$",
        RegexOptions.CultureInvariant)]
    private static partial Regex GroupedByCommas();

    [GeneratedRegex(@"^[-+]?[1-9]\d{0,2}(?:(?:\.\d{3})+|(?:[ '’\u00A0\u202F\u2009]\d{3})+)(?:,\d*)?$", RegexOptions.CultureInvariant)]
    private static partial Regex GroupedByPoints();
}
