using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Tables;

namespace FaMLNet.Cli.Experiments;

/// <summary>How a result that is there stands to an experiment.</summary>
internal enum Standing
{
    /// <summary>It is this experiment's.</summary>
    Same,

    /// <summary>It is this experiment's as far as can be told without the data, which is not here.</summary>
    SameWithoutData,

    /// <summary>The settings are the same as written; defaults, data and versions were not recorded.</summary>
    NotRecorded,

    /// <summary>It is another experiment's.</summary>
    Other,
}

/// <summary>A result that is there, compared with an experiment.</summary>
/// <param name="Result">The result.</param>
/// <param name="Standing">How it stands.</param>
/// <param name="Differences">What differs.</param>
internal sealed record KnownResult(ExperimentResult Result, Standing Standing, IReadOnlyList<string> Differences)
{
    /// <summary>Reads a result and compares it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">The experiment.</param>
    /// <param name="folder">Where the data is, if the command line says so.</param>
    /// <exception cref="FormatException">The file is damaged, or the experiment does not fit its data.</exception>
    public static KnownResult Read(string path, ExperimentSettings settings, string? folder)
    {
        ExperimentResult result = ExperimentResult.Read(path);
        if (result.Identity is not { } identity)
        {
            return JsonNode.DeepEquals(result.Settings, settings.Decisive) ? new KnownResult(result, Standing.NotRecorded, [])
                : new KnownResult(result, Standing.Other, ExperimentIdentity.Differences(result.Settings, settings.Decisive));
        }
        Standing standing = Standing.Same;
        JsonObject here;
        try
        {
            here = ExperimentIdentity.Of(settings, folder);
        }
        catch (FileNotFoundException)
        {
            standing = Standing.SameWithoutData;
            here = ExperimentIdentity.Of(settings, EnumNames.Find<TaskKind>(result.Task) ?? TaskKind.Multiclass, DataOf(identity));
            here["model"] = identity["model"]?.DeepClone();
        }
        IReadOnlyList<string> differences = ExperimentIdentity.Differences(identity, here);
        return new KnownResult(result, differences.Count == 0 ? standing : Standing.Other, differences);
    }

    private static DataIdentity DataOf(JsonObject identity) => new($"{identity["data"]?["name"]}", $"{identity["data"]?["format"]}",
        [.. (identity["data"]?["files"] as JsonObject ?? []).Select(file => new DataFile(file.Key, (long?)file.Value?["bytes"] ?? 0,
            $"{file.Value?["sha256"]}"))]);
}
