using System.Text;

namespace FaMLNet.Reporting.Pictures;

/// <summary>The pictures of a report.</summary>
internal static class ReportFigures
{
    /// <summary>By file name without extension.</summary>
    public static IEnumerable<(string Name, Figure Figure)> Of(string title, IReadOnlyList<Run> runs)
    {
        string[] names = [.. runs.Select(run => run.Name)];
        string bands = runs.Any(run => run.Histories.Count > 1) ? "Lines: means over seeds; bands: from the least to the greatest." : "";
        if (runs.Count > 1)
            yield return ("comparison", new CurveFigure(title, Comparison(runs), names, bands));
        foreach ((string name, string heading, string unit, Func<EpochMetrics, double?> training, Func<EpochMetrics, double?> validation) in Curves)
        {
            Panel panel = new("", unit, [.. runs.SelectMany((run, key) => new[]
            {
                new PanelCurve(key, Curve.Of(run, training)), new PanelCurve(key, Curve.Of(run, validation), IsDashed: true),
            }).Where(curve => !curve.Curve.IsEmpty)]);
            if (panel.Curves.Count == 0)
                continue;
            panel = panel with { IsLogarithmic = SpansManyOrders(panel) };
            string dashes = panel.Curves.Any(curve => curve.IsDashed) ? "Solid: training; dashed: validation. " : "Training. ";
            yield return (name, new CurveFigure($"{heading}: {title}", [panel], names, (dashes + bands).Trim()));
        }
        foreach (LayerMeasure measure in LayerMeasure.All)
        {
            string[] layers = [.. runs.SelectMany(run => run.LayersOf(measure)).Distinct()];
            if (layers.Length == 0)
                continue;
            Panel[] panels = [.. runs.Select(run => new Panel(run.Name, measure.Unit, [.. run.LayersOf(measure)
                .Select(layer => new PanelCurve(Array.IndexOf(layers, layer), Curve.Of(run, measure, layer)))
                .Where(curve => !curve.Curve.IsEmpty)], measure.Chance, measure.IsLogarithmic)).Where(panel => panel.Curves.Count > 0)];
            if (panels.Length > 0)
                yield return (FileName(measure.Tag), new CurveFigure($"{measure.Title} by layer: {title}", SameScale(panels), layers, bands));
        }
        HashSet<string> taken = [];
        foreach (Run run in runs.Where(run => run.Confusion != null))
        {
            string name = "confusion-" + FileName(run.Name);
            for (int number = 2; !taken.Add(name); number++)
                name = $"confusion-{FileName(run.Name)}-{number}";
            yield return (name, ConfusionPicture.Of(run.Confusion!, $"Confusion matrix: {run.Name}"));
        }
    }

    private static (string, string, string, Func<EpochMetrics, double?>, Func<EpochMetrics, double?>)[] Curves =>
    [
        ("loss", "Loss", LossUnit, metrics => metrics.Loss, metrics => metrics.ValidationLoss),
        ("accuracy", "Accuracy", "share right", metrics => metrics.Accuracy, metrics => metrics.ValidationAccuracy),
        ("rmse", "Root mean squared error", "units of the label", metrics => metrics.RootMeanSquaredError,
            metrics => metrics.ValidationRootMeanSquaredError),
    ];

    /// <summary>The cross-entropy in nats, or a regression's loss of the standardised target.</summary>
    internal const string LossUnit = "mean loss a row";

    private static List<Panel> Comparison(IReadOnlyList<Run> runs)
    {
        Panel Of(string heading, string unit, Func<Run, Curve> curve, double? chance = null)
        {
            Panel panel = new(heading, unit, [.. runs.Select((run, key) => new PanelCurve(key, curve(run)))
                .Where(shown => !shown.Curve.IsEmpty)], chance);
            return panel with { IsLogarithmic = chance == null && SpansManyOrders(panel) };
        }
        bool validates = runs.Any(run => run.Histories.Any(history => history.Any(metrics => metrics.ValidationLoss != null)));
        string on = validates ? "validation" : "training";
        return [.. new[]
        {
            Of($"Loss, {on}", LossUnit, run => Curve.Of(run, metrics => validates ? metrics.ValidationLoss : metrics.Loss)),
            Of($"Accuracy, {on}", "share right", run => Curve.Of(run, metrics => validates ? metrics.ValidationAccuracy : metrics.Accuracy)),
            Of($"Root mean squared error, {on}", "units of the label",
                run => Curve.Of(run, metrics => validates ? metrics.ValidationRootMeanSquaredError : metrics.RootMeanSquaredError)),
            Of("Alignment angle, mean of layers", "degrees", run => Curve.MeanOf(run, LayerMeasure.Alignment), LayerMeasure.Alignment.Chance),
            Of("Update angle, all parameters", "degrees", run => Curve.Of(run, metrics => metrics.TotalUpdateAngle), LayerMeasure.UpdateAngle.Chance),
        }.Where(panel => panel.Curves.Count > 0)];
    }

    /// <summary>Whether a linear axis would show nothing of the smaller curves: one of them has all but diverged.</summary>
    private static bool SpansManyOrders(Panel panel)
    {
        double[] values = [.. panel.Curves.SelectMany(curve => curve.Curve.Mean).Where(double.IsFinite)];
        return values.Length > 0 && values.Min() > 0 && values.Max() > 1000 * values.Min();
    }

    /// <summary>Panels beside each other are read against each other.</summary>
    private static Panel[] SameScale(Panel[] panels)
    {
        double[] values = [.. panels.SelectMany(panel => panel.Curves).SelectMany(curve => curve.Curve.Low.Concat(curve.Curve.High))
            .Where(double.IsFinite)];
        return [.. panels.Select(panel => panel with { Range = (values.Min(), values.Max()) })];
    }

    /// <summary>Letters, digits and dashes only.</summary>
    private static string FileName(string name)
    {
        StringBuilder file = new();
        foreach (char character in name.ToLowerInvariant())
            file.Append(char.IsAsciiLetterOrDigit(character) ? character : '-');
        string clean = file.ToString().Trim('-');
        return clean.Length > 0 ? clean : "run";
    }
}
