using System.Text.Json;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Sweeps;
using FaMLNet.Cli.Terminal;
using FaMLNet.Views;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet benchmark</c>: one experiment from a file.</summary>
internal sealed class BenchmarkCommand : Command<BenchmarkSettings>
{
    public override int Execute(CommandContext context, BenchmarkSettings settings, CancellationToken cancellationToken)
    {
        if (settings.Schema)
        {
            Console.Write(Configuration.Schema.Text);
            return 0;
        }
        if (settings.Peers != null)
            return PeerComparison.Run(settings, settings.Peers, cancellationToken);
        if (settings.File == null)
            throw new FormatException("Give a YAML file, famlnet benchmark experiment.yaml, or --peers with a table or a folder of images.");
        if (settings.ToArguments() is [var option, ..])
            throw new FormatException($"{option} is for --peers. A file has {TableKeys.AsKeys(option)}; --set data.… overrides it.");
        return Activity.Run($"running '{settings.File}'", () => RunFile(settings, settings.File, cancellationToken));
    }

    private static int RunFile(BenchmarkSettings settings, string path, CancellationToken cancellationToken)
    {
        YamlFile file = YamlFile.Read(path).Override(settings.Set);
        ExperimentSettings experiment = ExperimentSettings.Read(file);
        if (file.Root["sweep"] != null)
            throw file.Error("/sweep", "the file is a sweep of many experiments. Run it with 'famlnet sweep'.");
        string folder = experiment.OutputFolder, copy = Path.Combine(folder, "config.yaml");
        bool isOver = System.IO.File.Exists(Path.Combine(folder, Experiment.ResultFile));
        // The copy of an earlier run may be run again as it is, but not overwritten by other settings.
        bool isCopy = Places.Real(path) == Places.Real(copy) && settings.Set.Length == 0;
        if (!isOver)
        {
            OutputGuard.Check([("<file>", path), ("--data", settings.Data), ("data.dataset_path", experiment.DatasetPath),
                ("model.checkpoint", experiment.Checkpoint)], [("experiment.output_dir", folder, true),
                ("the copy of the file in experiment.output_dir", isCopy ? null : copy, false)]);
        }
        if (settings.Check)
            return Check(settings, experiment, cancellationToken);
        if (settings.Trial)
        {
            TrialRun.Run(experiment, new ExperimentRun
            {
                Folder = folder,
                Data = settings.Data,
                Strict = settings.Strict,
                KeepsModels = !settings.NoModel,
            }, cancellationToken);
            return 0;
        }
        using StopSignals stop = new(cancellationToken);
        ExperimentResult result = null!;
        void Run(Action<EpochMetrics>? epochDone) => result = Experiment.Run(experiment, new ExperimentRun
        {
            Folder = folder,
            Data = settings.Data,
            Strict = settings.Strict,
            EpochDone = epochDone,
            Say = Messages.Say,
            Log = settings.Log ? Messages.Print : Messages.PrintWarning,
            Cancellation = stop.Token,
        });
        if (settings.Log || !experiment.Trains)
            Run(null);
        else
        {
            using IDisposable above = Activity.SayBy(Messages.Say);
            TrainingView.Run(AnsiConsole.Console, view => Run(view.Add(experiment.Name, experiment.Epochs)));
        }
        // What a result that was there already was made from stays as it is.
        if (!isOver && !isCopy)
            WriteCopy(settings, file, copy);
        ResultText.Show(result);
        Messages.Say($"Everything is in {folder}.");
        return 0;
    }

    /// <summary>The configuration that was run: the file as it is, or with what --set overrides in one text that YAML reads.</summary>
    private static void WriteCopy(BenchmarkSettings settings, YamlFile file, string copy)
    {
        if (settings.Set.Length == 0)
        {
            WholeFile.Write(copy, path => System.IO.File.Copy(settings.File!, path, overwrite: true));
            return;
        }
        string options = string.Concat(settings.Set.Select(set => $"# --set {set.ReplaceLineEndings(" ")}\n"));
        WholeFile.WriteText(copy, $"# {Path.GetFileName(settings.File)} with\n{options}"
            + file.Root.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }

    /// <summary>Says what would run.</summary>
    private static int Check(BenchmarkSettings settings, ExperimentSettings experiment, CancellationToken cancellationToken)
    {
        Console.WriteLine($"{settings.File} is in order.");
        string result = Path.Combine(experiment.OutputFolder, Experiment.ResultFile);
        if (System.IO.File.Exists(result))
        {
            KnownResult known = KnownResult.Read(result, experiment, settings.Data);
            if (known.Standing == Standing.Other)
                throw new InvalidOperationException($"It would be refused: '{experiment.OutputFolder}' has the result of another experiment: "
                    + $"{ExperimentIdentity.Summary(known.Differences)}. Change experiment.name or output_dir, or remove that folder.");
            Console.WriteLine($"Nothing would run: '{experiment.OutputFolder}' has the result already"
                + $"{(known.Standing == Standing.NotRecorded ? $" ({ExperimentResult.NotRecorded})" : "")}.");
            return 0;
        }
        using StopSignals stop = new(cancellationToken);
        Console.WriteLine(SweepCheck.DataLine(experiment, settings.Data));
        if (!experiment.Trains)
        {
            Console.WriteLine($"It would measure the saved model '{experiment.Checkpoint}' and write to {experiment.OutputFolder}.");
            return 0;
        }
        Probe probe = Probe.Run(experiment, settings.Data, stop.Token);
        string task = probe.Task.ToString().ToLowerInvariant(), time = Probe.Duration(experiment.Epochs * probe.SecondsPerEpoch);
        Console.WriteLine($"It would train {experiment.Network} by {experiment.Rule.ShortName} for {experiment.Epochs} epochs of "
            + $"{probe.TrainingRows} rows ({task}), test on {probe.TestRows} rows, and write to {experiment.OutputFolder}.");
        Console.WriteLine($"Time: about {time}, {Probe.Duration(probe.SecondsPerEpoch)} per epoch, by a probe of {probe.ProbedRows} rows; "
            + "validation, tests and attacks come on top.");
        Console.WriteLine($"Disk: about {Probe.Size(probe.ModelBytes)} for the model, and up to {Probe.Size(2.0 * probe.CheckpointBytes)} for "
            + $"checkpoints while it trains; {Probe.FreeSpace(experiment.OutputFolder)} are free.");
        Console.WriteLine("Nothing was run.");
        return 0;
    }
}
