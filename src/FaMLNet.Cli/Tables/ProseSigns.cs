namespace FaMLNet.Cli.Tables;

/// <summary>
/// Tells a column of sentences from one of categories or names: at least 20 different values, more than half of all, of at least 20 characters on
/// average, and at least three blanks in them, or mostly letters of a script that may do without.
/// </summary>
internal sealed class ProseSigns
{
    private const int LeastValues = 20, LeastLength = 20, LeastBlanks = 3;

    private readonly HashSet<string> _different = new(StringComparer.Ordinal);
    private long _values, _characters, _blanks, _otherLetters;

    /// <summary>Looks at a value.</summary>
    public void Look(string text)
    {
        _different.Add(text);
        _values++;
        _characters += text.Length;
        foreach (char character in text)
        {
            _blanks += char.IsWhiteSpace(character) ? 1 : 0;
            // From the Thai script on: Lao, Khmer, Chinese and Japanese write without blanks, too.
            _otherLetters += character >= '\u0E00' && char.IsLetter(character) ? 1 : 0;
        }
    }

    public bool Decide() => _different.Count >= LeastValues && 2 * _different.Count > _values
        && (_characters >= LeastLength * _values && _blanks >= LeastBlanks * _values || 2 * _otherLetters > _characters);
}
