using FaMLNet.Reporting.Pictures;

namespace FaMLNet.Reporting;

/// <summary>Accuracy against the strength of attacks: a diagram an attack, a line a model.</summary>
/// <example>
/// <code>
/// RobustnessCurves curves = new("LeNet on Fashion-MNIST");
/// curves.Add("DFA", report);
/// curves.SavePicture("robustness");
/// </code>
/// </example>
public sealed class RobustnessCurves
{
    private readonly string _title;
    private readonly List<(string Name, RobustnessReport[] Reports)> _models = [];

    /// <param name="title">Above everything.</param>
    public RobustnessCurves(string title)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        _title = title;
    }

    /// <summary>Adds a model, or several that differ in their seeds only: then their mean is shown, in a band from the least to the
    /// greatest.</summary>
    /// <param name="name">What to call it; each once.</param>
    /// <param name="reports">One per seed; with several bounds of an attack its curve has several points.</param>
    /// <exception cref="ArgumentException">The name is taken, or there is no report.</exception>
    public void Add(string name, params IReadOnlyList<RobustnessReport> reports)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(reports);
        if (_models.Exists(model => model.Name == name))
            throw new ArgumentException($"There is a model called '{name}' already. Give each a name of its own.", nameof(name));
        if (reports.Count == 0)
            throw new ArgumentException($"The model '{name}' has no report: there is nothing to show.", nameof(reports));
        _models.Add((name, [.. reports]));
    }

    /// <summary>Saves the diagrams as PNG (2 pixels a unit) and SVG.</summary>
    /// <param name="path">Without the ending; files of that name are replaced. Their folder is created.</param>
    /// <exception cref="InvalidOperationException">Nothing has been added.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void SavePicture(string path)
    {
        if (_models.Count == 0)
            throw new InvalidOperationException($"'{_title}' has no model: there is nothing to save. Call Add first.");
        Figure figure = Draw();
        WholeFile.Write(path + ".png", temporary => File.WriteAllBytes(temporary, figure.ToPng().Png));
        WholeFile.Write(path + ".svg", figure.WriteSvg);
    }

    private CurveFigure Draw()
    {
        // Attacks that differ in their bounds only share a diagram.
        (string Title, bool IsCount)[] kinds = [.. _models.SelectMany(model => model.Reports).SelectMany(report => report.Results)
            .Where(result => double.IsFinite(result.Attack.Bound)).Select(result => (Kind(result), result.Attack.Norm == AttackNorm.L0)).Distinct()];
        Panel[] panels = [.. kinds.Select(kind => new Panel(kind.Title, "share right",
            [.. _models.Select((model, key) => new PanelCurve(key, CurveOf(model.Reports, kind.Title)))])
        {
            Horizontal = kind.IsCount ? Panel.Pixels : "bound",
            Range = (0, 1),
        })];
        bool hasBands = panels.Any(panel => panel.Curves.Any(shown => shown.Curve.HasBand));
        return new CurveFigure(_title, panels, [.. _models.Select(model => model.Name)],
            hasBands ? "Mean over the seeds; bands from the least to the greatest." : "");
    }

    private static string Kind(AttackResult result)
    {
        string settings = result.Attack.Settings.Length == 0 ? "" : $", {result.Attack.Settings}", model = result.ThreatModel switch
        {
            ThreatModel.TrueGradient => ", true gradient",
            ThreatModel.FeedbackGradient => ", feedback gradient",
            _ => "",
        };
        string norm = result.Attack.Norm switch { AttackNorm.LInfinity => " L∞", AttackNorm.L2 => " L2", _ => "" };
        return $"{result.Attack.Name}{norm}{settings}{model}";
    }

    /// <summary>From the clean accuracy at a bound of 0 on.</summary>
    private static Curve CurveOf(RobustnessReport[] reports, string kind)
    {
        (double Bound, double Accuracy)[] points = [.. reports.SelectMany(report => report.Results.Where(result => Kind(result) == kind)
            .Select(result => (result.Attack.Bound, result.RobustAccuracy)).Prepend((0, report.CleanAccuracy)))];
        IGrouping<double, double>[] places = [.. points.GroupBy(point => point.Bound, point => point.Accuracy).OrderBy(group => group.Key)];
        return new Curve([.. places.Select(group => group.Key)], [.. places.Select(group => group.Average())], [.. places.Select(group =>
            group.Min())],
            [.. places.Select(group => group.Max())]);
    }
}
