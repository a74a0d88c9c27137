using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;

namespace FaMLNet.Cli.Sweeps;

/// <summary>A sweep: an experiment, and values for some of its keys.</summary>
internal sealed class SweepFile
{
    private readonly YamlFile _file;
    private readonly JsonObject _sweep;

    private SweepFile(YamlFile file, JsonObject sweep)
    {
        _file = file;
        _sweep = sweep;
    }

    public string Path => _file.Path;

    public string Name => _file.Root["experiment"]!["name"]!.GetValue<string>();

    /// <summary>The folder of everything that the sweep leaves.</summary>
    public string Folder => System.IO.Path.Combine(_file.Root["experiment"]!["output_dir"]?.GetValue<string>() ?? "results", Name);

    /// <summary>Cores of each trial.</summary>
    public int Cores => _sweep["cores"]?.GetValue<int>() ?? 1;

    /// <summary>Trials at a time on this machine.</summary>
    public int Processes => _sweep["processes"]?.GetValue<int>() ?? Math.Max(1, Environment.ProcessorCount / Cores);

    public bool KeepsModels => _sweep["keep_models"]?.GetValue<bool>() ?? true;

    /// <summary>All trials, in the order of the file.</summary>
    public IReadOnlyList<Trial> Trials { get; private set; } = [];

    /// <summary>Reads a sweep.</summary>
    /// <param name="path">The file.</param>
    /// <param name="assignments">What options override, as <c>--set</c> gives it; null for nothing.</param>
    /// <param name="checksTrials">Whether every trial is checked now; else each when its settings are first asked for.</param>
    /// <exception cref="FormatException">Something is wrong; the message names file, line and cure.</exception>
    public static SweepFile Read(string path, IReadOnlyList<string>? assignments = null, bool checksTrials = true)
    {
        YamlFile file = YamlFile.Read(path).Override(assignments ?? []);
        Schema.Check(file);
        if (file.Root["sweep"] is not JsonObject sweep)
            throw new FormatException($"{path}: it has no 'sweep': it is one experiment. Run it with 'famlnet benchmark', or add what to vary.");
        SweepFile result = new(file, sweep);
        result.Trials = result.Expand(checksTrials);
        return result;
    }

    private List<Trial> Expand(bool checksTrials)
    {
        List<Trial> trials = [];
        HashSet<string> names = [];
        foreach (IReadOnlyList<Choice> choices in new SweepAxes(_file, _sweep).Trials())
        {
            JsonObject root = (JsonObject)_file.Root.DeepClone();
            root.Remove("sweep");
            Dictionary<string, string> varied = [], origins = [];
            foreach (Choice choice in choices)
                Set(root, choice, varied, origins);
            Trial trial = new(_file.With(root, origins), varied);
            if (checksTrials)
                _ = trial.Settings;
            if (!names.Add(trial.Name))
            {
                string what = string.Join(", ", varied.Select(pair => $"{pair.Key} {pair.Value}"));
                throw _file.Error("/sweep", $"two trials are the same: {what}. Remove the value or the line that is there twice.");
            }
            trials.Add(trial);
        }
        return trials;
    }

    private void Set(JsonObject root, Choice choice, Dictionary<string, string> varied, Dictionary<string, string> origins)
    {
        (string key, JsonNode? value, string origin) = choice;
        string[] parts = SweepAxes.FullKey(key).Split('.');
        JsonObject group = root;
        string pointer = "";
        foreach (string part in parts[..^1])
        {
            pointer += $"/{part}";
            if (group[part] is not JsonObject below)
            {
                if (group[part] is not null)
                    throw _file.Error(origin, $"'{key}' leads through '{part}', which has a value here, not keys.");
                group[part] = below = [];
                origins[pointer] = origin;
            }
            group = below;
        }
        group[parts[^1]] = value;
        origins[$"{pointer}/{parts[^1]}"] = origin;
        varied[key] = value is null ? "null" : value is JsonValue single && single.TryGetValue(out string? text) ? text : value.ToJsonString();
    }
}
