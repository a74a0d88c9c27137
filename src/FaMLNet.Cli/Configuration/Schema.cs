using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace FaMLNet.Cli.Configuration;

/// <summary>The schema of configurations: what keys there are and what values they take.</summary>
internal static class Schema
{
    private const string Resource = "FaMLNet.Cli.experiment.schema.json";
    private static readonly Lazy<(string Text, JsonObject Root, JsonSchema Schema)> Loaded = new(Load);

    /// <summary>The schema as it ships.</summary>
    public static string Text => Loaded.Value.Text;

    /// <summary>Refuses a file that does not keep to the schema, by the first place where it does not.</summary>
    /// <exception cref="FormatException">The message names file, line, column, what was expected and what was found.</exception>
    public static void Check(YamlFile file)
    {
        EvaluationResults results;
        using (JsonDocument document = JsonDocument.Parse(file.Root.ToJsonString()))
            results = Loaded.Value.Schema.Evaluate(document.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
        if (results.IsValid)
            return;
        // The deepest place says most; keys that nobody knows come before values, since a misspelt key is also missing.
        Fault first = Faults(results).OrderBy(fault => fault.IsUnknownKey ? 0 : fault.LacksKeys ? 2 : 1)
            .ThenByDescending(fault => fault.Pointer.Count(letter => letter == '/')).First();
        throw file.Error(first.Pointer, first.IsUnknownKey ? UnknownKey(file, first) : Wrong(file, first));
    }

    /// <summary>Something that does not keep to the schema.</summary>
    /// <param name="Pointer">Where in the file.</param>
    /// <param name="SchemaPath">By which part of the schema.</param>
    /// <param name="LacksKeys">Whether keys are missing.</param>
    private sealed record Fault(string Pointer, string SchemaPath, bool LacksKeys)
    {
        private const string Others = "/additionalProperties";

        public bool IsUnknownKey => SchemaPath.EndsWith(Others, StringComparison.Ordinal);

        /// <summary>The part of the schema that knows the keys beside an unknown one.</summary>
        public string Parent => SchemaPath[..^Others.Length];
    }

    /// <summary>What is wrong; of alternatives none of which holds, the choice between them.</summary>
    private static List<Fault> Faults(EvaluationResults results)
    {
        const string choice = "/anyOf/";
        EvaluationResults[] details = [.. results.Details ?? []];
        HashSet<(string, string)> failing = [.. details.Where(detail => !detail.IsValid)
            .Select(detail => (detail.InstanceLocation.ToString(), detail.EvaluationPath.ToString()))];
        List<Fault> faults = [];
        foreach (EvaluationResults detail in details.Where(detail => detail.Errors is { Count: > 0 }))
        {
            string pointer = detail.InstanceLocation.ToString(), path = detail.EvaluationPath.ToString();
            int branch = path.IndexOf(choice, StringComparison.Ordinal);
            if (branch < 0)
                faults.Add(new Fault(pointer, path, detail.Errors!.ContainsKey("required")));
            else if (failing.Contains((pointer, path[..branch])))
                faults.Add(new Fault(pointer, path[..branch], LacksKeys: false));
        }
        return faults;
    }

    private static string UnknownKey(YamlFile file, Fault fault)
    {
        string pointer = fault.Pointer, key = pointer[(pointer.LastIndexOf('/') + 1)..], parent = pointer[..pointer.LastIndexOf('/')];
        JsonObject schema = At(fault.Parent);
        string[] known = [.. (schema["properties"] as JsonObject ?? []).Select(pair => pair.Key)];
        string? near = Nearest(key, known);
        string cure = near != null && !Has(file, $"{parent}/{near}") ? $"Did you mean '{near}'?" : $"Known are {string.Join(", ", known)}.";
        return $"the key '{Dotted(pointer)}' is not known. {cure}";
    }

    private static string Wrong(YamlFile file, Fault fault)
    {
        JsonObject schema = At(fault.SchemaPath);
        string pointer = fault.Pointer, name = pointer.Length == 0 ? "the file" : Dotted(pointer), found = Show(Get(file, pointer));
        if (fault.LacksKeys && schema["required"] is JsonArray required)
        {
            string[] missing = [.. required.Select(key => key!.GetValue<string>()).Where(key => !Has(file, $"{pointer}/{key}"))];
            return $"{name} lacks {string.Join(" and ", missing.Select(key => $"'{key}'"))}. "
                + string.Join(" ", missing.Select(key => $"{key}: {Expected(schema["properties"]?[key] as JsonObject ?? [])}."));
        }
        string? near = schema["enum"] is JsonArray options && Get(file, pointer) is JsonValue value && value.TryGetValue(out string? text)
            ? Nearest(text, [.. options.OfType<JsonNode>().Select(option => option.ToString())]) : null;
        if (TakesText(schema) && NotText(file, pointer) is { } plain)
            return $"{name} must be {Expected(schema)}; found {plain.Kind}, {plain.Text}. If it is meant as a text, write it in quotes: "
                + $"\"{plain.Text}\".";
        return $"{name} must be {Expected(schema)}; found {found}.{(near == null ? "" : $" Did you mean '{near}'?")}";
    }

    private static bool TakesText(JsonObject schema) => schema["type"] switch
    {
        JsonValue type => type.GetValue<string>() == "string",
        JsonArray types => types.Any(type => type!.GetValue<string>() == "string"),
        null => schema["anyOf"] is JsonArray choices && choices.OfType<JsonObject>().Any(TakesText),
        _ => false,
    };

    /// <summary>A value that YAML reads as a number, as true, false or as null since it stands without quotes, as it is written.</summary>
    private static (string Kind, string Text)? NotText(YamlFile file, string pointer) => file.PlainText(pointer) is not { Length: > 0 } text ? null
        : Get(file, pointer) switch
        {
            null => ("null", text),
            JsonValue value when value.GetValueKind() == JsonValueKind.Number => ("a number", text),
            JsonValue value when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => ("true or false", text),
            _ => null,
        };

    /// <summary>What a schema wants, in words: its own description where it has one.</summary>
    private static string Expected(JsonObject schema)
    {
        if (schema["$ref"]?.GetValue<string>() is { } reference)
            schema = At(reference[1..]);
        string limits = (schema["minimum"], schema["exclusiveMinimum"], schema["maximum"], schema["exclusiveMaximum"]) switch
        {
            ({ } low, _, { } high, _) => $" from {low} to {high}",
            ({ } low, _, _, { } high) => $" of at least {low} and below {high}",
            (_, { } low, { } high, _) => $" above {low} and at most {high}",
            (_, { } low, _, _) => $" above {low}",
            ({ } low, _, _, _) => $" of at least {low}",
            (_, _, { } high, _) => $" of at most {high}",
            _ => "",
        };
        if (schema["enum"] is JsonArray options)
            return $"one of {string.Join(", ", options.Select(option => option?.ToString() ?? "null"))}";
        if (schema["description"]?.GetValue<string>() is { } description && schema["type"]?.ToString() is null or "object" or "array")
            return description.TrimEnd('.');
        return schema["type"] switch
        {
            JsonValue type => Kind(type.GetValue<string>()) + limits,
            JsonArray types => string.Join(" or ", types.Select(type => Kind(type!.GetValue<string>()))) + limits,
            _ => "as the schema says",
        };
    }

    private static string Kind(string type) => type switch
    {
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a group of keys",
        _ => "nothing (null)",
    };

    private static string Show(JsonNode? node) => node switch
    {
        null => "nothing",
        JsonArray => "a list",
        JsonObject => "a group of keys",
        JsonValue value when value.TryGetValue(out string? text) => $"the text '{text}'",
        _ => node.ToJsonString(),
    };

    private static bool Has(YamlFile file, string pointer)
    {
        int slash = pointer.LastIndexOf('/');
        return Get(file, pointer[..slash]) is JsonObject parent && parent.ContainsKey(pointer[(slash + 1)..]);
    }

    private static JsonNode? Get(YamlFile file, string pointer) => Walk(file.Root, pointer);

    /// <summary>The part of the schema that an evaluation has come to, references followed.</summary>
    private static JsonObject At(string pointer) => Walk(Loaded.Value.Root, pointer) as JsonObject ?? [];

    private static JsonNode? Walk(JsonNode? node, string pointer)
    {
        foreach (string part in pointer.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            node = node switch
            {
                JsonObject group when part == "$ref" => At(group["$ref"]!.GetValue<string>()[1..]),
                JsonObject group => group[part],
                JsonArray list when int.TryParse(part, out int index) && index < list.Count => list[index],
                _ => null,
            };
        }
        return node;
    }

    private static string Dotted(string pointer) => pointer.TrimStart('/').Replace('/', '.');

    /// <summary>What was likely meant, if anything is near enough.</summary>
    internal static string? Nearest(string text, IReadOnlyList<string> known) => known
        .Select(candidate => (candidate, distance: Distance(text.ToLowerInvariant(), candidate.ToLowerInvariant())))
        .Where(pair => pair.distance <= Math.Max(1, Math.Min(3, pair.candidate.Length / 2))).OrderBy(pair => pair.distance)
        .Select(pair => pair.candidate).FirstOrDefault();

    /// <summary>Insertions, deletions and replacements that lead from one text to another (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[b.Length];
    }

    private static (string, JsonObject, JsonSchema) Load()
    {
        using Stream stream = typeof(Schema).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is not in the assembly.");
        using StreamReader reader = new(stream);
        string text = reader.ReadToEnd();
        return (text, (JsonObject)JsonNode.Parse(text)!, JsonSchema.FromText(text));
    }
}
