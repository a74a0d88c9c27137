namespace FaMLNet.Cli.Tables;

/// <summary>Texts that differ by case or blanks alone: to the tool they are two, to people mostly one.</summary>
internal static class AlikeTexts
{
    /// <summary>Alike texts have the same one.</summary>
    public static string Key(string text) => WithoutBlanks(text).ToUpperInvariant();

    /// <summary>Of texts that are not known, the first ones that are like a known one, each with how it differs.</summary>
    /// <param name="texts">They are not known.</param>
    /// <param name="known">The known ones.</param>
    /// <param name="noun">How a known one is called.</param>
    /// <returns>A sentence; empty where none is like a known one.</returns>
    public static string Describe(IEnumerable<string> texts, IReadOnlyCollection<string> known, string noun)
    {
        const int most = 3;
        ILookup<string, string> byKey = known.ToLookup(Key, StringComparer.Ordinal);
        string[] found = [.. texts.Select(text => byKey[Key(text)].FirstOrDefault() is { } like
            ? $"'{text}' differs from the {noun} '{like}' by {Difference(text, like)} alone" : null).OfType<string>().Take(most + 1)];
        return found.Length == 0 ? "" : $"{string.Join(", ", found.Take(most))}{(found.Length > most ? ", …" : "")}.";
    }

    private static string Difference(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase) ? "case"
        : WithoutBlanks(one) == WithoutBlanks(other) ? "blanks" : "case and blanks";

    private static string WithoutBlanks(string text) => string.Concat(text.Where(character => !char.IsWhiteSpace(character)));
}
