using System.ComponentModel;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Sweeps;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli;

/// <summary><c>famlnet sweep</c>: many experiments from a file, on this machine or a cluster.</summary>
internal sealed class SweepCommand : Command<SweepCommand.Settings>
{
    internal sealed class Settings : CommandSettings
    {
        [CommandArgument(0, "<file>"), Description("A YAML file of an experiment, with a part 'sweep' that says what varies.")]
        public string File { get; set; } = "";

        [CommandOption("-d|--data <FOLDER>"), Description("Where the data set is, as for 'benchmark'.")]
        public string? Data { get; set; }

        [CommandOption("--strict"), Description("A CUDA device that is not there is an error instead of a warning.")]
        public bool Strict { get; set; }

        [CommandOption("--list"), Description("Lists the trials and their states, and does nothing else.")]
        public bool List { get; set; }

        [CommandOption("--collect"), Description("Gathers the results that are there into one table, and does nothing else.")]
        public bool Collect { get; set; }

        [CommandOption("--retry"), Description("Runs trials that failed again.")]
        public bool Retry { get; set; }

        [CommandOption("--trial <NAME>"), Description("Runs that one trial in this process.")]
        public string? Trial { get; set; }

        [CommandOption("--index <NUMBER>"), Description("Runs the trial of that number, from 0, in this process.")]
        public int? Index { get; set; }
    }

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        SweepFile sweep = SweepFile.Read(settings.File);
        if (settings.Trial != null || settings.Index != null)
            return RunTrial(sweep, Find(sweep, settings), settings, cancellationToken);
        SweepFolder folder = SweepFolder.Open(sweep);
        if (settings.List)
        {
            for (int i = 0; i < sweep.Trials.Count; i++)
                Console.WriteLine($"{i} {sweep.Trials[i].Name} {folder.StateOf(sweep.Trials[i]).ToString().ToLowerInvariant()}");
            return 0;
        }
        if (settings.Collect)
            return Collect(sweep, folder, 0);
        // Before anything runs: data that is not there would fail every trial.
        foreach (Trial trial in sweep.Trials.DistinctBy(trial => (trial.Settings.Dataset, trial.Settings.DatasetPath)))
            DataSets.Locate(trial.Settings, settings.Data);
        using StopSignals stop = new(cancellationToken);
        List<string> handed = [];
        if (settings.Data != null)
            handed.AddRange(["--data", settings.Data]);
        if (settings.Strict)
            handed.Add("--strict");
        int interrupted = 0;
        try
        {
            Watch((say, progress) => interrupted = new LocalSweep(sweep, folder, handed, say).Run(settings.Retry, progress, stop.Token));
        }
        catch (OperationCanceledException)
        {
            Collect(sweep, folder, 0);
            throw;
        }
        return Collect(sweep, folder, interrupted);
    }

    private static Trial Find(SweepFile sweep, Settings settings) => settings.Index is { } index
        ? index >= 0 && index < sweep.Trials.Count ? sweep.Trials[index]
            : throw new FormatException($"--index {index}: '{sweep.Path}' has trials 0 to {sweep.Trials.Count - 1}.")
        : sweep.Trials.FirstOrDefault(trial => trial.Name == settings.Trial)
            ?? throw new FormatException($"--trial '{settings.Trial}' is none of the {sweep.Trials.Count} of '{sweep.Path}'. --list shows them.");

    /// <summary>One trial, here: what processes and cluster jobs run.</summary>
    private static int RunTrial(SweepFile sweep, Trial trial, Settings settings, CancellationToken cancellationToken)
    {
        SweepFolder folder = SweepFolder.Open(sweep);
        using IDisposable? claim = folder.Claim(trial);
        if (claim == null)
        {
            AnsiConsole.WriteLine($"{trial.Name} is being worked on by another process.");
            return 0;
        }
        using StopSignals stop = new(cancellationToken);
        string failure = Path.Combine(folder.FolderOf(trial), SweepFolder.FailureFile);
        try
        {
            File.Delete(failure);
            Experiment.Run(trial.Settings, new ExperimentRun
            {
                Folder = folder.FolderOf(trial),
                Data = settings.Data,
                Strict = settings.Strict,
                KeepsModels = sweep.KeepsModels,
                Say = Console.WriteLine,
                Log = Messages.Print,
                Cancellation = stop.Token,
            });
            return 0;
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            WholeFile.Write(failure, path => File.WriteAllText(path, Failures.MessageOf(problem) + "\n"));
            throw;
        }
    }

    private static int Collect(SweepFile sweep, SweepFolder folder, int interrupted)
    {
        (string markdown, int done, int failed) = SweepTable.Write(sweep, folder);
        Console.WriteLine(markdown);
        AnsiConsole.WriteLine($"The table is in {folder.Path}: results.csv, .json, .md and .html.");
        if (interrupted > 0)
            AnsiConsole.WriteLine($"{interrupted} did not end: the same command goes on with them.");
        return failed > 0 || interrupted > 0 ? 1 : 0;
    }

    /// <summary>On a terminal a line that changes, elsewhere a line now and then.</summary>
    private static void Watch(Action<Action<string>, Action<string>> run)
    {
        if (!Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Interactive)
        {
            AnsiConsole.Status().Start("starting", status => run(line => AnsiConsole.WriteLine(line), line => status.Status(line.EscapeMarkup())));
            return;
        }
        string latest = "";
        DateTime written = DateTime.MinValue;
        run(line => Console.WriteLine($"{line} ({latest})"), line =>
        {
            latest = line;
            if (DateTime.UtcNow - written < TimeSpan.FromMinutes(1))
                return;
            written = DateTime.UtcNow;
            Console.WriteLine(line);
        });
    }
}
