using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sets;
using FaMLNet.Cli.Tables;
using FaMLNet.Reporting;

namespace FaMLNet.Cli.Sweeps;

/// <summary>A sweep's results in one table: CSV, JSON, Markdown, and an HTML comparison of the trainings.</summary>
internal static class SweepTable
{
    private const string Seed = "seed";

    /// <summary>A trial with what it has left.</summary>
    private sealed record Row(Trial Trial, TrialState State, ExperimentResult? Result, string? Failure)
    {
        /// <summary>Whether the identity of the result is recorded; empty where there is no result.</summary>
        public string Identity => Result == null ? "" : Result.Identity == null ? "not recorded" : "recorded";
    }

    /// <summary>Gathers what is there, at any time.</summary>
    /// <returns>The Markdown table, and trials done and failed.</returns>
    public static (string Markdown, int Done, int Failed) Write(SweepFile sweep, SweepFolder folder)
    {
        List<Row> rows = [.. sweep.Trials.Select(trial => Load(folder, trial))];
        string markdown = Markdown(sweep, rows);
        foreach ((string file, string content) in new[] { ("results.csv", Csv(rows)), ("results.json", Json(rows)), ("results.md", markdown) })
            WholeFile.WriteText(Path.Combine(folder.Path, file), content);
        Report(sweep, folder, rows);
        return (markdown, rows.Count(row => row.Result != null), rows.Count(row => row.State == TrialState.Failed));
    }

    private static Row Load(SweepFolder folder, Trial trial)
    {
        TrialState state = folder.StateOf(trial);
        KnownResult? known = state is TrialState.Done or TrialState.NotRecorded or TrialState.Other ? folder.ResultOf(trial) : null;
        return new Row(trial, state, state == TrialState.Other ? null : known?.Result, state switch
        {
            TrialState.Failed => folder.FailureOf(trial),
            TrialState.Other => $"the folder has another experiment's result: {ExperimentIdentity.Summary(known!.Differences)}",
            _ => null,
        });
    }

    /// <summary>The tasks of the results, the first of which has the columns of a table without any.</summary>
    private static TaskKind[] TasksOf(List<Row> rows) => [.. rows.Select(row => row.Result?.Kind).OfType<TaskKind>().Distinct().Order()
        .DefaultIfEmpty(TaskKind.Multiclass)];

    private static string StateOf(Row row) => row.State switch
    {
        TrialState.NotRecorded => "done",
        TrialState.Other => "other",
        _ => row.State.ToString().ToLowerInvariant(),
    };

    private static string[] KeysOf(List<Row> rows) => [.. rows[0].Trial.Varied.Keys];

    private static string Csv(List<Row> rows)
    {
        string[] keys = KeysOf(rows);
        StringBuilder text = new();
        TestMeasure[] measures = [.. TasksOf(rows).SelectMany(TestMeasure.Of).DistinctBy(measure => measure.Column)];
        bool isRegression = TasksOf(rows).Contains(TaskKind.Regression);
        string[] ofRegression = isRegression ? ["validation_rmse", "best_validation_rmse", "training_rmse"] : [];
        Line([.. keys, "state", "identity", "task", "epochs", .. measures.Select(measure => $"last_{measure.Column}"), "best_epoch",
            .. measures.Select(measure => $"best_{measure.Column}"), "chosen_on", "validation_accuracy", "best_validation_accuracy",
                "training_accuracy",
            .. ofRegression, "training_seconds", "mean_alignment_angle", "mean_norm_ratio", "rows_of_unseen_classes", "data", "failure", "trial"]);
        foreach (Row row in rows)
        {
            ExperimentResult? result = row.Result;
            Line([.. keys.Select(key => row.Trial.Varied[key]), StateOf(row), row.Identity, result?.Task ?? "", Text(result?.Epochs),
                .. measures.Select(measure => Text(result?.Last is { } last ? measure.Value(last) : null)), Text(result?.Best?.Epoch),
                .. measures.Select(measure => Text(result?.Best is { } best ? measure.Value(best) : null)),
                result?.ChosenOn ?? "", Text(result?.ValidationAccuracy), Text(result?.BestValidationAccuracy), Text(result?.TrainingAccuracy),
                .. isRegression ? [Text(result?.ValidationRootMeanSquaredError), Text(result?.BestValidationRootMeanSquaredError),
                    Text(result?.TrainingRootMeanSquaredError)] : Array.Empty<string>(),
                Text(result?.TrainingSeconds), Text(result?.AlignmentAngle?.Values.Average()), Text(result?.NormRatio?.Values.Average()),
                Text(result?.RowsOfUnseenClasses), DataOf(result), row.Failure ?? "", row.Trial.Name]);
        }
        return text.ToString();

        void Line(string[] cells) => text.Append(HistoryFile.Join(cells)).Append('\n');
    }

    /// <summary>The data of a result, with the beginning of its digests.</summary>
    private static string DataOf(ExperimentResult? result) => result?.Identity?["data"] is not JsonObject data ? ""
        : $"{data["name"]} ({data["format"]}) " + string.Join(' ', (data["files"] as JsonObject ?? [])
            .Select(file => $"{file.Value?["sha256"]}"[..12]));

