using System.Text.Json.Nodes;
using FaMLNet.Cli.Naming;
using YamlDotNet.Core;

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

    private YamlFile(string path, JsonObject root) => (Path, Root) = (path, root);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What it says.</summary>
    public JsonObject Root { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    /// <exception cref="FormatException">It is not YAML, or no mapping of keys to values; the message names line and column.</exception>
    public static YamlFile Read(string path)
    {
        YamlReader reader = YamlReader.Read(path);
        YamlFile file = new(path, reader.Root);
        foreach ((string pointer, Mark mark) in reader.Marks)
            file._marks[pointer] = mark;
        foreach ((string pointer, string text) in reader.Plain)
            file._plain[pointer] = text;
        return file.With(reader.Root, new Dictionary<string, string>());
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
            if (!values.TryAdd(pointer, (YamlReader.Value(option, assignment[(equals + 1)..].Trim()), option)))
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
        return _marks.TryGetValue(known, out Mark mark) ? YamlReader.Error(Path, mark, message) : new FormatException($"{Path}: {message}");
    }
}
