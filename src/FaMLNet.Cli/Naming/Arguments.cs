using System.Globalization;
using System.Reflection;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Naming;

/// <summary>
/// The command line, checked before anything is done: a command, option or argument that is not known is an error that names the nearest one.
/// </summary>
internal static class Arguments
{
    /// <summary>What stands for standard input or output in place of a file.</summary>
    public const string Standard = "-";

    /// <summary>The same as the parser takes it, which knows no <c>-</c>.</summary>
    public const string StandardInput = "/dev/stdin";

    /// <summary>An option of a command.</summary>
    /// <param name="Names">As users type it, with its dashes.</param>
    /// <param name="Value">The name of its value; null for an option that has none.</param>
    /// <param name="MayRepeat">Whether it may be given more than once.</param>
    /// <param name="Type">What its value becomes.</param>
    private sealed record Option(IReadOnlyList<string> Names, string? Value, bool MayRepeat, Type Type);

    /// <summary>Checks a command line, and writes it as the parser understands it.</summary>
    /// <param name="arguments">As the user typed them.</param>
    /// <param name="commands">The commands by their names.</param>
    /// <returns>
    /// The same, with <c>--option=value</c> where a value begins with a dash, and with <c>~</c>, <c>$HOME</c> and <c>-</c> as paths.
    /// </returns>
    /// <exception cref="FormatException">The command line has a mistake.</exception>
    public static string[] Check(string[] arguments, IReadOnlyDictionary<string, Type> commands)
    {
        if (arguments.Length == 0 || arguments[0] is "-h" or "--help" or "--version")
            return arguments;
        string name = arguments[0];
        if (!commands.TryGetValue(name, out Type? command))
            throw new FormatException($"famlnet has no command '{name}'.{Nearest(name, commands.Keys)} 'famlnet --help' lists the commands.");
        PropertyInfo[] properties = SettingsOf(command).GetProperties();
        Option[] options = [.. properties.Select(OptionOf).OfType<Option>(), new(["-h", "--help"], null, true, typeof(bool))];
        (string Name, bool TakesAll)[] positions = [.. properties.Select(property => (property,
            property.GetCustomAttribute<CommandArgumentAttribute>()))
            .Where(pair => pair.Item2 != null).OrderBy(pair => pair.Item2!.Position).Select(pair => (pair.Item2!.ValueName,
                pair.property.PropertyType.IsArray))];
        List<string> checkedArguments = [name];
        HashSet<Option> given = [];
        int position = 0;
        for (int i = 1; i < arguments.Length; i++)
        {
            string text = arguments[i];
            if (text == Standard || !text.StartsWith('-'))
            {
                if (position >= positions.Length)
                    throw new FormatException($"'{text}' is one argument too many: famlnet {name} takes "
                        + (positions.Length == 0 ? "options only."
                            : $"{string.Join(' ', positions.Select(argument => $"<{argument.Name}>"))} and options."));
                if (!positions[position].TakesAll)
                    position++;
                checkedArguments.Add(text == Standard ? StandardInput : Places.Expand(text));
                continue;
            }
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string typed = equals < 0 ? text : text[..equals];
            Option option = options.FirstOrDefault(option => option.Names.Contains(typed)) ?? throw new FormatException(
                $"famlnet {name} has no option '{typed}'.{Nearest(typed, options.SelectMany(option => option.Names))} 'famlnet {name} --help' lists "
                    + "its options.");
            if (!given.Add(option) && !option.MayRepeat)
                throw new FormatException($"{typed} is given twice. Give it once.");
            if (option.Value == null)
            {
                if (equals >= 0)
                    throw new FormatException($"{typed} takes no value; found '{text[(equals + 1)..]}'.");
                checkedArguments.Add(text);
                continue;
            }
            // A value may begin with a dash, but it is no option of the command: that one was forgotten its value.
            string? value = equals >= 0 ? text[(equals + 1)..] : i + 1 < arguments.Length
                && !options.Any(other => other.Names.Contains(arguments[i + 1].Split('=')[0])) ? arguments[++i] : null;
            if (value == null)
                throw new FormatException($"{typed} needs a value: {typed} <{option.Value}>.");
            CheckNumber(typed, value, option.Type);
            checkedArguments.Add($"{option.Names[^1]}={(IsPath(option.Value) ? Places.Expand(value) : value)}");
        }
        return [.. checkedArguments];
    }

    /// <summary>Whether a value names a file or a folder: elsewhere <c>~</c> is a character like others.</summary>
    private static bool IsPath(string value) => value is "FILE" or "FOLDER" or "DATA" or "MODEL";

    /// <summary>A sentence that names the known word most like a mistyped one; empty where none is like it.</summary>
    public static string Nearest(string typed, IEnumerable<string> known)
    {
        (string? word, int distance) = known.Select(word => (word, Distance(typed.Trim('-'), word.Trim('-')))).OrderBy(pair => pair.Item2)
            .ThenBy(pair => pair.word.StartsWith("--", StringComparison.Ordinal) ? 0 : 1).FirstOrDefault();
        return word != null && distance <= Math.Max(2, typed.Length / 3) && distance < word.Trim('-').Length ? $" Did you mean {word}?" : "";
    }

    private static Type SettingsOf(Type command)
    {
        Type? type = command;
        while (type is { IsGenericType: false } or { GenericTypeArguments.Length: 0 })
            type = type.BaseType;
        return type!.GenericTypeArguments[0];
    }

    private static Option? OptionOf(PropertyInfo property) => property.GetCustomAttribute<CommandOptionAttribute>() is not { } attribute ? null
        : new Option([.. attribute.ShortNames.Select(name => "-" + name), .. attribute.LongNames.Select(name => "--" + name)], attribute.ValueName,
            property.PropertyType.IsArray, Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);

    /// <summary>Refuses what is no number for an option that needs one. The parser would name neither the option nor what it expects.</summary>
    private static void CheckNumber(string option, string value, Type type)
    {
        if (type == typeof(int) && !int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
        {
            throw new FormatException(long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
                ? $"{option} must be a whole number from {int.MinValue} to {int.MaxValue}; found {value}."
                : $"{option} must be a whole number; found '{value}'.");
        }
        if ((type == typeof(double) || type == typeof(float))
            && !double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            throw new FormatException($"{option} must be a number, with a point where it has decimals; found '{value}'.");
    }

    /// <summary>Letters to insert, remove or exchange to make one word of another (Levenshtein).</summary>
    private static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = diagonal + (char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