    private static string Json(List<Row> rows) => new JsonArray([.. rows.Select(row => (JsonNode)new JsonObject
    {
        ["trial"] = row.Trial.Name,
        ["varied"] = new JsonObject(row.Trial.Varied.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        ["state"] = StateOf(row),
        ["identity"] = row.Result == null ? null : row.Identity,
        ["failure"] = row.Failure,
        ["result"] = row.Result == null ? null : JsonSerializer.SerializeToNode(row.Result, ExperimentResult.Json),
    })]).ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";

    /// <summary>A line a setting: mean ± standard deviation over the seeds.</summary>
    private static string Markdown(SweepFile sweep, List<Row> rows)
    {
        string[] keys = [.. KeysOf(rows).Where(key => key != Seed)];
        TestMeasure[] measures = [.. TasksOf(rows).Select(task => TestMeasure.Of(task)[0]).DistinctBy(measure => measure.Title)];
        bool isClasses = TasksOf(rows).All(task => task != TaskKind.Regression);
        int done = rows.Count(row => row.Result != null), unrecorded = rows.Count(row => row.State == TrialState.NotRecorded);
        StringBuilder text = new($"# {sweep.Name}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{done} of {rows.Count} trials done, {rows.Count(row => row.State == TrialState.Failed)} failed. ")
            .Append(isClasses ? "Accuracies on the test rows, %" : "On the test rows: "
                + string.Join("; ", measures.Select(measure => measure.Title)))
            .Append(", mean ± standard deviation over the seeds.\n\n");
        if (unrecorded > 0)
            text.Append(CultureInfo.InvariantCulture, $"Identity not recorded: {unrecorded} of {done} results were written before data, defaults "
                + $"and versions were recorded; they are marked by *.\n\n");
        foreach (string note in rows.Select(row => row.Result?.Identity?["data"] is { } data && $"{data["name"]}" == DataIdentity.Cifar10AsImageFiles
            ? $"Data: CIFAR-10 as {data["format"]}, not the published CIFAR-10." : null).OfType<string>().Distinct())
            text.Append(note).Append("\n\n");
        bool chosen = rows.Any(row => row.Result?.Best != null), validated = rows.Any(row => ValidationOf(row.Result) != null);
        string[] none = [];
        string[] header = [.. keys, "runs", .. measures.Select(measure => isClasses ? "last epoch" : $"{measure.Title}, last epoch"),
            .. chosen ? measures.Select(measure => isClasses ? "best epoch" : $"{measure.Title}, best epoch") : none,
            .. validated ? ["validation, last"] : none, "training", "seconds", "angle, °"];
        text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", header)} |\n| {string.Join(" | ", header.Select(_ => "---"))} |\n");
        foreach (IGrouping<string, Row> group in rows.GroupBy(row => string.Join('\0', keys.Select(key => row.Trial.Varied[key]))))
        {
            ExperimentResult[] results = [.. group.Select(row => row.Result).OfType<ExperimentResult>()];
            string onTest = results.Any(result => result.ChosenOn == "test") ? " (chosen on the test rows)" : "";
            string mark = group.Any(row => row.State == TrialState.NotRecorded) ? " *" : "";
            string[] cells =
            [
                .. keys.Select(key => group.First().Trial.Varied[key]),
                (results.Length == group.Count() ? $"{results.Length}" : $"{results.Length} of {group.Count()}") + mark,
                .. measures.Select(measure => Spread(measure, results, result => result.Last)),
                .. chosen ? measures.Select(measure => Spread(measure, results, result => result.Best) + onTest) : none,
                .. validated ? [Spread(results.Select(ValidationOf), FormatOf(results))] : none,
                Spread(results.Select(result => 100 * result.TrainingAccuracy ?? result.TrainingRootMeanSquaredError), FormatOf(results)),
                Spread(results.Select(result => (double?)result.TrainingSeconds), "F0"),
                Spread(results.Select(result => result.AlignmentAngle?.Values.Average()), "F1"),
            ];
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells)} |\n");
        }
        foreach (IGrouping<string?, Row> failure in rows.Where(row => row.Failure != null).GroupBy(row => row.Failure))
        {
            string kind = failure.Any(row => row.State == TrialState.Other) ? "Not shown" : "Failed";
            text.Append(CultureInfo.InvariantCulture, $"\n{kind}: {string.Join(", ", failure.Select(row => row.Trial.Name))}: {failure.Key}\n");
        }
        return text.ToString();
    }

    /// <summary>On the validation rows: accuracy in per cent, or a regression's error.</summary>
    private static double? ValidationOf(ExperimentResult? result) => 100 * result?.ValidationAccuracy ?? result?.ValidationRootMeanSquaredError;

    private static string FormatOf(ExperimentResult[] results) => results.Any(result => result.Kind == TaskKind.Regression) ? "G5" : "F2";

    private static string Spread(TestMeasure measure, ExperimentResult[] results, Func<ExperimentResult, TestMeasures?> of) =>
        Spread(results.Select(result => of(result) is { } measures && measure.Value(measures) is { } value ? (measure.IsShare ? 100 : 1) * value
            : (double?)null), measure.IsShare ? "F2" : "G5");

    private static void Report(SweepFile sweep, SweepFolder folder, List<Row> rows)
    {
        TrainingReport report = new(sweep.Name);
        bool any = false;
        foreach (IGrouping<string, Row> group in rows.GroupBy(row => string.Join(", ", row.Trial.Varied.Where(pair =>
            pair.Key != Seed).Select(pair => pair.Value))))
        {
            List<IReadOnlyList<EpochMetrics>> histories = [.. group.Where(row => row.Result != null)
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
