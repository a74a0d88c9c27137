using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Sweeps;

/// <summary>One of a sweep's experiments.</summary>
/// <param name="Name">Derived from its settings: what varies, and a hash of everything that decides the result.</param>
/// <param name="Varied">What distinguishes it, by the keys of the sweep, as text.</param>
/// <param name="Settings">All of it.</param>
internal sealed record Trial(string Name, IReadOnlyDictionary<string, string> Varied, ExperimentSettings Settings);

/// <summary>A sweep: an experiment, and values for some of its keys.</summary>
internal sealed class SweepFile
{
    public const int MostTrials = 10_000;
    private const string DatasetPath = "data.dataset_path";

    /// <summary>Short names of the keys that sweeps mostly vary.</summary>
    private static readonly Dictionary<string, string> Short = new(StringComparer.Ordinal)
    {
        ["rule"] = "model.mode.type",
        ["network"] = "model.architecture",
        ["dataset"] = "data.dataset",
        ["optimizer"] = "training.optimizer.type",
        ["rate"] = "training.optimizer.lr",
        ["decay"] = "training.optimizer.weight_decay",
        ["momentum"] = "training.optimizer.momentum",
        ["epochs"] = "training.hyperparameters.epochs",
        ["batch"] = "training.hyperparameters.batch_size",
        ["schedule"] = "training.lr_scheduler.type",
        ["init"] = "model.mode.options.init",
        ["constrain"] = "model.mode.options.constrain_weights",
        ["clip"] = "model.mode.options.gradient_clip",
        ["smoothing"] = "model.loss_function.label_smoothing",
        ["seed"] = "experiment.seed",
    };

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

    /// <summary>Reads a sweep and checks every trial of it.</summary>
    /// <exception cref="FormatException">Something is wrong; the message names file, line and cure.</exception>
    /// <param name="path">The file.</param>
    /// <param name="assignments">What options override, as <c>--set</c> gives it; null for nothing.</param>
    public static SweepFile Read(string path, IReadOnlyList<string>? assignments = null)
    {
        YamlFile file = YamlFile.Read(path).Override(assignments ?? []);
        Schema.Check(file);
        if (file.Root["sweep"] is not JsonObject sweep)
            throw new FormatException($"{path}: it has no 'sweep': it is one experiment. Run it with 'famlnet benchmark', or add what to vary.");
        SweepFile result = new(file, sweep);
        result.Trials = result.Expand();
        return result;
    }

    private List<Trial> Expand()
    {
        List<Dimension> dimensions = [.. (_sweep["over"] as JsonObject ?? []).Select(pair => Read(pair.Key, pair.Value))];
        (IReadOnlyList<string> columns, List<string[]> cells) = ReadCells();
        if (dimensions.Count == 0 && columns.Count == 0)
            throw _file.Error("/sweep",
                "the sweep varies nothing: it has no trials. Give 'over' with lists of values, or 'cells' with a table file.");
        if (dimensions.FirstOrDefault(dimension => columns.Contains(dimension.Name)) is { } twice)
            throw _file.Error($"/sweep/over/{twice.Name}", $"'{twice.Name}' is a column of the table of cells as well. Keep one of the two.");
        double product = dimensions.Aggregate((double)Math.Max(1, cells.Count), (count, dimension) => count * dimension.Values.Count);
        if (product > MostTrials)
        {
            throw _file.Error("/sweep",
                $"the sweep has {(long)Math.Min(product, 1e18)} trials; expected at most {MostTrials}. Vary fewer keys, or give fewer values.");
        }
        List<Trial> trials = [];
        HashSet<string> names = [];
        foreach (string[] cell in columns.Count == 0 ? [[]] : cells)
        {
            foreach ((Dimension Dimension, int Index)[] choice in Product(dimensions))
            {
                JsonObject root = (JsonObject)_file.Root.DeepClone();
                root.Remove("sweep");
                Dictionary<string, string> varied = [], origins = [];
                for (int i = 0; i < columns.Count; i++)
                    Set(root, columns[i], YamlFile.Scalar(cell[i]), "/sweep/cells", varied, origins);
                foreach ((Dimension dimension, int index) in choice)
                    Set(root, dimension.Name, dimension.Values[index]?.DeepClone(), $"/sweep/over/{dimension.Name}/{index}", varied, origins);
                ExperimentSettings settings = ExperimentSettings.Read(_file.With(root, origins));
                string name = NameOf(varied, settings);
                if (!names.Add(name))
                {
                    string what = string.Join(", ", varied.Select(pair => $"{pair.Key} {pair.Value}"));
                    throw _file.Error("/sweep", $"two trials are the same: {what}. Remove the value or the line that is there twice.");
                }
                trials.Add(new Trial(name, varied, settings));
            }
        }
        return trials;
    }

    /// <summary>All combinations, the last key fastest.</summary>
    private static IEnumerable<(Dimension, int)[]> Product(IReadOnlyList<Dimension> dimensions)
    {
        int[] index = new int[dimensions.Count];
        while (true)
        {
            yield return [.. dimensions.Select((dimension, i) => (dimension, index[i]))];
            int last = dimensions.Count - 1;
            while (last >= 0 && ++index[last] == dimensions[last].Values.Count)
                index[last--] = 0;
            if (last < 0)
                yield break;
        }
    }

