using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Sylvan.Data.Csv;

namespace FaMLNet.Reporting;

/// <summary>
/// A history as a table (<c>.csv</c>: a column a measurement, a layer's as <c>AlignmentAngle/dense2</c>) or as JSON lines (<c>.jsonl</c>: an
/// object an epoch). Numbers keep every digit and are written alike in every culture; what was not measured is an empty cell, or left out.
/// </summary>
public static class HistoryFile
{
    private static readonly PropertyInfo[] Numbers = [.. Properties(type => type == typeof(int) || type == typeof(double) || type == typeof(double?))
        .OrderBy(property => property.Name switch { "Epoch" => 0, "Loss" => 1, "Accuracy" => 2, _ => 3 })];

    private static readonly PropertyInfo[] Layers = [.. Properties(type => type == typeof(IReadOnlyDictionary<string, double>))];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <summary>Writes a history whole or not at all.</summary>
    /// <param name="path">The file, <c>.csv</c> or <c>.jsonl</c>; replaced if it is there. Its folder is created.</param>
    /// <param name="history">One entry an epoch.</param>
    /// <exception cref="ArgumentException">The extension is another.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<EpochMetrics> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        bool lines = IsLines(path);
        string[] columns = lines ? [] : ColumnsOf(history);
        IEnumerable<string> text = lines ? history.Select(LineOf) : new[] { Join(columns) }.Concat(history.Select(epoch => RowOf(epoch, columns)));
        WholeFile.Write(path, temporary => File.WriteAllLines(temporary, text));
    }

    /// <summary>Reads what <see cref="Write"/> or <see cref="HistoryLog"/> has written.</summary>
    /// <param name="path">The file, <c>.csv</c> or <c>.jsonl</c>.</param>
    /// <exception cref="ArgumentException">The extension is another.</exception>
    /// <exception cref="FormatException">The file is no history; the message names file, line and column.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyList<EpochMetrics> Read(string path) => IsLines(path) ? ReadLines(path) : ReadTable(path);

    /// <summary>The columns that epochs fill, in the order of the file.</summary>
    internal static string[] ColumnsOf(IReadOnlyList<EpochMetrics> history)
    {
        List<string> columns = [.. Numbers.Select(property => property.Name)];
        if (history.Any(epoch => epoch.TrainingId != null))
            columns.Add(nameof(EpochMetrics.TrainingId));
        foreach (PropertyInfo property in Layers)
            columns.AddRange(history.SelectMany(epoch => ByLayer(property, epoch).Keys).Distinct().Select(layer => $"{property.Name}/{layer}"));
        return [.. columns];
    }

    internal static string RowOf(EpochMetrics epoch, string[] columns) => Join([.. columns.Select(column =>
    {
        int slash = column.IndexOf('/', StringComparison.Ordinal);
        if (column == nameof(EpochMetrics.TrainingId))
            return epoch.TrainingId ?? "";
        if (slash < 0)
            return Text(Numbers.Single(property => property.Name == column).GetValue(epoch));
        PropertyInfo layers = Layers.Single(property => property.Name == column[..slash]);
        return ByLayer(layers, epoch).TryGetValue(column[(slash + 1)..], out double value) ? Text(value) : "";
    })]);

    internal static string LineOf(EpochMetrics epoch)
    {
        // What was not measured is left out.
        System.Text.Json.Nodes.JsonObject line = JsonSerializer.SerializeToNode(epoch, Json)!.AsObject();
        foreach (string empty in line.Where(pair => pair.Value is System.Text.Json.Nodes.JsonObject { Count: 0 }).Select(pair => pair.Key).ToArray())
            line.Remove(empty);
        return line.ToJsonString(Json);
    }

    internal static string Join(IEnumerable<string> cells) => string.Join(',', cells.Select(Quote));

    internal static bool IsLines(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" => false,
            ".jsonl" or ".ndjson" => true,
            _ => throw new ArgumentException($"'{path}': the extension says how a history is written, .csv or .jsonl.", nameof(path)),
        };
    }

    private static List<EpochMetrics> ReadLines(string path)
    {
        List<EpochMetrics> history = [];
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            try
            {
                history.Add(JsonSerializer.Deserialize<EpochMetrics>(line, Json) ?? throw new JsonException("it is null."));
            }
            catch (JsonException failure)
            {
                throw new FormatException($"'{path}', line {number}, is no epoch of a history: {failure.Message}", failure);
            }
        }
        return history;
    }

    private static List<EpochMetrics> ReadTable(string path)
    {
        List<EpochMetrics> history = [];
        using StreamReader file = new(path);
        try
        {
            using CsvDataReader reader = CsvDataReader.Create(file, new CsvDataReaderOptions { Delimiter = ',' });
            string[] columns = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
            string[] needed = ["Epoch", "Loss", "Accuracy", "LearningRate", "SamplesPerSecond"];
            if (needed.Except(columns).FirstOrDefault() is { } lacking)
            {
                throw new FormatException($"'{path}' is no history: it has no column '{lacking}'. A history is what HistoryFile, HistoryLog or "
                    + "'famlnet train --csv' writes.");
            }
            while (reader.Read())
                history.Add(ReadRow(path, reader, columns));
        }
        catch (CsvFormatException failure)
        {
            throw new FormatException($"'{path}' is no history: {failure.Message}", failure);
        }
        return history;
    }

    private static EpochMetrics ReadRow(string path, CsvDataReader reader, string[] columns)
    {
        EpochMetrics epoch = new() { Epoch = 0, Loss = 0, LearningRate = 0, SamplesPerSecond = 0 };
        Dictionary<string, Dictionary<string, double>> layers = [];
        string? id = null;
        for (int i = 0; i < columns.Length; i++)
        {
            string text = reader.GetString(i), column = columns[i];
            int slash = column.IndexOf('/', StringComparison.Ordinal);
            string name = slash < 0 ? column : column[..slash];
            if (name == nameof(EpochMetrics.TrainingId) && text.Length > 0)
                id = text;
            PropertyInfo? property = (slash < 0 ? Numbers : Layers).FirstOrDefault(known => known.Name == name);
            if (property == null || text.Length == 0)
                continue; // a column of the reader's own, or nothing measured
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
                throw new FormatException($"'{path}', row {reader.RowNumber}, column '{column}': a number is expected, found '{text}'.");
            if (slash >= 0)
            {
                if (!layers.TryGetValue(name, out Dictionary<string, double>? values))
                    property.SetValue(epoch, layers[name] = values = []);
                values[column[(slash + 1)..]] = value;
            }
            else
                property.SetValue(epoch, property.PropertyType == typeof(int) ? (object)(int)value : value);
        }
        return epoch with { TrainingId = id };
    }

    private static IEnumerable<PropertyInfo> Properties(Func<Type, bool> take) =>
        typeof(EpochMetrics).GetProperties().Where(property => take(property.PropertyType));

    private static IReadOnlyDictionary<string, double> ByLayer(PropertyInfo property, EpochMetrics epoch) =>
        (IReadOnlyDictionary<string, double>)property.GetValue(epoch)!;

    private static string Text(object? value) => value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : "";

    private static string Quote(string cell)
    {
        if (cell.AsSpan().IndexOfAny("\",\r\n") < 0)
            return cell;
        return new StringBuilder(cell).Replace("\"", "\"\"").Insert(0, '"').Append('"').ToString();
    }
}
