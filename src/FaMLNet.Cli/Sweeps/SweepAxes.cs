using System.Globalization;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Sweeps;

/// <summary>A value for a key of the experiment.</summary>
/// <param name="Key">As the sweep names it, for example <c>rate</c>.</param>
/// <param name="Value">The value.</param>
/// <param name="Origin">Where in the file it stands, as a JSON pointer.</param>
internal sealed record Choice(string Key, JsonNode? Value, string Origin);

/// <summary>What a sweep varies: keys with lists or ranges of values (<c>over</c>), and a table of cells (<c>cells</c>).</summary>
internal sealed class SweepAxes
{
    /// <summary>Trials of a sweep at most.</summary>
    public const int MostTrials = 10_000;

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
    private readonly List<Dimension> _dimensions;
    private readonly IReadOnlyList<string> _columns;
    private readonly List<string[]> _cells;

    /// <param name="file">The file.</param>
    /// <param name="sweep">Its part 'sweep'.</param>
    /// <exception cref="FormatException">A key, a value or the table is wrong, or nothing varies; the message names the place and the cure.
    /// </exception>
    public SweepAxes(YamlFile file, JsonObject sweep)
    {
        _file = file;
        _dimensions = [.. (sweep["over"] as JsonObject ?? []).Select(pair => Read(pair.Key, pair.Value))];
        (_columns, _cells) = ReadCells(sweep);
        if (_dimensions.Count == 0 && _columns.Count == 0)
            throw _file.Error("/sweep",
                "the sweep varies nothing: it has no trials. Give 'over' with lists of values, or 'cells' with a table file.");
        if (_dimensions.FirstOrDefault(dimension => _columns.Contains(dimension.Name)) is { } twice)
            throw _file.Error($"/sweep/over/{twice.Name}", $"'{twice.Name}' is a column of the table of cells as well. Keep one of the two.");
        double product = _dimensions.Aggregate((double)Math.Max(1, _cells.Count), (count, dimension) => count * dimension.Values.Count);
        if (product > MostTrials)
        {
            throw _file.Error("/sweep",
                $"the sweep has {(long)Math.Min(product, 1e18)} trials; expected at most {MostTrials}. Vary fewer keys, or give fewer values.");
        }
    }

    /// <summary>The choices of each trial, in the order of the file: cells first, and the last key fastest.</summary>
    public IEnumerable<IReadOnlyList<Choice>> Trials()
    {
        foreach (string[] cell in _columns.Count == 0 ? [[]] : _cells)
        {
            foreach ((Dimension Dimension, int Index)[] choice in Product(_dimensions))
            {
                yield return [.. _columns.Select((column, i) => new Choice(column, YamlReader.Scalar(cell[i]), "/sweep/cells")),
                    .. choice.Select(pair => new Choice(pair.Dimension.Name, pair.Dimension.Values[pair.Index]?.DeepClone(),
                        $"/sweep/over/{pair.Dimension.Name}/{pair.Index}"))];
            }
        }
    }

    /// <summary>The full key of a key that a sweep names.</summary>
    public static string FullKey(string key) => Short.GetValueOrDefault(key, key);

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
    private (IReadOnlyList<string> Columns, List<string[]> Rows) ReadCells(JsonObject sweep)
    {
        if (sweep["cells"]?.GetValue<string>() is not { } name)
            return ([], []);
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_file.Path))!, name);
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

    /// <summary>A key and its values.</summary>
    private sealed record Dimension(string Name, IReadOnlyList<JsonNode?> Values);
}
