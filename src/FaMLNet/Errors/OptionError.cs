namespace FaMLNet.Errors;

/// <summary>Errors about what the user has set: their parameter is the option's name, their text the same in every culture.</summary>
internal static class OptionError
{
    /// <summary>An option that does not go with the rest.</summary>
    public static ArgumentException Invalid(string option, InvariantText message) => new(Text(option, message.ToString()), option);

    /// <summary>An argument that does not go with the rest; the message names it.</summary>
    public static ArgumentException Argument(string name, InvariantText message) => new($"Argument {name}: {message.ToString()}", name);

    /// <summary>An option out of its range.</summary>
    public static ArgumentOutOfRangeException OutOfRange(string option, InvariantText message) => new(option, Text(option, message.ToString()));

    private static string Text(string option, string message) => message.StartsWith("must ", StringComparison.Ordinal) ? $"Option {option} {message}"
        : $"Option {option}: {message}";
}
