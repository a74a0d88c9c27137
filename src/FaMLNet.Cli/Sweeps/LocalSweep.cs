using System.Diagnostics;
using System.Globalization;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Terminal;

namespace FaMLNet.Cli.Sweeps;

/// <summary>Runs a sweep's trials on this machine: some processes at a time, each on so many cores.</summary>
internal sealed class LocalSweep
{
    private readonly SweepFile _sweep;
    private readonly SweepFolder _folder;
    private readonly IReadOnlyList<string> _arguments;
    private readonly Action<string> _say;
    private readonly Dictionary<Trial, Process> _running = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly HashSet<Trial> _over = [];
    private IReadOnlyList<Trial> _ours = [];
    private int _interrupted, _epochsAtStart;

    /// <param name="sweep">The sweep.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="arguments">Options to hand on to every trial.</param>
    /// <param name="say">Receives a line when something has happened.</param>
    public LocalSweep(SweepFile sweep, SweepFolder folder, IReadOnlyList<string> arguments, Action<string> say) =>
        (_sweep, _folder, _arguments, _say) = (sweep, folder, arguments, say);

    /// <summary>Runs every trial that is not done; with <paramref name="retry"/> those that failed as well.</summary>
    /// <param name="retry">Whether failed ones run again.</param>
    /// <param name="progress">Receives how far the sweep is, about once a second.</param>
    /// <param name="cancellation">Stops the processes, which save their state.</param>
    /// <returns>Trials that were killed or stopped, and are to be gone on with.</returns>
    public int Run(bool retry, Action<string> progress, CancellationToken cancellation)
    {
        _ours = [.. _sweep.Trials.Where(trial => _folder.StateOf(trial) is var state && (state == TrialState.Waiting
            || (retry && state == TrialState.Failed)))];
        Queue<Trial> waiting = new(_ours);
        _epochsAtStart = EpochsDone();
        try
        {
            while (waiting.Count > 0 || _running.Count > 0)
            {
                while (_running.Count < _sweep.Processes && waiting.TryDequeue(out Trial? trial))
                {
                    _say($"Training trial {_ours.Count - waiting.Count} of {_ours.Count}: {trial.Name}");
                    _running[trial] = Start(trial);
                }
                progress(Progress());
                cancellation.ThrowIfCancellationRequested();
                cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(_running.Values.Any(process => process.HasExited) ? 0 : 1));
                foreach ((Trial trial, Process process) in _running.Where(pair => pair.Value.HasExited).ToArray())
                {
                    _running.Remove(trial);
                    _over.Add(trial);
                    Ended(trial, process.ExitCode);
                    process.Dispose();
                }
            }
        }
        finally
        {
            // They save their state, as on Ctrl+C of their own.
            foreach (Process process in _running.Values)
                Interrupt(process);
            foreach (Process process in _running.Values)
            {
                process.WaitForExit();
                process.Dispose();
            }
        }
        return _interrupted;
    }

    /// <summary>Trials done, running, failed, and the time left, by the epochs that are to be trained.</summary>
    private string Progress()
    {
        TrialState[] states = [.. _sweep.Trials.Select(_folder.StateOf)];
        int done = states.Count(state => state is TrialState.Done or TrialState.NotRecorded),
            failed = states.Count(state => state == TrialState.Failed);
        int epochs = EpochsDone(), now = epochs - _epochsAtStart;
        string left = now <= 0 ? "" : $", {Duration(_watch.Elapsed / now * Math.Max(0, _ours.Sum(trial => trial.Settings.Epochs) - epochs))} left";
        return $"{done} of {_sweep.Trials.Count} done, {_running.Count} running, {failed} failed{left}";
    }

    /// <summary>Epochs that the trials of this run have behind them; those that are over count whole.</summary>
    private int EpochsDone() => _ours.Sum(trial => _folder.StateOf(trial) == TrialState.Done || _over.Contains(trial) ? trial.Settings.Epochs
        : Math.Max(0, LinesOf(Path.Combine(_folder.FolderOf(trial), Experiment.HistoryFile)) - 1));

    private static int LinesOf(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadLines(path).Count() : 0;
        }
        catch (IOException)
        {
            return 0; // it is being replaced
        }
    }

    private Process Start(Trial trial)
    {
        (string file, IReadOnlyList<string> self) = ThisTool.Command();
        string cores = _sweep.Cores.ToString(CultureInfo.InvariantCulture);
        ProcessStartInfo start = new(file, [.. self, "benchmark", _folder.WriteConfiguration(trial), .. TrialRun.Arguments(_sweep), .. _arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // libtorch's threads, and the collector's.
            Environment = { ["OMP_NUM_THREADS"] = cores, ["MKL_NUM_THREADS"] = cores, ["DOTNET_GCHeapCount"] = cores },
        };
        string log = Path.Combine(_folder.FolderOf(trial), SweepFolder.LogFile);
        File.Delete(log);
        Process process = new() { StartInfo = start };
        Lock gate = new();
        void Append(string? line)
        {
            lock (gate)
            {
                if (line != null)
                    File.AppendAllText(log, line + "\n");
            }
        }
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void Ended(Trial trial, int code)
    {
        switch (_folder.StateOf(trial))
        {
            case TrialState.Done:
                _say($"{trial.Name}: done");
                break;
            case TrialState.Other:
                _say($"{trial.Name}: its folder has another experiment's result. Data may have changed meanwhile. --list shows it");
                break;
            case TrialState.Failed:
                _say($"{trial.Name}: failed: {_folder.FailureOf(trial)}");
                break;
            case TrialState.Running:
                _say($"{trial.Name}: another process works on it");
                break;
            default:
                _interrupted++;
                _say($"{trial.Name}: ended with {code}{(code > 128 ? $" (signal {code - 128})" : "")} and no result; the same command goes on "
                    + $"with it. Its output is {Path.Combine(_folder.FolderOf(trial), SweepFolder.LogFile)}");
                break;
        }
    }

    private static void Interrupt(Process process)
    {
        if (process.HasExited)
            return;
        if (OperatingSystem.IsWindows())
            process.Kill(); // nothing gentler reaches another process; the last checkpoint stands
        else
            _ = Kill(process.Id, 15);
    }

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(time.TotalHours):F0}:{time.Minutes:00} h")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(time.TotalMinutes):F0}:{time.Seconds:00} min");

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "kill")]
    [System.Runtime.InteropServices.DefaultDllImportSearchPaths(System.Runtime.InteropServices.DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
