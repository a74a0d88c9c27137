using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FaMLNet.Cli.Configuration;

/// <summary>Turns YAML into JSON, and notes where in the text everything stands.</summary>
internal sealed class YamlReader
{
    private readonly string _path;
    private readonly Dictionary<string, Mark> _marks = [];
    private readonly Dictionary<string, string> _plain = [];

    private YamlReader(string path) => _path = path;

    /// <summary>What the text says.</summary>
    public JsonObject Root { get; } = [];

    /// <summary>Where things stand, by JSON pointers.</summary>
    public IReadOnlyDictionary<string, Mark> Marks => _marks;

    /// <summary>Values without quotes as they are written, by JSON pointers.</summary>
    public IReadOnlyDictionary<string, string> Plain => _plain;

    /// <summary>Reads a file.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    /// <exception cref="FormatException">It is not YAML, or no mapping of keys to values; the message names line and column.</exception>
    public static YamlReader Read(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"The configuration '{path}' is not there. Give the path of a YAML file.", path);
        YamlStream stream = new();
        try
        {
            using StreamReader text = new(path);
            stream.Load(text);
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
        YamlReader reader = new(path);
        reader.Fill(reader.Root, mapping, "", new HashSet<YamlNode>(ReferenceEqualityComparer.Instance));
        return reader;
    }

    /// <summary>Reads a value that an option gives.</summary>
    /// <param name="option">The option, for errors.</param>
    /// <param name="text">The value.</param>
    /// <exception cref="FormatException">It is not YAML.</exception>
    public static JsonNode? Value(string option, string text)
    {
        try
        {
            YamlStream stream = new();
            stream.Load(new StringReader(text));
            return stream.Documents.Count == 0 ? null
                : new YamlReader(option).Convert(stream.Documents[0].RootNode, "", new HashSet<YamlNode>(ReferenceEqualityComparer.Instance));
        }
        catch (YamlException failure)
        {
            throw new FormatException($"{option}: the value cannot be read: {Explain(failure.Message)} Put it in quotes, or write a list as "
                + "[1, 2].", failure);
        }
    }

    /// <summary>An error at a place of a file.</summary>
    public static FormatException Error(string path, in Mark mark, string message, Exception? inner = null) =>
        new($"{path}, line {mark.Line}, column {mark.Column}: {message}", inner);

    private static string Explain(string message) =>
        message.Contains("tab", StringComparison.OrdinalIgnoreCase) ? "a tab cannot indent in YAML. Use spaces."
        : message.StartsWith("Duplicate key ", StringComparison.Ordinal)
            ? $"the key '{message["Duplicate key ".Length..]}' is given twice. Keep one of the two."
        : $"{message.TrimEnd('.')}. Check indentation, quotes and brackets here and in the line before.";

    private void Fill(JsonObject target, YamlMappingNode mapping, string pointer, HashSet<YamlNode> above)
    {
        if (!above.Add(mapping))
            throw Error(_path, mapping.Start, "an alias (*) contains itself. Write the values out.");
        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            if (keyNode is not YamlScalarNode { Value: { } key })
                throw Error(_path, keyNode.Start, "a key must be a single word.");
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
                    throw Error(_path, sequence.Start, "an alias (*) contains itself. Write the values out.");
                foreach (YamlNode item in sequence.Children)
                {
                    string place = $"{pointer}/{list.Count}";
                    _marks[place] = item.Start;
                    list.Add(Convert(item, place, above));
                }
                above.Remove(sequence);
                return list;
            case YamlScalarNode { Style: ScalarStyle.Plain } scalar:
                _plain[pointer] = scalar.Value ?? "";
                return Scalar(scalar.Value ?? "");
            case YamlScalarNode scalar:
                return JsonValue.Create(scalar.Value);
            default:
                throw Error(_path, node.Start, "this kind of value is not known. Write it out.");
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
