using System.Buffers;
using System.Globalization;

namespace FaMLNet.Cli.Tables;

/// <summary>What a value of a table cannot hold: control characters, but for tabs, line breaks and form feeds.</summary>
internal static class TableText
{
    /// <summary>What <see cref="CsvRecords"/> puts in place of a zero byte.</summary>
    public const char Zero = '\u0001';

    private static readonly SearchValues<char> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, 32).Append(127).Select(code => (char)code).Where(character => !char.IsWhiteSpace(character))]);

    /// <summary>The first control character of a value; null for none.</summary>
    public static char? ControlIn(string text) => text.AsSpan().IndexOfAny(Controls) is var place and >= 0 ? text[place] : null;

    /// <summary>What was found, and what to do about it.</summary>
    public static string Describe(char control) => control == Zero
        ? "expected text; found a byte of 0 or 1, which no text has. The file is damaged, or it is not in UTF-8. Copy it again, or save it as "
            + "'CSV UTF-8'"
        : $"expected text; found the control character U+{((int)control).ToString("X4", CultureInfo.InvariantCulture)}. Delete it, or save the table "
            + "again as 'CSV UTF-8'; if it separates values, name it with --separator";
}
