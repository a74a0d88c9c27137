using System.Text.Json.Nodes;

namespace FaMLNet.Cli.Configuration;

/// <summary>The values of a configuration, by full keys such as <c>training.optimizer.lr</c>.</summary>
/// <param name="file">The file.</param>
internal sealed class ConfigurationKeys(YamlFile file)
{
    /// <summary>Runs a check of the library's, whose errors get the file's name.</summary>
    public void Check(Action check, string place = "")
    {
        try
        {
            check();
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException)
        {
            throw Error(place, failure.Message);
        }
    }

    /// <summary>An error at a key, which the message names; at no key in particular for an empty place.</summary>
    public FormatException Error(string place, string message) =>
        file.Error(place.Length == 0 ? "" : $"/{place.Replace('.', '/')}", place.Length == 0 ? message : $"{place}: {message}");

    /// <summary>A text; null where there is none.</summary>
    public string? Text(string place) => Node(place) is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>True or false; null where there is neither.</summary>
    public bool? Flag(string place) => Node(place) is JsonValue value && value.TryGetValue(out bool flag) ? flag : null;

    /// <summary>A whole number; null where there is none.</summary>
    public int? Int(string place) => Node(place) is JsonValue value && value.TryGetValue(out long number) ? (int)Math.Clamp(number, int.MinValue,
        int.MaxValue) : null;

    /// <summary>A number; null where there is none.</summary>
    public double? Number(string place) => Node(place) is JsonValue value && value.TryGetValue(out double number) ? number : null;

    /// <summary>Whatever is there; null for nothing.</summary>
    public JsonNode? Node(string place)
    {
        JsonNode? node = file.Root;
        foreach (string key in place.Split('.'))
            node = (node as JsonObject)?[key];
        return node;
    }
}
