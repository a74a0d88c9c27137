using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace FaMLNet.Errors;

/// <summary>
/// Text whose numbers look the same in every culture: where a method takes it, an interpolated string is formatted so. Whatever is saved,
/// compared, parsed, logged or thrown goes through here, through <c>string.Create(CultureInfo.InvariantCulture, …)</c> or has no fractions in
/// it; a test reads the library's code for the rest.
/// </summary>
[InterpolatedStringHandler]
internal ref struct InvariantText(int literalLength, int formattedCount)
{
    private DefaultInterpolatedStringHandler _handler = new(literalLength, formattedCount, CultureInfo.InvariantCulture);

    public void AppendLiteral(string value) => _handler.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _handler.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string? format) => _handler.AppendFormatted(value, format);

    public void AppendFormatted(string? value) => _handler.AppendFormatted(value);

    /// <summary>The text; once.</summary>
    public override string ToString() => _handler.ToStringAndClear();

    /// <summary>An interpolated string as text.</summary>
    public static string Of(InvariantText text) => text.ToString();

    /// <summary>What the compiler writes as a record's <c>ToString</c>, which formats by the current culture.</summary>
    /// <param name="name">The record's name.</param>
    /// <param name="printMembers">The record's own <c>PrintMembers</c>.</param>
    public static string OfRecord(string name, Func<StringBuilder, bool> printMembers)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            StringBuilder builder = new();
            builder.Append(name).Append(" { ");
            if (printMembers(builder))
                builder.Append(' ');
            return builder.Append('}').ToString();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
