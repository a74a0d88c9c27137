using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;

namespace FaMLNet.Cli.Sweeps;

/// <summary>One of a sweep's experiments.</summary>
internal sealed class Trial
{
    private const string DatasetPath = "data.dataset_path";

    private readonly YamlFile _file;
    private readonly Lazy<ExperimentSettings> _settings;

    /// <param name="file">All of the experiment.</param>
    /// <param name="varied">What distinguishes it, by the keys of the sweep, as text.</param>
    public Trial(YamlFile file, IReadOnlyDictionary<string, string> varied)
    {
        (_file, Varied) = (file, varied);
        _settings = new Lazy<ExperimentSettings>(() => ExperimentSettings.Read(file));
        Name = NameOf(varied, file.Root);
    }

    /// <summary>Derived from its settings: what varies, and a hash of everything that decides the result.</summary>
    public string Name { get; }

    /// <summary>What distinguishes it, by the keys of the sweep, as text.</summary>
    public IReadOnlyDictionary<string, string> Varied { get; }

    /// <summary>All of it, checked when it is first asked for.</summary>
    /// <exception cref="FormatException">Something is wrong; the message names file, line and cure.</exception>
    public ExperimentSettings Settings => _settings.Value;

    /// <summary>The trial as an experiment of its own, for 'benchmark'.</summary>
    /// <param name="folder">The folder of its files; its last part becomes the name of the experiment.</param>
    /// <param name="sweep">The sweep's file, to be named in the first line.</param>
    /// <returns>JSON, which YAML readers read.</returns>
    public string Configuration(string folder, string sweep)
    {
        JsonObject root = (JsonObject)_file.Root.DeepClone();
        string whole = Path.GetFullPath(folder);
        root["experiment"]!["name"] = Path.GetFileName(whole);
        root["experiment"]!["output_dir"] = Path.GetDirectoryName(whole);
        return $"# A trial of {sweep.ReplaceLineEndings(" ")}\n{root.ToJsonString(new JsonSerializerOptions { WriteIndented = true })}\n";
    }

    /// <summary>What varies, for people, and a hash of all that decides the result, so that no two settings share a name.</summary>
    private static string NameOf(IReadOnlyDictionary<string, string> varied, JsonObject root)
    {
        StringBuilder name = new();
        foreach ((string key, string value) in varied)
        {
            string text = new([.. value.Take(24).Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' ? letter : '-')]);
            name.Append(key == "seed" ? "s" : "").Append(text).Append('_');
        }
        JsonObject decisive = ExperimentSettings.DecisiveOf(root);
        // Where a path varies it tells trials apart. What lies there is in each result's identity.
        if (varied.ContainsKey(DatasetPath))
            decisive["dataset_path"] = root["data"]?["dataset_path"]?.DeepClone();
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(Sorted(decisive).ToJsonString()));
        return $"{(name.Length > 100 ? name.ToString(0, 100) : name)}{Convert.ToHexStringLower(hash)[..10]}";
    }

    /// <summary>The same with keys in one order, whatever the file's.</summary>
    private static JsonNode Sorted(JsonNode node) => node switch
    {
        JsonObject group => new JsonObject(group.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => KeyValuePair.Create(pair.Key, pair.Value == null ? null : Sorted(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(item => item == null ? null : Sorted(item))]),
        _ => node.DeepClone(),
    };
}
