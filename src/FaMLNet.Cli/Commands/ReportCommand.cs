using System.ComponentModel;
using FaMLNet.Cli.Pipelines;
using FaMLNet.Cli.Terminal;
using FaMLNet.Reporting;
using FaMLNet.Reporting.TensorBoard;
using Microsoft.ML;
using Spectre.Console;
using Spectre.Console.Cli;

namespace FaMLNet.Cli.Commands;

/// <summary><c>famlnet report</c>: trainings side by side, from what they have left.</summary>
internal sealed class ReportCommand : Command<ReportCommand.Settings>
{
    internal sealed class Settings : CommandSettings
    {
        [Input]
        [CommandArgument(0, "<runs>"), Description(
            "Saved models (.zip), histories (.csv, .jsonl) and folders with such histories or with event files of TensorBoard.")]
        public string[] Runs { get; set; } = [];

        [Output]
        [CommandOption("-o|--output <FILE>"), Description("The report."), DefaultValue("report.html")]
        public string Output { get; set; } = "report.html";

        [CommandOption("-t|--title <TITLE>"), Description("Above everything.")]
        public string? Title { get; set; }

        [Output(IsFolder = true)]
        [CommandOption("-p|--pictures <FOLDER>"), Description("Saves the pictures there as well, as PNG and SVG.")]
        public string? Pictures { get; set; }
    }

    public override int Execute(CommandContext context, Settings settings, CancellationToken cancellationToken)
    {
        List<(string Path, Func<IReadOnlyList<EpochMetrics>> Read)> runs = [.. settings.Runs.SelectMany(Find)];
        if (runs.Count == 0)
        {
            string all = string.Join(", ", settings.Runs.Select(run => $"'{run}'"));
            throw new FileNotFoundException($"Nothing to report on in {all}: a saved model, a history ("
                + ".csv or .jsonl, of 'famlnet train --csv') or a folder of event files ('--tensorboard') is expected.");
        }
        TrainingReport report = new(settings.Title ?? "Trainings");
        string[] names = Names([.. runs.Select(run => run.Path)]);
        using Activity making = Activity.Start($"making '{settings.Output}'");
        foreach ((string name, (string path, Func<IReadOnlyList<EpochMetrics>> read)) in names.Zip(runs))
        {
            IReadOnlyList<EpochMetrics> history = Activity.Run($"reading '{path}'", read);
            if (history.Count == 0)
                throw new FormatException($"'{path}' has no epochs: there is nothing to report on.");
            report.Add(name, history);
        }
        report.SaveHtml(settings.Output);
        Messages.Say($"{runs.Count} {(runs.Count == 1 ? "training" : "trainings")}: {settings.Output}.");
        if (settings.Pictures != null)
            Messages.Say($"{report.SavePictures(settings.Pictures).Count} pictures in {settings.Pictures}.");
        return 0;
    }

    /// <summary>The trainings that a path stands for.</summary>
    private static IEnumerable<(string Path, Func<IReadOnlyList<EpochMetrics>> Read)> Find(string path)
    {
        if (Directory.Exists(path))
        {
            foreach (string folder in Directory.EnumerateDirectories(path, "*", SearchOption.AllDirectories).Prepend(path)
                .Order(StringComparer.Ordinal))
            {
                foreach ((string Path, Func<IReadOnlyList<EpochMetrics>> Read) run in EventRuns(folder))
                    yield return run;
                foreach (string file in Directory.EnumerateFiles(folder).Where(IsHistory).Order(StringComparer.Ordinal))
                    yield return (file, () => HistoryFile.Read(file));
            }
            yield break;
        }
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file or folder '{path}'.");
        if (IsHistory(path))
            yield return (path, () => HistoryFile.Read(path));
        else if (EventHistory.IsEventFile(path))
        {
            foreach ((string Path, Func<IReadOnlyList<EpochMetrics>> Read) run in EventRuns(Path.GetDirectoryName(Path.GetFullPath(path))!))
                yield return run;
        }
        else
            yield return (path, () => OfModel(path));
    }

    /// <summary>The trainings in a folder of event files: none, one or several.</summary>
    private static IEnumerable<(string Path, Func<IReadOnlyList<EpochMetrics>> Read)> EventRuns(string folder) =>
        Directory.EnumerateFiles(folder).Any(EventHistory.IsEventFile) ? EventHistory.Read(folder)
            .Select<IReadOnlyList<EpochMetrics>, (string, Func<IReadOnlyList<EpochMetrics>>)>(history => (folder, () => history)) : [];

    private static IReadOnlyList<EpochMetrics> OfModel(string path)
    {
        SavedModel model = SavedModel.Load(new MLContext(), path, label: null);
        return model.Network?.History ?? throw new FormatException($"'{path}' is a model, but not one of FaMLNet's: it has no history.");
    }

    private static bool IsHistory(string path) => Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".jsonl" or ".ndjson";

    /// <summary>As short as tells them apart: file names, or as much of the paths before them as it takes.</summary>
    private static string[] Names(string[] paths)
    {
        string[][] parts = [.. paths.Select(path => (File.Exists(path) ? Path.ChangeExtension(Path.GetFullPath(path), null) : Path.GetFullPath(path))
            .Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))];
        for (int count = 1; ; count++)
        {
            string[] names = [.. parts.Select(part => string.Join('/', part.TakeLast(count)))];
            if (names.Distinct().Count() == names.Length)
                return names;
            if (count >= parts.Max(part => part.Length))
                return [.. names.Select((name, i) => names.Take(i).Contains(name) ? $"{name} ({i + 1})" : name)];
        }
    }
}
