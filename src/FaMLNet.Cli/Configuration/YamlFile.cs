using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FaMLNet.Cli.Configuration;

/// <summary>A YAML file as JSON, which schemas are written for, with the place in the file of everything in it.</summary>
internal sealed class YamlFile
{
    private readonly Dictionary<string, Mark> _marks = [];

    private YamlFile(string path, JsonObject root)
    {
        Path = path;
        Root = root;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What it says.</summary>
    public JsonObject Root { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    /// <exception cref="FormatException">It is not YAML, or no mapping of keys to values; the message names line and column.</exception>
    public static YamlFile Read(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"The configuration '{path}' is not there. Give the path of a YAML file.", path);
        YamlStream stream = new();
        try
        {
            using StreamReader reader = new(path);
            stream.Load(reader);
        }
        catch (YamlException failure)
        {
            throw Error(path, failure.Start, Explain(failure.Message), failure);
        }
        catch (Exception failure) when (failure is InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"{path}: it is not YAML. A bracket, brace or quote may not be closed.", failure);
        }
        if (stream.Documents.Count == 0)
            throw new FormatException($"{path}: it is empty. Expected keys such as experiment, data, model and training.");
        if (stream.Documents.Count > 1)
            throw Error(path, stream.Documents[1].RootNode.Start, "a second document begins here ('---'). Give each experiment a file of its own.");
        if (stream.Documents[0].RootNode is not YamlMappingNode mapping)
            throw Error(path, stream.Documents[0].RootNode.Start,
                "expected keys with values, such as 'experiment:'; found a list or a single value.");
        JsonObject root = [];
        YamlFile file = new(path, root);
        file.Fill(root, mapping, "", new HashSet<YamlNode>(ReferenceEqualityComparer.Instance));
        return file.With(root, new Dictionary<string, string>());
    }

    /// <summary>The same file with other contents: places that both have stay where they are.</summary>
    /// <param name="root">The contents.</param>
    /// <param name="origins">For what has come from elsewhere in the file: the place that it has here, and where it came from.</param>
    public YamlFile With(JsonObject root, IReadOnlyDictionary<string, string> origins)
    {
        // Parsed once more: a number then is one, whatever type it is asked for as.
        YamlFile file = new(Path, (JsonObject)JsonNode.Parse(root.ToJsonString())!);
        foreach ((string pointer, Mark mark) in _marks)
            file._marks[pointer] = mark;
        foreach ((string pointer, string origin) in origins)
        {
            if (_marks.TryGetValue(origin, out Mark mark))
                file._marks[pointer] = mark;
        }
        return file;
    }

    /// <summary>An error at a place of the file.</summary>
    /// <param name="pointer">The place as a JSON pointer, for example <c>/model/mode</c>.</param>
    /// <param name="message">What is wrong there, and the cure.</param>
    public FormatException Error(string pointer, string message)
    {
        string known = pointer;
        while (known.Length > 0 && !_marks.ContainsKey(known))
            known = known[..known.LastIndexOf('/')];
        return _marks.TryGetValue(known, out Mark mark) ? Error(Path, mark, message) : new FormatException($"{Path}: {message}");
    }

    private static FormatException Error(string path, in Mark mark, string message, Exception? inner = null) =>
        new($"{path}, line {mark.Line}, column {mark.Column}: {message}", inner);

    private static string Explain(string message) =>
        message.Contains("tab", StringComparison.OrdinalIgnoreCase) ? "a tab cannot indent in YAML. Use spaces."
        : message.StartsWith("Duplicate key ", StringComparison.Ordinal)
            ? $"the key '{message["Duplicate key ".Length..]}' is given twice. Keep one of the two."
        : $"{message.TrimEnd('.')}. Check indentation, quotes and brackets here and in the line before.";

    private void Fill(JsonObject target, YamlMappingNode mapping, string pointer, HashSet<YamlNode> above)
    {
        if (!above.Add(mapping))
            throw Error(Path, mapping.Start, "an alias (*) contains itself. Write the values out.");
        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            if (keyNode is not YamlScalarNode { Value: { } key })
                throw Error(Path, keyNode.Start, "a key must be a single word.");
            string place = $"{pointer}/{key}";
            _marks[place] = keyNode.Start;
            target[key] = Convert(value, place, above);
        }
        above.Remove(mapping);
    }

    private JsonNode? Convert(YamlNode node, string pointer, HashSet<YamlNode> above)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                JsonObject target = [];
                Fill(target, mapping, pointer, above);
                return target;
            case YamlSequenceNode sequence:
                JsonArray list = [];
                if (!above.Add(sequence))
                    throw Error(Path, sequence.Start, "an alias (*) contains itself. Write the values out.");
                foreach (YamlNode item in sequence.Children)
                {
                    string place = $"{pointer}/{list.Count}";
                    _marks[place] = item.Start;
                    list.Add(Convert(item, place, above));
                }
                above.Remove(sequence);
                return list;
            case YamlScalarNode { Style: ScalarStyle.Plain } scalar:
                return Scalar(scalar.Value ?? "");
            case YamlScalarNode scalar:
                return JsonValue.Create(scalar.Value);
            default:
                throw Error(Path, node.Start, "this kind of value is not known. Write it out.");
        }
    }

    /// <summary>A plain value, as YAML 1.2's core schema has it: null, true, false, a number, or else a text.</summary>
    internal static JsonValue? Scalar(string text)
    {
        if (text is "" or "~" or "null" or "Null" or "NULL")
            return null;
        if (text is "true" or "True" or "TRUE")
            return JsonValue.Create(true);
        if (text is "false" or "False" or "FALSE")
            return JsonValue.Create(false);
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole))
            return JsonValue.Create(whole);
        const NumberStyles number = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(text, number, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? JsonValue.Create(value) : JsonValue.Create(text);
    }
}