    private Dimension Read(string name, JsonNode? node)
    {
        if (!Short.ContainsKey(name) && !name.Contains('.', StringComparison.Ordinal))
        {
            string? near = Schema.Nearest(name, [.. Short.Keys]);
            string known = $"Known are {string.Join(", ", Short.Keys)}, and full keys such as training.optimizer.nesterov.";
            throw _file.Error($"/sweep/over/{name}", $"'{name}' is no key to vary. {(near == null ? known : $"Did you mean '{near}'?")}");
        }
        return node switch
        {
            JsonArray list when list.Count > 0 => new Dimension(name, [.. list]),
            JsonArray => throw _file.Error($"/sweep/over/{name}", $"'{name}' has no values. Give at least one, or remove the key."),
            JsonObject range => new Dimension(name, Range(name, range)),
            _ => throw _file.Error($"/sweep/over/{name}",
                $"'{name}' must be a list of values, or a range such as {{from: 1e-4, to: 1e-1, points: 4, scale: log}}."),
        };
    }

    private List<JsonNode?> Range(string name, JsonObject range)
    {
        string place = $"/sweep/over/{name}";
        if (range.Select(pair => pair.Key).FirstOrDefault(key => key is not ("from" or "to" or "points" or "scale")) is { } odd)
            throw _file.Error($"{place}/{odd}", $"a range has from, to, points and scale; found '{odd}'.");
        if (Number("from") is not { } from || Number("to") is not { } to || Number("points") is not { } points || points < 2 || points > MostTrials
            || points != Math.Floor(points))
            throw _file.Error(place, $"a range needs 'from' and 'to', two numbers, and 'points', a whole number from 2 to {MostTrials}.");
        string? scale = range["scale"] is JsonValue value && value.TryGetValue(out string? text) ? text : range["scale"] == null ? "linear" : null;
        if (scale is not ("log" or "linear"))
            throw _file.Error($"{place}/scale", "scale must be log or linear.");
        if (scale == "log" && (from <= 0 || to <= 0))
            throw _file.Error(place, "a range on a log scale needs 'from' and 'to' above 0.");
        List<JsonNode?> values = [];
        bool isWhole = scale == "linear" && from == Math.Floor(from) && (to - from) % (points - 1) == 0;
        for (int i = 0; i < points; i++)
        {
            double share = i / (points - 1), number = scale == "log" ? Math.Exp(Math.Log(from) + share * (Math.Log(to) - Math.Log(from)))
                : from + share * (to - from);
            // As people write them: three digits, and the ends exactly; whole numbers at whole distances (seeds) stay what they are.
            number = i == 0 ? from : i == points - 1 ? to : isWhole ? Math.Round(number)
                : double.Parse(number.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            values.Add(number == Math.Floor(number) && Math.Abs(number) < 1e15 ? JsonValue.Create((long)number) : JsonValue.Create(number));
        }
        return values;

        double? Number(string key) => range[key] is JsonValue found && found.TryGetValue(out double number) ? number : null;
    }

    /// <summary>A table file whose columns are keys and whose rows are cells.</summary>
    private (IReadOnlyList<string> Columns, List<string[]> Rows) ReadCells()
    {
        if (_sweep["cells"]?.GetValue<string>() is not { } name)
            return ([], []);
        string path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(_file.Path))!, name);
        if (!File.Exists(path))
            throw _file.Error("/sweep/cells", $"the table '{path}' is not there. Give a CSV file whose columns are keys, beside this file.");
        List<string[]> rows = [];
        TableFile table = TableFile.Open(path, new TableFormat());
        string[] columns = [.. table.Names];
        foreach (string column in columns)
            Read(column, new JsonArray(1));
        using (TableReader reader = table.Read())
        {
            while (reader.Read())
            {
                if (reader.Count != columns.Length)
                    throw new FormatException(
                        $"'{path}', row {reader.Row}: found {reader.Count} values; expected {columns.Length}, as the header has.");
                rows.Add([.. Enumerable.Range(0, columns.Length).Select(reader.Text)]);
            }
        }
        return rows.Count > 0 ? (columns, rows) : throw _file.Error("/sweep/cells", $"the table '{path}' has no rows: the sweep has no trials.");
    }

    private void Set(JsonObject root, string key, JsonNode? value, string origin, Dictionary<string, string> varied,
        Dictionary<string, string> origins)
    {
        string full = Short.GetValueOrDefault(key, key);
        string[] parts = full.Split('.');
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

    /// <summary>What varies, for people, and a hash of all that decides the result, so that no two settings share a name.</summary>
    private static string NameOf(Dictionary<string, string> varied, ExperimentSettings settings)
    {
        StringBuilder name = new();
        foreach ((string key, string value) in varied)
        {
            string text = new([.. value.Take(24).Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' ? letter : '-')]);
            name.Append(key == "seed" ? "s" : "").Append(text).Append('_');
        }
        JsonObject decisive = settings.Decisive;
        // Where a path varies it tells trials apart. What lies there is in each result's identity.
        if (varied.ContainsKey(DatasetPath))
            decisive["dataset_path"] = settings.DatasetPath;
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

    /// <summary>A key and its values.</summary>
    private sealed record Dimension(string Name, IReadOnlyList<JsonNode?> Values);
}
