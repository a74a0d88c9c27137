using System.Globalization;
using FaMLNet;
using Spectre.Console;

namespace Robustness;

/// <summary>What one attack did to the model of one rule and seed.</summary>
internal sealed record ResultLine(FeedbackRule Rule, int Seed, double CleanAccuracy, AttackResult Result)
{
    private string Kind => $"{Result.Attack}{(Result.ThreatModel is { } model ? model == ThreatModel.TrueGradient ? ", true" : ", feedback" : "")}";

    /// <summary>All lines as CSV.</summary>
    public static void Save(IEnumerable<ResultLine> lines, string path) => File.WriteAllLines(path,
    [
        "Rule,Seed,CleanAccuracy,Attack,Norm,Bound,ThreatModel,RobustAccuracy,SuccessRate,AttackedRows,ForwardQueries,GradientQueries,Seconds",
        .. lines.Select(line => line.ToCsv()),
    ]);

    /// <summary>Robust accuracies, means over the seeds: a row an attack, a column a rule.</summary>
    public static Table Table(IReadOnlyList<ResultLine> lines)
    {
        FeedbackRule[] rules = [.. lines.Select(line => line.Rule).Distinct()];
        Table table = new Table().Title("Share of images that are still seen rightly").AddColumn("attack");
        foreach (FeedbackRule rule in rules)
            table.AddColumn(new TableColumn(rule.ShortName).RightAligned());
        table.AddRow(["none", .. rules.Select(rule => Percent(lines.Where(line => line.Rule == rule), line => line.CleanAccuracy))]);
        foreach (string kind in lines.OrderBy(line => line.Result.ThreatModel).ThenBy(line => line.Result.Attack.Name).Select(line => line.Kind)
            .Distinct())
            table.AddRow([kind.EscapeMarkup(), .. rules.Select(rule => Percent(lines.Where(line => line.Rule == rule && line.Kind == kind),
                line => line.Result.RobustAccuracy))]);
        return table;
    }

    private string ToCsv()
    {
        AttackResult result = Result;
        IFormattable[] start = [Seed, Math.Round(CleanAccuracy, 4)], end = [Math.Round(result.RobustAccuracy, 4), Math.Round(result.SuccessRate, 4),
            result.AttackedRows, result.ForwardQueries, result.GradientQueries, Math.Round(result.Seconds, 2)];
        string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
        return string.Join(',', [Rule.ShortName, .. start.Select(Text), result.Attack.Name, $"{result.Attack.Norm}",
            result.Attack.Bound.ToString("0.######", CultureInfo.InvariantCulture), result.ThreatModel?.ToString() ?? "BlackBox",
                .. end.Select(Text)]);
    }

    private static string Percent(IEnumerable<ResultLine> lines, Func<ResultLine, double> value) =>
        lines.Select(value).Average().ToString("P1", CultureInfo.InvariantCulture);
}
