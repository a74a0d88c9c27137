using System.Globalization;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Naming;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FaMLNet.Cli.Configuration;

/// <summary>A YAML file as JSON, which schemas are written for, with the place in the file of everything in it.</summary>
internal sealed class YamlFile
{
    /// <summary>Keys whose values are paths; in them <c>~</c> and variables are expanded.</summary>
    private static readonly string[] Paths = ["/experiment/output_dir", "/data/dataset_path", "/model/checkpoint", "/model/model_checkpoint",
        "/model/pretrained", "/sweep/cells"];

    private readonly Dictionary<string, Mark> _marks = [];
    private readonly Dictionary<string, string> _plain = [];
    private readonly Dictionary<string, string> _options = [];

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

    /// <summary>The same file with values that options override.</summary>
    /// <param name="assignments">Each as <c>training.hyperparameters.epochs=5</c>; the value is read as in the file.</param>
    /// <exception cref="FormatException">One of them is no assignment, or leads through a key that has a value.</exception>
    public YamlFile Override(IReadOnlyList<string> assignments)
    {
        if (assignments.Count == 0)
            return this;
        JsonObject root = (JsonObject)Root.DeepClone();
        Dictionary<string, (JsonNode? Value, string Option)> values = [];
        foreach (string assignment in assignments)
        {
            string option = $"--set {assignment}";
            int equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || assignment[..equals].Split('.').Any(string.IsNullOrWhiteSpace))
            {
                throw new FormatException($"{option}: expected KEY=VALUE with the full key, for example --set training.hyperparameters.epochs=5.");
            }
            string pointer = "/" + assignment[..equals].Trim().Replace('.', '/');
            if (!values.TryAdd(pointer, (Value(option, assignment[(equals + 1)..].Trim()), option)))
                throw new FormatException($"{option}: the key is set twice. Keep one of the two.");
        }
        foreach ((string pointer, (JsonNode? value, string option)) in values)
        {
            JsonObject group = root;
            string[] keys = pointer[1..].Split('/');
            foreach (string key in keys[..^1])
            {
                if (group[key] is not JsonObject below)
                {
                    if (group[key] is not null)
                        throw new FormatException($"{option}: leads through '{key}', which has a value in '{Path}', not keys.");
                    group[key] = below = [];
                }
                group = below;
            }
            group[keys[^1]] = value;
        }
        YamlFile file = With(root, new Dictionary<string, string>());
        foreach ((string pointer, (_, string option)) in values)
        {
            file._options[pointer] = option;
            foreach (string known in file._marks.Keys.Where(place => place == pointer || place.StartsWith(pointer + "/", StringComparison.Ordinal))
                .ToArray())
            {
                file._marks.Remove(known);
                file._plain.Remove(known);
            }
        }
        return file;
    }

    /// <summary>A value's text where it stands without quotes, as in the file; null elsewhere.</summary>
    public string? PlainText(string pointer) => _plain.GetValueOrDefault(pointer);

    private static JsonNode? Value(string option, string text)
    {
        try
        {
            YamlStream stream = new();
            stream.Load(new StringReader(text));
            return stream.Documents.Count == 0 ? null
                : new YamlFile(option, []).Convert(stream.Documents[0].RootNode, "", new HashSet<YamlNode>(ReferenceEqualityComparer.Instance));
        }
        catch (YamlException failure)
        {
            throw new FormatException($"{option}: the value cannot be read: {Explain(failure.Message)} Put it in quotes, or write a list as "
                + "[1, 2].", failure);
        }
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
        foreach ((string pointer, string text) in _plain)
            file._plain[pointer] = text;
        foreach ((string pointer, string option) in _options)
            file._options[pointer] = option;
        foreach ((string pointer, string origin) in origins)
        {
            file._options.Remove(pointer);
            file._plain.Remove(pointer);
            if (_plain.TryGetValue(origin, out string? text))
                file._plain[pointer] = text;
            if (_marks.TryGetValue(origin, out Mark mark))
                file._marks[pointer] = mark;
        }
        file.ExpandPaths();
        return file;
    }

    private void ExpandPaths()
    {
        foreach (string pointer in Paths)
        {
            string[] keys = pointer[1..].Split('/');
            if (Root[keys[0]] is not JsonObject group || group[keys[1]] is not JsonValue value || !value.TryGetValue(out string? path))
                continue;
            try
            {
                group[keys[1]] = Places.ExpandInFile(path);
            }
            catch (FormatException failure)
            {
                throw Error(pointer, $"{keys[0]}.{keys[1]}: {failure.Message}");
            }
        }
    }

    /// <summary>An error at a place of the file.</summary>
    /// <param name="pointer">The place as a JSON pointer, for example <c>/model/mode</c>.</param>
    /// <param name="message">What is wrong there, and the cure.</param>
    public FormatException Error(string pointer, string message)
    {
        string known = pointer;
        while (known.Length > 0 && !_marks.ContainsKey(known) && !_options.ContainsKey(known))
            known = known[..known.LastIndexOf('/')];
        if (_options.TryGetValue(known, out string? option))
            return new FormatException($"{Path}, with {option}: {message}");
        // A group that an option has added below a place of the file.
        if (_options.FirstOrDefault(set => set.Key.StartsWith(pointer + "/", StringComparison.Ordinal)).Value is { } below
            && known != pointer)
            return new FormatException($"{Path}, with {below}: {message}");
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
                _plain[pointer] = scalar.Value ?? "";
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
