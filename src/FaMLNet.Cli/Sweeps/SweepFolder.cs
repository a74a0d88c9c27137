using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Experiments;

namespace FaMLNet.Cli.Sweeps;

/// <summary>How far a trial is.</summary>
internal enum TrialState
{
    Waiting,
    Running,
    Failed,
    Done,

    /// <summary>Done by a version that did not record identities: the settings are the same as written, and more is not known.</summary>
    NotRecorded,

    /// <summary>The folder has the result of another experiment: of other data, defaults, split or versions.</summary>
    Other,
}

/// <summary>What a sweep leaves: a folder a trial, which any machine may work on that sees it.</summary>
internal sealed class SweepFolder
{
    public const string LogFile = "log.txt", ConfigurationFile = "config.yaml";
    private const string Mark = "sweep.json", TrialsFolder = "trials";

    private readonly SweepFile _sweep;
    private readonly string? _data;

    /// <summary>Results that have been compared: a file that keeps its time of change is compared once.</summary>
    private readonly ConcurrentDictionary<(string Path, DateTime Changed), KnownResult> _known = new();

    private SweepFolder(SweepFile sweep, string? data) => (_sweep, _data) = (sweep, data);

    public string Path => _sweep.Folder;

    public string FolderOf(Trial trial) => System.IO.Path.Combine(Path, TrialsFolder, trial.Name);

    /// <summary>Writes a trial's own configuration, which 'benchmark' runs without reading the sweep.</summary>
    /// <returns>The file.</returns>
    public string WriteConfiguration(Trial trial)
    {
        string folder = FolderOf(trial), path = System.IO.Path.Combine(folder, ConfigurationFile), text = trial.Configuration(folder, _sweep.Path);
        Directory.CreateDirectory(folder);
        // Another process may be reading it: only what is new is written.
        if (!File.Exists(path) || File.ReadAllText(path) != text)
            WholeFile.WriteText(path, text);
        return path;
    }

    /// <summary>Opens the folder of a sweep, or makes it.</summary>
    /// <param name="sweep">The sweep.</param>
    /// <param name="data">Where the data is, if the command line says so.</param>
    /// <param name="writes">Whether the folder is made and the trials are noted in it; else nothing is written.</param>
    /// <exception cref="InvalidOperationException">It is the folder of another sweep.</exception>
    public static SweepFolder Open(SweepFile sweep, string? data = null, bool writes = true)
    {
        SweepFolder folder = new(sweep, data);
        string mark = System.IO.Path.Combine(folder.Path, Mark);
        if (File.Exists(mark))
            folder.CheckMark(mark);
        // Another process may be making the folder just now: the mark's temporary file and the trials are a sweep's own.
        else if (Directory.Exists(folder.Path) && Directory.EnumerateFileSystemEntries(folder.Path).Select(System.IO.Path.GetFileName)
            .Any(name => name != TrialsFolder && !name!.StartsWith(Mark, StringComparison.Ordinal)))
        {
            throw new InvalidOperationException($"'{folder.Path}' has files and is no folder of a sweep. Change experiment.output_dir or name in "
                + $"'{sweep.Path}'.");
        }
        if (!writes)
            return folder;
        Directory.CreateDirectory(System.IO.Path.Combine(folder.Path, TrialsFolder));
        JsonObject content = new()
        {
            ["sweep"] = sweep.Name,
            ["trials"] = new JsonArray([.. sweep.Trials.Select(trial => (JsonNode)trial.Name)]),
        };
        // Trials that start side by side all come here: only what is new is written.
        string text = content.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
        if (!File.Exists(mark) || File.ReadAllText(mark) != text)
            WholeFile.WriteText(mark, text);
        return folder;
    }

    public TrialState StateOf(Trial trial)
    {
        string folder = FolderOf(trial);
        return ResultOf(trial) is { } result ? StateOf(result.Standing)
            : TrialRun.IsLocked(System.IO.Path.Combine(folder, TrialRun.LockFile)) ? TrialState.Running
            : File.Exists(System.IO.Path.Combine(folder, TrialRun.FailureFile)) ? TrialState.Failed : TrialState.Waiting;
    }

    /// <summary>The result that a trial's folder has; null for none.</summary>
    public KnownResult? ResultOf(Trial trial)
    {
        FileInfo file = new(System.IO.Path.Combine(FolderOf(trial), Experiment.ResultFile));
        return file.Exists ? _known.GetOrAdd((file.FullName, file.LastWriteTimeUtc), _ => KnownResult.Read(file.FullName, trial.Settings, _data))
            : null;
    }

    /// <summary>Refuses a sweep with trials whose folders have other experiments' results.</summary>
    /// <exception cref="InvalidOperationException">There are such; the message names the first and what differs.</exception>
    public void RefuseOthers()
    {
        Trial[] others = [.. _sweep.Trials.Where(trial => StateOf(trial) == TrialState.Other)];
        if (others.Length > 0)
        {
            throw new InvalidOperationException($"'{FolderOf(others[0])}' has the result of another experiment: "
                + $"{ExperimentIdentity.Summary(ResultOf(others[0])!.Differences)}. {others.Length} of {_sweep.Trials.Count} trials have such "
                + "results (--list shows them). Change experiment.output_dir or name, or remove these folders.");
        }
    }

    /// <summary>A state as lists and tables have it.</summary>
    public static string Word(TrialState state) => state switch
    {
        TrialState.NotRecorded => $"done ({ExperimentResult.NotRecorded})",
        TrialState.Other => "another experiment's result",
        _ => state.ToString().ToLowerInvariant(),
    };

    private static TrialState StateOf(Standing standing) => standing switch
    {
        Standing.NotRecorded => TrialState.NotRecorded,
        Standing.Other => TrialState.Other,
        _ => TrialState.Done,
    };

    /// <summary>The message of a trial that failed.</summary>
    public string FailureOf(Trial trial) => File.ReadAllText(System.IO.Path.Combine(FolderOf(trial), TrialRun.FailureFile)).Trim();

    /// <summary>Claims a trial for this process; null if another has it.</summary>
    public IDisposable? Claim(Trial trial) => TrialRun.Claim(FolderOf(trial));

    /// <summary>A folder that shares no trial with the sweep is another's, even of the same name.</summary>
    private void CheckMark(string path)
    {
        JsonNode? known;
        try
        {
            known = JsonNode.Parse(File.ReadAllText(path));
        }
        catch (JsonException failure)
        {
            throw new InvalidOperationException($"'{path}' is damaged: {failure.Message} If the folder is this sweep's, delete that file.", failure);
        }
        string[] trials = [.. (known?["trials"] as JsonArray ?? []).Select(name => name!.ToString())];
        if (known?["sweep"]?.ToString() is { } other && other != _sweep.Name)
            throw new InvalidOperationException($"'{Path}' has the results of the sweep '{other}', and '{_sweep.Path}' is '{_sweep.Name}'. Change "
                + "experiment.output_dir or name.");
        if (trials.Length > 0 && !_sweep.Trials.Any(trial => trials.Contains(trial.Name)))
            throw new InvalidOperationException($"'{Path}' has the results of another sweep: none of its {trials.Length} trials is one of the "
                + $"{_sweep.Trials.Count} of '{_sweep.Path}'. Change experiment.output_dir or name, or remove that folder.");
    }
}
