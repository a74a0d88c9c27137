using System.Text.Json.Nodes;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Configuration;

/// <summary>
/// The keys of a configuration's part 'data' that say how a table is read. Each is an option of <c>famlnet train</c> without its dashes, and means
/// the same; <c>--no-header</c> is <c>header: false</c>.
/// </summary>
internal static class TableKeys
{
    private static readonly string[] Options = ["separator", "quote", "decimal", "missing", "number", "category", "text", "ignore", "positive"];

    /// <summary>The first of these keys that a part has; null for none.</summary>
    public static string? NamedIn(JsonNode? data) => Options.Append("header").FirstOrDefault(key => (data as JsonObject)?[key] != null);

    /// <summary>Reads the keys.</summary>
    /// <param name="data">The part 'data'.</param>
    /// <exception cref="FormatException">A value that cannot be; the message names the key.</exception>
    public static (TableFormat Format, TableChoices Choices) Read(JsonNode? data)
    {
        JsonObject keys = data as JsonObject ?? [];
        try
        {
            TableFormat format = new((bool?)keys["header"] ?? true, TableFormat.ParseSeparator((string?)keys["separator"]),
                TableFormat.ParseQuote((string?)keys["quote"]));
            return (format, new TableChoices
            {
                Numbers = Texts(keys["number"]),
                Categories = Texts(keys["category"]),
                Texts = Texts(keys["text"]),
                Ignored = Texts(keys["ignore"]),
                Missing = Texts(keys["missing"]),
                Positive = (string?)keys["positive"],
                HasDecimalComma = TableFormat.ParseDecimal((string?)keys["decimal"]),
            });
        }
        catch (FormatException failure)
        {
            throw new FormatException(AsKeys(failure.Message), failure);
        }
    }

    /// <summary>What a message calls options of the command line, as keys of a configuration.</summary>
    public static string AsKeys(string text)
    {
        text = text.Replace("--no-header", "data.header: false", StringComparison.Ordinal)
            .Replace("--task ", "data.task: ", StringComparison.Ordinal).Replace("data.task: chooses", "data.task chooses", StringComparison.Ordinal)
            .Replace("--label", "data.label", StringComparison.Ordinal).Replace("--quote none", "data.quote: none", StringComparison.Ordinal);
        foreach (string option in Options)
            text = text.Replace($"--{option}", $"data.{option}", StringComparison.Ordinal);
        return text;
    }

    /// <summary>Everything about the reading that decides a result, for records; nothing where the file says nothing.</summary>
    public static JsonObject Decisive(TableFormat format, TableChoices choices)
    {
        JsonObject keys = [];
        if (!format.HasHeader)
            keys["header"] = false;
        if (format.Separator is { } separator)
            keys["separator"] = TableFormat.NameOf(separator);
        if (format.Quote is { } quote)
            keys["quote"] = quote.ToString().ToLowerInvariant();
        if (choices.HasDecimalComma is { } hasComma)
            keys["decimal"] = hasComma ? "comma" : "point";
        if (choices.Positive != null)
            keys["positive"] = choices.Positive;
        foreach ((string key, IReadOnlyList<string> texts) in new[] { ("missing", choices.Missing), ("number", choices.Numbers),
            ("category", choices.Categories), ("text", choices.Texts), ("ignore", choices.Ignored) })
        {
            if (texts.Count > 0)
                keys[key] = string.Join(", ", texts.Order(StringComparer.Ordinal));
        }
        return keys;
    }

    private static string[] Texts(JsonNode? node) => node switch
    {
        null => [],
        JsonArray list => [.. list.Select(text => text!.GetValue<string>())],
        _ => [node.GetValue<string>()],
    };
}
