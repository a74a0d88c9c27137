using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Peers;
using Microsoft.ML;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli;

/// <summary><c>famlnet benchmark</c>: one experiment from a file.</summary>
internal sealed class BenchmarkCommand : Command<BenchmarkCommand.Settings>
{
    internal sealed class Settings : CommandSettings
    {
        [CommandArgument(0, "[file]"), Description("A YAML file with experiment, data, model, training, infrastructure and evaluation; "
            + "BioTorch's files are such.")]
        public string? File { get; set; }

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

        [CommandOption("-o|--output <FILE>"), Description("With --peers: writes the table there, as Markdown.")]
        public string? Output { get; set; }

        [CommandOption("--peer <TRAINER>", IsHidden = true)]
        public string? Peer { get; set; }

        [CommandOption("--check"), Description("Checks the file and does nothing else.")]
        public bool Check { get; set; }
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
        YamlFile file = YamlFile.Read(settings.File);
        ExperimentSettings experiment = ExperimentSettings.Read(file);
        if (file.Root["sweep"] != null)
            throw file.Error("/sweep", "the file is a sweep of many experiments. Run it with 'famlnet sweep'.");
        if (settings.Check)
        {
            AnsiConsole.WriteLine($"{settings.File} is in order.");
            return 0;
        }
        using StopSignals stop = new(cancellationToken);
        string folder = experiment.OutputFolder, copy = Path.Combine(folder, "config.yaml");
        ExperimentResult result = null!;
        void Run(Action<EpochMetrics>? epochDone) => result = Experiment.Run(experiment, new ExperimentRun
        {
            Folder = folder,
            Data = settings.Data,
            Strict = settings.Strict,
            EpochDone = epochDone,
            Say = AnsiConsole.WriteLine,
            Log = settings.Log ? Messages.Print : Messages.PrintWarning,
            Cancellation = stop.Token,
        });
        if (settings.Log || !experiment.Trains)
            Run(null);
        else
            TrainingView.Run(AnsiConsole.Console, view => Run(view.Add(experiment.Name, experiment.Epochs)));
        WholeFile.Write(copy, path => System.IO.File.Copy(settings.File, path, overwrite: true));
        Show(result);
        AnsiConsole.WriteLine($"Everything is in {folder}.");
        return 0;
    }

    private static int Compare(Settings settings, string path, CancellationToken cancellationToken)
    {
        if (settings.Folds is < 2 or > 100)
            throw new FormatException($"--folds must be from 2 to 100; found {settings.Folds}.");
        if (settings.Rows is < 10)
            throw new FormatException($"--rows must be at least 10; found {settings.Rows}.");
        if (settings.Epochs is < 1)
            throw new FormatException($"--epochs must be at least 1; found {settings.Epochs}.");
        MLContext mlContext = new(1);
        DataSource data = DataSource.ForTraining(mlContext, path, settings.Label, hasHeader: true, _ => { });
        if (settings.Rows is { } rows)
            data = data with { View = mlContext.Data.TakeRows(data.View, rows) };
        int epochs = settings.Epochs ?? (data.IsImages ? 10 : 100);
        if (settings.Peer is { } name)
        {
            Peer peer = Peers.Peer.All.First(peer => peer.Name == name);
            Console.WriteLine(JsonSerializer.Serialize(peer.Measure(mlContext, data, settings.Folds, epochs)));
            return 0;
        }
        if (settings.Output != null)
            WholeFile.Prepare(settings.Output);
        using StopSignals stop = new(cancellationToken);
        List<string> arguments = ["--peers", path, "--label", settings.Label, "--folds", $"{settings.Folds}", "--epochs", $"{epochs}"];
        if (settings.Rows is { } count)
            arguments.AddRange(["--rows", $"{count}"]);
        List<PeerMeasures> measures = PeerTable.Run(arguments, Console.WriteLine, stop.Token);
        string table = PeerTable.Markdown(measures);
        Console.WriteLine();
        Console.WriteLine(table);
        if (settings.Output is { } output)
            WholeFile.WriteText(output, table);
        return measures.Count == Peers.Peer.All.Count ? 0 : 1;
    }

    private static void Show(ExperimentResult result)
    {
        foreach ((string what, TestMeasures? measures) in new[] { ("last", result.Last), ("best", result.Best) })
        {
            if (measures == null)
                continue;
            string chosen = what == "best" ? $", chosen on the {result.ChosenOn} rows" : "";
            string epoch = result.Epochs == 0 ? "saved model" : $"{what} epoch ({measures.Epoch}{chosen})";
            double error = 1 - measures.Top1;
            Write($"{epoch}: top-1 {measures.Top1:P2}, top-{result.K} {measures.TopK:P2}, error {error:P2}, log-loss {measures.LogLoss:F3}");
        }
        if (result.ChosenOn == "test")
            AnsiConsole.MarkupLine("[yellow]The best epoch was chosen on the test rows, because the file says so: that figure is too good.[/]");
        if (result.AlignmentAngle is { Count: > 0 } angles)
            Write($"alignment angle: mean {angles.Values.Average():F1}° ({Each(angles, "F1")})");
        if (result.NormRatio is { Count: > 0 } ratios)
            Write($"norm ratio: mean {ratios.Values.Average():F2} ({Each(ratios, "F2")})");
        foreach (AttackMeasures attack in result.Robustness ?? [])
            Write($"{attack.Attack}, {attack.ThreatModel} gradient: {attack.RobustAccuracy:P1} of {attack.Rows} rows right");
        if (result.Epochs > 0)
            Write($"{result.Epochs} epochs, {result.TrainingSeconds:F0} s of training");

        static void Write(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }

    private static string Each(IReadOnlyDictionary<string, double> values, string format) =>
        string.Join(", ", values.Select(pair => $"{pair.Key} {pair.Value.ToString(format, CultureInfo.InvariantCulture)}"));
}
