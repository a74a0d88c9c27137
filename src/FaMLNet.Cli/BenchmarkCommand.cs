using System.ComponentModel;
using System.Globalization;
using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli;

/// <summary><c>famlnet benchmark</c>: one experiment from a file.</summary>
internal sealed class BenchmarkCommand : Command<BenchmarkCommand.Settings>
{
    internal sealed class Settings : CommandSettings
    {
        [CommandArgument(0, "[file]"), Description("A YAML file with experiment, data, model, training, infrastructure and evaluation; BioTorch's files "
            + "are such.")]
        public string? File { get; set; }

        [CommandOption("-d|--data <FOLDER>"), Description("Where the data set is. Without it data.dataset_path, or the folder of the set's name below "
            + "FAMLNET_DATA or datasets.")]
        public string? Data { get; set; }

        [CommandOption("--strict"), Description("A CUDA device that is not there is an error instead of a warning.")]
        public bool Strict { get; set; }

        [CommandOption("--log"), Description("Prints ML.NET's messages instead of the view.")]
        public bool Log { get; set; }

        [CommandOption("--schema"), Description("Prints the JSON schema of the file, for editors, and does nothing else.")]
        public bool Schema { get; set; }

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
        if (settings.File == null)
            throw new FormatException("Give a YAML file: famlnet benchmark experiment.yaml.");
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

    private static void Show(ExperimentResult result)
    {
        foreach ((string what, TestMeasures? measures) in new[] { ("last", result.Last), ("best", result.Best) })
        {
            if (measures == null)
                continue;
            string epoch = result.Epochs == 0 ? "saved model" : $"{what} epoch ({measures.Epoch}{(what == "best" ? $", chosen on the {result.ChosenOn} rows" : "")})";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{epoch}: top-1 {measures.Top1:P2}, top-{result.K} {measures.TopK:P2}, error "
                + $"{1 - measures.Top1:P2}, log-loss {measures.LogLoss:F3}"));
        }
        if (result.ChosenOn == "test")
            AnsiConsole.MarkupLine("[yellow]The best epoch was chosen on the test rows, because the file says so: that figure is too good.[/]");
        if (result.AlignmentAngle is { Count: > 0 } angles)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"alignment angle: mean {angles.Values.Average():F1}° ({Each(angles, "F1")})"));
        if (result.NormRatio is { Count: > 0 } ratios)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"norm ratio: mean {ratios.Values.Average():F2} ({Each(ratios, "F2")})"));
        foreach (AttackMeasures attack in result.Robustness ?? [])
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{attack.Attack}, {attack.ThreatModel} gradient: {attack.RobustAccuracy:P1} of "
                + $"{attack.Rows} rows right"));
        if (result.Epochs > 0)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Epochs} epochs, {result.TrainingSeconds:F0} s of training"));
    }

    private static string Each(IReadOnlyDictionary<string, double> values, string format) =>
        string.Join(", ", values.Select(pair => $"{pair.Key} {pair.Value.ToString(format, CultureInfo.InvariantCulture)}"));
}
