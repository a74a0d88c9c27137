using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Naming;
using FaMLNet.Cli.Peers;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Sweeps;
using FaMLNet.Cli.Tables;
using FaMLNet.Cli.Terminal;
using FaMLNet.Views;
using Microsoft.ML;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet benchmark</c>: one experiment from a file.</summary>
internal sealed class BenchmarkCommand : Command<BenchmarkCommand.Settings>
{
    internal sealed class Settings : TrainingTableSettings
    {
        [Input]
        [CommandArgument(0, "[file]"), Description("A YAML file with experiment, data, model, training, infrastructure and evaluation; "
            + "BioTorch's files are such.")]
        public string? File { get; set; }

        [Input]
        [CommandOption("-d|--data <FOLDER>"),
            Description("Where the data set is. Without it data.dataset_path, or the folder of the set's name below "
            + "FAMLNET_DATA or datasets.")]
        public string? Data { get; set; }

        [CommandOption("--strict"), Description("A CUDA device that is not there is an error instead of a warning.")]
        public bool Strict { get; set; }

        [CommandOption("--log"), Description("Prints ML.NET's messages instead of the view.")]
        public bool Log { get; set; }

        [CommandOption("--schema"), Description("Prints the JSON schema of the file, for editors, and does nothing else.")]
        public bool Schema { get; set; }

        [Input]
        [CommandOption("--peers <DATA>"), Description("Instead of a file: compares ML.NET's trainers and FaMLNet's rules on a table or a folder of "
            + "images, by the same folds, each in a process of its own.")]
        public string? Peers { get; set; }

        [CommandOption("-l|--label <COLUMN>"), Description("With --peers: the column of a table to predict."), DefaultValue("Label")]
        public string Label { get; set; } = "Label";

        [CommandOption("--folds <NUMBER>"), Description("With --peers: folds of the cross-validation."), DefaultValue(5)]
        public int Folds { get; set; } = 5;

        [CommandOption("--rows <NUMBER>"), Description("With --peers: the first so many rows. Without it all.")]
        public int? Rows { get; set; }

        [CommandOption("-e|--epochs <NUMBER>"), Description("With --peers: epochs of FaMLNet's rules. Without it 100 for tables, 10 for images.")]
        public int? Epochs { get; set; }

        [Output]
        [CommandOption("-o|--output <FILE>"), Description("With --peers: writes the table there, as Markdown.")]
        public string? Output { get; set; }

        [CommandOption("--peer <TRAINER>", IsHidden = true)]
        public string? Peer { get; set; }

        [CommandOption("--check"), Description("Checks the file and the data, says what would run, how long it would take and how much it would "
            + "write, by a short probe; trains nothing and writes nothing.")]
        public bool Check { get; set; }

        [CommandOption("--set <KEY=VALUE>"), Description("Overrides a key of the file, for example --set training.hyperparameters.epochs=5; may be "
            + "repeated.")]
        public string[] Set { get; set; } = [];

