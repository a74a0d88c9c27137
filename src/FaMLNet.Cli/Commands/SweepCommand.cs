using System.ComponentModel;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Sweeps;
using FaMLNet.Cli.Terminal;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet sweep</c>: many experiments from a file, on this machine or a cluster.</summary>
internal sealed class SweepCommand : Command<SweepCommand.Settings>
{
    internal sealed class Settings : CommandSettings
    {
        [Input]
        [CommandArgument(0, "<file>"), Description("A YAML file of an experiment, with a part 'sweep' that says what varies.")]
        public string File { get; set; } = "";

        [Input]
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

        [CommandOption("--slurm"), Description("Submits the trials that are not done as job arrays of Slurm, instead of running them here.")]
        public bool Slurm { get; set; }

        [CommandOption("--array-limit <NUMBER>"), Description("With --slurm: trials at a time.")]
        public int? ArrayLimit { get; set; }

        [CommandOption("--max-array-size <NUMBER>"), Description("With --slurm: the cluster's MaxArraySize, above which trials go into several job "
            + "arrays. Without it what 'scontrol show config' says, or 1001.")]
        public int? MaxArraySize { get; set; }

        [CommandOption("-p|--partition <NAME>"), Description("With --slurm: the partition.")]
        public string? Partition { get; set; }

        [CommandOption("-t|--time <LIMIT>"),
            Description("With --slurm: the time limit of a task, as Slurm writes it, for example 2:00:00. A trial that needs more "
            + "goes back into the queue and goes on.")]
        public string? Time { get; set; }

        [CommandOption("--sbatch <OPTION>"),
            Description("With --slurm: a further option of sbatch, for example --sbatch=--gres=gpu:1; may be repeated.")]
        public string[] Sbatch { get; set; } = [];

        [CommandOption("--set <KEY=VALUE>"), Description("Overrides a key of the file, for example --set training.hyperparameters.epochs=5; may be "
            + "repeated.")]
        public string[] Set { get; set; } = [];

        [CommandOption("--check"), Description("Checks the file and the data, says what would run, how long it would take and how much it would "
            + "write, by short probes; trains nothing and writes nothing.")]
        public bool Check { get; set; }

        [CommandOption("--trial <NAME>"), Description("Runs that one trial in this process.")]
        public string? Trial { get; set; }

