using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Experiments;
using FaMLNet.Reporting;

namespace FaMLNet.Cli.Sweeps;

/// <summary>A sweep's results in one table: CSV, JSON, Markdown, and an HTML comparison of the trainings.</summary>
internal static class SweepTable
{
    private const string Seed = "seed";

    /// <summary>A trial with what it has left.</summary>
    private sealed record Row(Trial Trial, TrialState State, ExperimentResult? Result, string? Failure);

    /// <summary>Gathers what is there, at any time.</summary>
    /// <returns>The Markdown table, and trials done and failed.</returns>
    public static (string Markdown, int Done, int Failed) Write(SweepFile sweep, SweepFolder folder)
    {
        List<Row> rows = [.. sweep.Trials.Select(trial => Load(folder, trial))];
        string markdown = Markdown(sweep, rows);
        foreach ((string file, string content) in new[] { ("results.csv", Csv(rows)), ("results.json", Json(rows)), ("results.md", markdown) })
            WholeFile.WriteText(Path.Combine(folder.Path, file), content);
        Report(sweep, folder, rows);
        return (markdown, rows.Count(row => row.State == TrialState.Done), rows.Count(row => row.State == TrialState.Failed));
    }

    private static Row Load(SweepFolder folder, Trial trial)
    {
        TrialState state = folder.StateOf(trial);
        return new Row(trial, state, state == TrialState.Done ? ExperimentResult.Read(Path.Combine(folder.FolderOf(trial), Experiment.ResultFile))
            : null,
            state == TrialState.Failed ? folder.FailureOf(trial) : null);
    }

    private static string[] KeysOf(List<Row> rows) => [.. rows[0].Trial.Varied.Keys];

    private static string Csv(List<Row> rows)
    {
        string[] keys = KeysOf(rows);
        StringBuilder text = new();
        Line([.. keys, "state", "epochs", "last_top1", "last_topk", "last_log_loss", "best_epoch", "best_top1", "best_topk", "chosen_on",
            "validation_accuracy", "best_validation_accuracy", "training_accuracy", "training_seconds", "mean_alignment_angle", "mean_norm_ratio",
            "failure", "trial"]);
        foreach (Row row in rows)
        {
            ExperimentResult? result = row.Result;
            Line([.. keys.Select(key => row.Trial.Varied[key]), row.State.ToString().ToLowerInvariant(), Text(result?.Epochs),
                Text(result?.Last?.Top1),
                Text(result?.Last?.TopK), Text(result?.Last?.LogLoss), Text(result?.Best?.Epoch), Text(result?.Best?.Top1), Text(result?.Best?.TopK),
                result?.ChosenOn ?? "", Text(result?.ValidationAccuracy), Text(result?.BestValidationAccuracy), Text(result?.TrainingAccuracy),
                Text(result?.TrainingSeconds), Text(result?.AlignmentAngle?.Values.Average()), Text(result?.NormRatio?.Values.Average()),
                row.Failure ?? "", row.Trial.Name]);
        }
        return text.ToString();

        void Line(string[] cells) => text.Append(HistoryFile.Join(cells)).Append('\n');
    }

    private static string Json(List<Row> rows) => new JsonArray([.. rows.Select(row => (JsonNode)new JsonObject
    {
        ["trial"] = row.Trial.Name,
        ["varied"] = new JsonObject(row.Trial.Varied.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        ["state"] = row.State.ToString().ToLowerInvariant(),
        ["failure"] = row.Failure,
        ["result"] = row.Result == null ? null : JsonSerializer.SerializeToNode(row.Result, ExperimentResult.Json),
    })]).ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";

    /// <summary>A line a setting: mean ± standard deviation over the seeds.</summary>
    private static string Markdown(SweepFile sweep, List<Row> rows)
    {
        string[] keys = [.. KeysOf(rows).Where(key => key != Seed)];
        StringBuilder text = new($"# {sweep.Name}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{rows.Count(row => row.State == TrialState.Done)} of {rows.Count} trials done, "
            + $"{rows.Count(row => row.State == TrialState.Failed)} failed. Accuracies on the test rows, %, mean ± standard deviation over "
            + $"the seeds.\n\n");
        bool chosen = rows.Any(row => row.Result?.Best != null), validated = rows.Any(row => row.Result?.ValidationAccuracy != null);
        string[] header = [.. keys, "runs", "last epoch", .. chosen ? ["best epoch"] : Array.Empty<string>(), .. validated ? ["validation, last"]
            : Array.Empty<string>(), "training", "seconds", "angle, °"];
        text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", header)} |\n| {string.Join(" | ", header.Select(_ => "---"))} |\n");
        foreach (IGrouping<string, Row> group in rows.GroupBy(row => string.Join('\0', keys.Select(key => row.Trial.Varied[key]))))
        {
            ExperimentResult[] results = [.. group.Select(row => row.Result).OfType<ExperimentResult>()];
            string onTest = results.Any(result => result.ChosenOn == "test") ? " (chosen on the test rows)" : "";
            string[] cells =
            [
                .. keys.Select(key => group.First().Trial.Varied[key]), results.Length == group.Count() ? $"{results.Length}"
                    : $"{results.Length} of {group.Count()}",
                Spread(results.Select(result => 100 * result.Last?.Top1)), .. chosen ? [Spread(results.Select(result => 100 * result.Best?.Top1))
                    + onTest]
                    : Array.Empty<string>(), .. validated ? [Spread(results.Select(result => 100 * result.ValidationAccuracy))]
                        : Array.Empty<string>(),
                Spread(results.Select(result => 100 * result.TrainingAccuracy)), Spread(results.Select(result => (double?)result.TrainingSeconds),
                    "F0"),
                Spread(results.Select(result => result.AlignmentAngle?.Values.Average()), "F1"),
            ];
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells)} |\n");
        }
        foreach (IGrouping<string?, Row> failure in rows.Where(row => row.Failure != null).GroupBy(row => row.Failure))
            text.Append(CultureInfo.InvariantCulture, $"\nFailed: {string.Join(", ", failure.Select(row => row.Trial.Name))}: {failure.Key}\n");
        return text.ToString();
    }

    private static void Report(SweepFile sweep, SweepFolder folder, List<Row> rows)
    {
        TrainingReport report = new(sweep.Name);
        bool any = false;
        foreach (IGrouping<string, Row> group in rows.GroupBy(row => string.Join(", ", row.Trial.Varied.Where(pair =>
            pair.Key != Seed).Select(pair => pair.Value))))
        {
            List<IReadOnlyList<EpochMetrics>> histories = [.. group.Where(row => row.State == TrialState.Done)
                .Select(row => Path.Combine(folder.FolderOf(row.Trial), Experiment.HistoryFile)).Where(File.Exists).Select(HistoryFile.Read)
                .Where(history => history.Count > 0)];
            if (histories.Count == 0)
                continue;
            report.Add(group.Key.Length > 0 ? group.Key : sweep.Name, histories);
            any = true;
        }
        if (any)
            report.SaveHtml(Path.Combine(folder.Path, "results.html"));
    }

    private static string Spread(IEnumerable<double?> values, string format = "F2")
    {
        double[] known = [.. values.OfType<double>()];
        if (known.Length == 0)
            return "–";
        (double mean, double deviation) = Statistics.Spread(known);
        string text = mean.ToString(format, CultureInfo.InvariantCulture);
        return known.Length == 1 ? text : $"{text} ± {deviation.ToString(format, CultureInfo.InvariantCulture)}";
    }

    private static string Text(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "";
}
