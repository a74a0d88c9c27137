using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Terminal;

namespace FaMLNet.Cli.Sweeps;

/// <summary>One trial in this process: what the processes of a sweep and the tasks of a cluster run. It needs nothing of the sweep's file.</summary>
internal static class TrialRun
{
    public const string FailureFile = "failure.txt", LockFile = "running";

    private const int Attempts = 40, Pause = 50;

    /// <summary>What 'benchmark' is told of a sweep's trial, beside its configuration.</summary>
    public static IReadOnlyList<string> Arguments(SweepFile sweep) => sweep.KeepsModels ? ["--trial"] : ["--trial", "--no-model"];

    /// <summary>Runs it, or goes on with it. A failure is recorded in the folder.</summary>
    /// <param name="settings">The trial.</param>
    /// <param name="run">Where its files go; who hears of it is decided here.</param>
    /// <param name="cancellation">Stops as well as Ctrl+C.</param>
    public static void Run(ExperimentSettings settings, ExperimentRun run, CancellationToken cancellation)
    {
        using IDisposable? claim = Claim(run.Folder);
        if (claim == null)
        {
            Messages.Say($"{Path.GetFileName(run.Folder)} is being worked on by another process.");
            return;
        }
        using StopSignals stop = new(cancellation);
        string failure = Path.Combine(run.Folder, FailureFile);
        try
        {
            File.Delete(failure);
            Experiment.Run(settings, run with { Say = Console.WriteLine, Log = Messages.Print, Cancellation = stop.Token });
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            WholeFile.WriteText(failure, Failures.MessageOf(problem) + "\n");
            throw;
        }
    }

    /// <summary>Claims a trial for this process; null if another has it.</summary>
    public static IDisposable? Claim(string folder)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, LockFile);
        // A check of the state holds the lock briefly; a running trial holds it to its end.
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
    public static bool IsLocked(string path)
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
}
