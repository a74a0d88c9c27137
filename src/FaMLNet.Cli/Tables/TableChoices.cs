using FaMLNet.Cli.Naming;

namespace FaMLNet.Cli.Tables;

/// <summary>What the user says of a table's columns.</summary>
internal sealed record TableChoices
{
    /// <summary>Columns of numbers.</summary>
    public IReadOnlyList<string> Numbers { get; init; } = [];

    /// <summary>Columns of categories.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Columns of sentences.</summary>
    public IReadOnlyList<string> Texts { get; init; } = [];

    /// <summary>Columns to leave out.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>Values that mean that a value is not known, in every column, the label included.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>The value of a label of two values that counts as true; null to choose.</summary>
    public string? Positive { get; init; }

    /// <summary>Whether numbers have a decimal comma; null to tell it from the columns.</summary>
    public bool? HasDecimalComma { get; init; }

    /// <summary>Whether the user says anything.</summary>
    public bool IsEmpty => All.All(choice => choice.Columns.Count == 0) && Missing.Count == 0 && Positive == null && HasDecimalComma == null;

    private (string Option, IReadOnlyList<string> Columns)[] All =>
        [("--number", Numbers), ("--category", Categories), ("--text", Texts), ("--ignore", Ignored)];

    /// <summary>Checks the names.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="names">Its columns.</param>
    /// <param name="label">The label's.</param>
    /// <exception cref="FormatException">A column is not there, is the label, or is named by two options.</exception>
    public void Check(string path, IReadOnlyList<string> names, string label)
    {
        foreach ((string option, IReadOnlyList<string> columns) in All)
        {
            foreach (string name in columns)
            {
                if (name == label || !names.Contains(name))
                    throw new FormatException($"{option} names the column '{name}', which "
                        + $"{(name == label ? "is the label" : $"'{path}' does not have")}."
                        + $"{Arguments.Nearest(name, names)} Name one of {Shown(names.Where(other => other != label))}.");
                (string Option, IReadOnlyList<string> Columns) other = All.FirstOrDefault(other => other.Option != option
                    && other.Columns.Contains(name));
                if (other.Option != null)
                    throw new FormatException($"Column '{name}' is named by {option} and by {other.Option}. Name it once.");
            }
        }
    }

    /// <summary>Names for a message: the first ones of many.</summary>
    public static string Shown(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length <= 20 ? string.Join(", ", all) : $"{string.Join(", ", all.Take(20))}, … ({all.Length} in all)";
    }

    /// <summary>Column names given as several options or separated by commas.</summary>
    public static string[] Split(IEnumerable<string> values, IReadOnlyCollection<string> names) => [.. values.SelectMany(value
        => names.Contains(value) ? [value]
        : value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
}
