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
}

/// <summary>What a sweep leaves: a folder a trial, which any machine may work on that sees it.</summary>
internal sealed class SweepFolder
{
    public const string FailureFile = "failure.txt", LogFile = "log.txt";
    private const string Mark = "sweep.json", TrialsFolder = "trials", LockFile = "running";
    private const int Attempts = 40, Pause = 50;

    private readonly SweepFile _sweep;

    private SweepFolder(SweepFile sweep) => _sweep = sweep;

    public string Path => _sweep.Folder;

    public string FolderOf(Trial trial) => System.IO.Path.Combine(Path, TrialsFolder, trial.Name);

    /// <summary>Opens the folder of a sweep, or makes it.</summary>
    /// <exception cref="InvalidOperationException">It is the folder of another sweep.</exception>
    public static SweepFolder Open(SweepFile sweep)
    {
        SweepFolder folder = new(sweep);
        string mark = System.IO.Path.Combine(folder.Path, Mark);
        if (File.Exists(mark))
            folder.CheckMark(mark);
        else if (Directory.Exists(folder.Path) && Directory.EnumerateFileSystemEntries(folder.Path).Any())
        {
            throw new InvalidOperationException($"'{folder.Path}' has files and is no folder of a sweep. Change experiment.output_dir or name in "
                + $"'{sweep.Path}'.");
        }
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
        return File.Exists(System.IO.Path.Combine(folder, Experiment.ResultFile)) ? TrialState.Done
            : IsLocked(System.IO.Path.Combine(folder, LockFile)) ? TrialState.Running
            : File.Exists(System.IO.Path.Combine(folder, FailureFile)) ? TrialState.Failed : TrialState.Waiting;
    }

    /// <summary>The message of a trial that failed.</summary>
    public string FailureOf(Trial trial) => File.ReadAllText(System.IO.Path.Combine(FolderOf(trial), FailureFile)).Trim();

    /// <summary>Claims a trial for this process; null if another has it.</summary>
    public IDisposable? Claim(Trial trial)
    {
        Directory.CreateDirectory(FolderOf(trial));
        string path = System.IO.Path.Combine(FolderOf(trial), LockFile);
        // Who only asks whether a trial is running is in the way for a moment; who works on it, for as long as it takes.
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (attempt < Attempts)
            {
                Thread.Sleep(Pause);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>Whether a process holds the lock; one that was killed holds none.</summary>
    private static bool IsLocked(string path)
    {
        if (!File.Exists(path))
            return false;
        try
        {
            // Shared: two who ask are not in each other's way.
            using FileStream _ = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

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
