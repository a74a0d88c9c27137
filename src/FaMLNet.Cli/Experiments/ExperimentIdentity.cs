using System.Globalization;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Tables;
using FaMLNet.Reporting;
using Microsoft.ML;

namespace FaMLNet.Cli.Experiments;

/// <summary>
/// Everything that decides an experiment's result: the task, the options as resolved, the content of the data, the split, what is measured, and the
/// versions that compute it. Paths, folders, threads, device and machine are no part of it.
/// </summary>
internal static class ExperimentIdentity
{
    /// <summary>
    /// Raise it whenever the same file on the same data gives other results than before: another computation, another reading of tables, another
    /// split. Results of another number are not shown as this version's.
    /// </summary>
    public const int ResultsVersion = 1;

    /// <summary>Options that say where things go, how fast, or who hears of it.</summary>
    private static readonly HashSet<string> Indifferent = new(StringComparer.Ordinal)
    {
        "CheckpointFolder", "CheckpointEveryEpochs", "CheckpointEveryMinutes", "CheckpointsToKeep", "NumberOfThreads", "DiagnosticsEverySteps",
        "LabelColumnName", "FeatureColumnName", "ExampleWeightColumnName",
        // Of the split, which has it.
        "ValidationSeed",
    };

    /// <summary>The identity of an experiment on the data that is there now.</summary>
    /// <param name="settings">The experiment.</param>
    /// <param name="folder">Where the data is, if the command line says so.</param>
    /// <exception cref="FileNotFoundException">Data or model is not there.</exception>
    public static JsonObject Of(ExperimentSettings settings, string? folder) => Of(settings, TaskOf(settings, folder), DataIdentity.Of(settings,
        folder));

    /// <summary>What there is to learn: as the file says, as the model has it that is started from, or as the table's label suggests.</summary>
    public static TaskKind TaskOf(ExperimentSettings settings, string? folder)
    {
        if (settings.Dataset != "csv")
            return TaskKind.Multiclass;
        MLContext mlContext = new(1);
        return settings.AskedTask ?? (settings.Checkpoint is { } path ? SavedModel.Load(mlContext, path, null).Task.Kind
            : DataSets.OpenTable(mlContext, settings, folder, _ => { }).Task.Kind);
    }

    /// <summary>The identity, with the task and the data known.</summary>
    public static JsonObject Of(ExperimentSettings settings, TaskKind task, DataIdentity data)
    {
        settings.CheckTask(task);
        JsonObject identity = new()
        {
            ["task"] = task.ToString().ToLowerInvariant(),
            ["data"] = new JsonObject
            {
                ["name"] = data.Name,
                ["format"] = data.Format,
                ["files"] = new JsonObject(data.Files.Select(file => KeyValuePair.Create(file.Role, (JsonNode?)new JsonObject
                {
                    ["bytes"] = file.Bytes,
                    ["sha256"] = file.Sha256,
                }))),
            },
            ["split"] = Split(settings, data, task),
            ["versions"] = new JsonObject
            {
                ["results"] = ResultsVersion,
                ["ml_net"] = PackageVersion.Of(typeof(MLContext)),
                ["torchsharp"] = PackageVersion.Of(typeof(TorchSharp.torch)),
            },
        };
        if (data.Name == "csv")
        {
            identity["data"]!["label"] = settings.Label;
            // Nothing where the file says nothing, as in results of before these keys.
            if (TableKeys.Decisive(settings.TableFormat, settings.TableChoices) is { Count: > 0 } reading)
                identity["data"]!["reading"] = reading;
        }
        else if (settings.TargetSize is { } size)
            identity["data"]!["target_size"] = size;
        if (settings.Trains)
            identity["options"] = Options(settings, task);
        if (settings.Checkpoint is { } model)
            identity["model"] = DataIdentity.FileOf("model", model).Sha256;
        JsonObject measures = [];
        measures["test"] = settings.TestsAtEnd;
        if (task == TaskKind.Multiclass)
            measures["top_k"] = settings.TopK;
        if (settings.Robustness is { } robustness)
            measures["robustness"] = $"{string.Join(", ", robustness.Attacks)}; rows {robustness.Rows?.ToString(CultureInfo.InvariantCulture)
                ?? "all"}; gradients {string.Join(", ", robustness.ThreatModels)}; seed {settings.Seed}";
        identity["measures"] = measures;
        // Parsed once more, so that numbers are those of a file that is read.
        return (JsonObject)JsonNode.Parse(identity.ToJsonString())!;
    }

    /// <summary>The trainer's options as names and texts, every default under its value.</summary>
    private static JsonObject Options(ExperimentSettings settings, TaskKind task) => new(TrainingOptions.Of(settings.ToOptions(task))
        .Where(option => !Indifferent.Contains(option.Name) && !(option.Name == "ValidationFraction" && settings.Validation.Rows != null))
        .Select(option => KeyValuePair.Create(option.Name, (JsonNode?)TrainingOptions.Text(option.Value))));

    private static JsonObject Split(ExperimentSettings settings, DataIdentity data, TaskKind task)
    {
        bool isImages = data.Format.StartsWith("image files", StringComparison.Ordinal), isOne = data.Files.Count == 1,
            isOneTable = isOne && !isImages;
        string how = task == TaskKind.Regression ? "by chance" : isImages ? "of each class, always the same" : "of each class";
        JsonObject split = new()
        {
            ["test"] = !isOne ? "files of their own" : string.Create(CultureInfo.InvariantCulture, $"a share of {settings.TestShare} {how}"),
            ["validation"] = settings.Validation switch
            {
                { IsNone: true } => "none",
                { OnTest: true } => "the test rows",
                { Rows: { } rows } => string.Create(CultureInfo.InvariantCulture, $"{rows} training rows, by the split's seed"),
                { Share: var share } => string.Create(CultureInfo.InvariantCulture, $"a share of {share} of the training rows, by the split's "
                    + $"seed"),
            },
        };
        if (isOneTable || isImages || settings.Validation is { IsNone: false, OnTest: false })
            split["seed"] = settings.SplitSeed;
        if (settings.TrainRows is { } train)
            split["train_rows"] = train;
        if (settings.TestRows is { } test)
            split["test_rows"] = test;
        return split;
    }

    /// <summary>What differs between two identities, each as a place with its two values; nothing where they are the same.</summary>
    public static IReadOnlyList<string> Differences(JsonObject there, JsonObject here)
    {
        Dictionary<string, string> first = [], second = [];
        Flatten(there, "", first);
        Flatten(here, "", second);
        return [.. first.Keys.Union(second.Keys).Where(place => first.GetValueOrDefault(place) != second.GetValueOrDefault(place))
            .OrderBy(place => place.Count(letter => letter == '.')).ThenBy(place => place, StringComparer.Ordinal)
            .Select(place => $"{place} is {first.GetValueOrDefault(place) ?? "not set"} there and {second.GetValueOrDefault(place) ?? "not set"} "
                + "here")];
    }

    /// <summary>The first differences, in a sentence.</summary>
    public static string Summary(IReadOnlyList<string> differences)
    {
        const int most = 4;
        return string.Join("; ", differences.Take(most)) + (differences.Count > most ? $"; and {differences.Count - most} more" : "");
    }

    private static void Flatten(JsonNode? node, string place, Dictionary<string, string> values)
    {
        if (node is JsonObject group)
        {
            foreach ((string key, JsonNode? value) in group)
                Flatten(value, place.Length == 0 ? key : $"{place}.{key}", values);
        }
        else if (node != null)
            values[place] = node is JsonValue value && value.TryGetValue(out string? text) ? text : node.ToJsonString();
    }
}