        [CommandOption("--index <NUMBER>"), Description("Runs the trial of that number, from 0, in this process.")]
        public int? Index { get; set; }
    }

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken) =>
        Activity.Run($"checking '{settings.File}' and its results", () => Run(settings, cancellationToken));

    private static int Run(Settings settings, CancellationToken cancellationToken)
    {
        if (settings.Trial != null || settings.Index != null)
            return RunTrial(settings, cancellationToken);
        SweepFile sweep = SweepFile.Read(settings.File, settings.Set);
        if (!settings.List)
            CheckPlaces(settings, sweep, sweep.Trials);
        SweepFolder folder = SweepFolder.Open(sweep, settings.Data, writes: !settings.List && !settings.Check);
        if (settings.List)
        {
            for (int i = 0; i < sweep.Trials.Count; i++)
                Console.WriteLine($"{i} {sweep.Trials[i].Name} {SweepFolder.Word(folder.StateOf(sweep.Trials[i]))}");
            return 0;
        }
        if (settings.Check)
        {
            using StopSignals interrupt = new(cancellationToken);
            SweepCheck.Run(sweep, folder, settings.Data, settings.Retry, Console.WriteLine, interrupt.Token);
            return 0;
        }
        if (settings.Collect)
            return Collect(sweep, folder, 0);
        Prepare(sweep, folder, settings);
        using StopSignals stop = new(cancellationToken);
        List<string> handed = [];
        if (settings.Data != null)
            handed.AddRange(["--data", settings.Data]);
        if (settings.Strict)
            handed.Add("--strict");
        if (settings.Slurm)
            return Submit(sweep, folder, settings, handed);
        int interrupted = 0;
        try
        {
            // The trials speak for themselves.
            Activity.Run("running trials", activity =>
            {
                activity.Quiet();
                Watch((say, progress) => interrupted = new LocalSweep(sweep, folder, handed, say).Run(settings.Retry, progress, stop.Token));
                return interrupted;
            });
        }
        catch (OperationCanceledException)
        {
            Collect(sweep, folder, 0);
            throw;
        }
        return Collect(sweep, folder, interrupted);
    }

    private static int Submit(SweepFile sweep, SweepFolder folder, Settings settings, IReadOnlyList<string> arguments)
    {
        if (settings.ArrayLimit is < 1)
            throw new FormatException($"--array-limit must be at least 1; found {settings.ArrayLimit}.");
        int size = settings.MaxArraySize ?? SlurmSweep.FindMaxArraySize() ?? SlurmSweep.DefaultMaxArraySize;
        SlurmOptions options = new(settings.ArrayLimit, settings.Partition, settings.Time, settings.Sbatch, size);
        IReadOnlyList<SlurmArray> arrays = SlurmSweep.Write(sweep, folder, options, arguments, settings.Retry);
        if (arrays.Count == 0)
        {
            Messages.Say("Every trial is done, running or failed: nothing is submitted. --retry runs those that failed again.");
            return 0;
        }
        if (arrays.Count > 1)
        {
            Console.WriteLine($"MaxArraySize is {size}: {arrays.Sum(array => array.Trials)} trials become {arrays.Count} job arrays"
                + $"{(settings.ArrayLimit == null ? "" : ", one after the other, so that --array-limit holds for all of them")}.");
        }
        string? job = null;
        foreach (SlurmArray array in arrays)
        {
            job = SlurmSweep.Submit(array.Path, settings.ArrayLimit == null ? null : job);
            Console.WriteLine($"Submitted as job {job}: {array.Trials} trials. 'famlnet sweep {settings.File} --collect' gathers what is there, "
                + "at any time.");
        }
        return 0;
    }

    /// <summary>Before anything runs: data that is not there, or that the settings do not fit, would fail every trial.</summary>
    private static void Prepare(SweepFile sweep, SweepFolder folder, Settings settings)
    {
        foreach (Trial trial in sweep.Trials.DistinctBy(trial => (trial.Settings.Dataset, trial.Settings.DatasetPath)))
        {
            DataSets.Locate(trial.Settings, settings.Data);
            if (DataIdentity.Of(trial.Settings, settings.Data).Name == DataIdentity.Cifar10AsImageFiles)
                Console.WriteLine(SweepCheck.DataLine(trial.Settings, settings.Data));
        }
        folder.RefuseOthers();
        int unrecorded = sweep.Trials.Count(trial => folder.StateOf(trial) == TrialState.NotRecorded);
        if (unrecorded > 0)
        {
            Console.WriteLine($"{unrecorded} of {sweep.Trials.Count} trials have results that were written before identities were recorded "
                + $"({ExperimentResult.NotRecorded}): their data, defaults and versions are not known. They are shown, marked, and not run "
                + "again. To run one again, remove its folder.");
        }
    }

    private static Trial Find(SweepFile sweep, Settings settings) => settings.Index is { } index
        ? index >= 0 && index < sweep.Trials.Count ? sweep.Trials[index]
            : throw new FormatException($"--index {index}: '{sweep.Path}' has trials 0 to {sweep.Trials.Count - 1}.")
        : sweep.Trials.FirstOrDefault(trial => trial.Name == settings.Trial)
            ?? throw new FormatException($"--trial '{settings.Trial}' is none of the {sweep.Trials.Count} of '{sweep.Path}'. --list shows them.");

    private static void CheckPlaces(Settings settings, SweepFile sweep, IEnumerable<Trial> trials) =>
        OutputGuard.Check([("<file>", settings.File), ("--data", settings.Data),
            .. trials.Select(trial => ("data.dataset_path", trial.Settings.DatasetPath)).Distinct()],
            [("experiment.output_dir", sweep.Folder, true)]);

    /// <summary>One trial, here, by its name or number. The others are not checked.</summary>
    private static int RunTrial(Settings settings, CancellationToken cancellationToken)
    {
        SweepFile sweep = SweepFile.Read(settings.File, settings.Set, checksTrials: false);
        Trial trial = Find(sweep, settings);
        CheckPlaces(settings, sweep, [trial]);
        SweepFolder folder = SweepFolder.Open(sweep, settings.Data);
        string file = folder.WriteConfiguration(trial);
        TrialRun.Run(ExperimentSettings.Read(YamlFile.Read(file)), new ExperimentRun
        {
            Folder = folder.FolderOf(trial),
            Data = settings.Data,
            Strict = settings.Strict,
            KeepsModels = sweep.KeepsModels,
        }, cancellationToken);
        return 0;
    }

    private static int Collect(SweepFile sweep, SweepFolder folder, int interrupted)
    {
        (string markdown, int done, int failed) = SweepTable.Write(sweep, folder);
        Console.WriteLine(markdown);
        Messages.Say($"The table is in {folder.Path}: results.csv, .json, .md and .html.");
        if (interrupted > 0)
            Messages.Say($"{interrupted} did not end: the same command goes on with them.");
        return failed > 0 || interrupted > 0 ? 1 : 0;
    }

    /// <summary>On a terminal a line that changes, elsewhere a line now and then.</summary>
    private static void Watch(Action<Action<string>, Action<string>> run)
    {
        if (!Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Interactive)
        {
            using IDisposable above = Activity.SayBy(Messages.Say);
            AnsiConsole.Status().Start("starting", status => run(Messages.Say, line => status.Status(line.EscapeMarkup())));
            return;
        }
        string latest = "";
        DateTime written = DateTime.MinValue;
        run(line => Console.WriteLine(latest.Length == 0 ? line : $"{line} ({latest})"), line =>
        {
            latest = line;
            if (DateTime.UtcNow - written < TimeSpan.FromMinutes(1))
                return;
            written = DateTime.UtcNow;
            Console.WriteLine(line);
        });
    }
}