        [CommandOption("--task <TASK>"), Description("With --peers: auto (told from the label), multiclass, binary or regression. A file has "
            + "data.task."), DefaultValue("auto")]
        public string Task { get; set; } = "auto";
    }

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        if (settings.Schema)
        {
            Console.Write(Configuration.Schema.Text);
            return 0;
        }
        if (settings.Peers != null)
            return Compare(settings, settings.Peers, cancellationToken);
        if (settings.File == null)
            throw new FormatException("Give a YAML file, famlnet benchmark experiment.yaml, or --peers with a table or a folder of images.");
        if (settings.ToArguments() is [var option, ..])
            throw new FormatException($"{option} is for --peers. A file has {TableKeys.AsKeys(option)}; --set data.… overrides it.");
        return Activity.Run($"running '{settings.File}'", () => RunFile(settings, settings.File, cancellationToken));
    }

    private static int RunFile(Settings settings, string path, CancellationToken cancellationToken)
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
        Show(result);
        Messages.Say($"Everything is in {folder}.");
        return 0;
    }

    /// <summary>The configuration that was run: the file as it is, or with what --set overrides in one text that YAML reads.</summary>
    private static void WriteCopy(Settings settings, YamlFile file, string copy)
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
    private static int Check(Settings settings, ExperimentSettings experiment, CancellationToken cancellationToken)
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

    private static void Write(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static int Compare(Settings settings, string path, CancellationToken cancellationToken)
    {
        if (settings.Set.Length > 0 || settings.Check)
            throw new FormatException($"{(settings.Check ? "--check" : "--set")} is for a YAML file, not for --peers.");
        if (settings.Folds is < 2 or > 100)
            throw new FormatException($"--folds must be from 2 to 100; found {settings.Folds}.");
        if (settings.Rows is < 10)
            throw new FormatException($"--rows must be at least 10; found {settings.Rows}.");
        if (settings.Epochs is < 1)
            throw new FormatException($"--epochs must be at least 1; found {settings.Epochs}.");
        MLContext mlContext = new(1);
        PeerNotes notes = new();
        DataSource data = Activity.Run($"reading '{path}'", () => DataSource.ForTraining(mlContext, path, settings.Label, !settings.NoHeader,
            notes.Say, LabelTask.Parse(settings.Task), settings.ChoicesFor(path), settings.Format));
        if (settings.Rows is { } rows)
            data = data with { View = mlContext.Data.TakeRows(data.View, rows) };
        int epochs = settings.Epochs ?? (data.IsImages ? 10 : 100);
        if (settings.Peer is { } name)
        {
            Peer peer = Peers.Peer.Of(data.Task.Kind).First(peer => peer.Name == name);
            mlContext.Log += (_, message) => PeerNotes.Print(message);
            Console.WriteLine(JsonSerializer.Serialize(peer.Measure(mlContext, data, settings.Folds, epochs, Console.WriteLine),
                PeerTable.Format));
            return 0;
        }
        using StopSignals stop = new(cancellationToken);
        List<string> arguments = ["--peers", path, "--label", settings.Label, "--folds", $"{settings.Folds}", "--epochs", $"{epochs}"];
        if (settings.Rows is { } count)
            arguments.AddRange(["--rows", $"{count}"]);
        // The processes get the task that was told here, of all rows.
        arguments.AddRange(["--task", data.Task.Kind.ToString().ToLowerInvariant(), .. settings.ToArguments()]);
        IReadOnlyList<Peer> peers = Peers.Peer.Of(data.Task.Kind);
        List<PeerMeasures> measures = PeerTable.Run(peers, arguments, notes, Console.WriteLine, stop.Token);
        string table = PeerTable.Markdown(measures);
        Console.WriteLine();
        Console.WriteLine(table);
        if (settings.Output is { } output)
            WholeFile.WriteText(output, table);
        return measures.Count == peers.Count ? 0 : 1;
    }

    private static void Show(ExperimentResult result)
    {
        foreach ((string what, TestMeasures? measures) in new[] { ("last", result.Last), ("best", result.Best) })
        {
            if (measures == null)
                continue;
            string chosen = what == "best" ? $", chosen on the {result.ChosenOn} rows" : "";
            string epoch = result.Epochs == 0 ? "saved model" : $"{what} epoch ({measures.Epoch}{chosen})";
            Console.WriteLine($"{epoch}: {measures.Describe(result.K)}");
        }
        if (result.RowsOfUnseenClasses is { } unseen)
            Write($"{unseen} test rows are of {result.UnseenClasses?.Count ?? 0} classes without a training row: they count as wrong.");
        if (result.ChosenOn == "test")
            Messages.Warn("The best epoch was chosen on the test rows, because the file says so: that figure is too good.");
        if (result.AlignmentAngle is { Count: > 0 } angles)
            Write($"alignment angle: mean {angles.Values.Average():F1}° ({Each(angles, "F1")})");
        if (result.NormRatio is { Count: > 0 } ratios)
            Write($"norm ratio: mean {ratios.Values.Average():F2} ({Each(ratios, "F2")})");
        foreach (AttackMeasures attack in result.Robustness ?? [])
            Write($"{attack.Attack}, {attack.ThreatModel} gradient: {attack.RobustAccuracy:P1} of {attack.Rows} rows right");
        if (result.Epochs > 0)
            Write($"{result.Epochs} epochs, {result.TrainingSeconds:F0} s of training");
    }

    private static string Each(IReadOnlyDictionary<string, double> values, string format) =>
        string.Join(", ", values.Select(pair => $"{pair.Key} {pair.Value.ToString(format, CultureInfo.InvariantCulture)}"));
}
