using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using FaMLNet.Reporting.Pictures;

namespace FaMLNet.Reporting.Html;

/// <summary>The page: text and tables from here, plots by plotly's script, which Plotly.NET's assembly carries.</summary>
internal static class HtmlReport
{
    private const string Script = "Plotly.NET.plotly-2.28.0.min.js", Licence = Script + ".LICENSE.txt";

    public static string Write(string title, IReadOnlyList<Run> runs)
    {
        StringBuilder page = new();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
            + "initial-scale=1\">\n<meta name=\"generator\" content=\"FaMLNet.Reporting\">\n");
        page.Append("<link rel=\"icon\" href=\"data:,\">\n<title>").Append(Text(title)).Append("</title>\n<style>\n").Append(Own("report.css"))
            .Append("</style>\n</head>\n<body>\n");
        page.Append("<header><h1>").Append(Text(title)).Append("</h1><button id=\"theme\" type=\"button\">Dark</button></header>\n<main>\n");
        page.Append("<noscript><p>The plots and their tables need JavaScript; it is in this file, nothing is loaded.</p></noscript>\n");
        page.Append("<section><h2>Trainings</h2>\n").Append(Summary(runs)).Append("</section>\n");
        page.Append("<section><h2>Curves</h2>\n<fieldset id=\"shown\"><legend>Show</legend></fieldset>\n");
        if (runs.Any(run => run.Histories.Count > 1))
            page.Append("<p>Lines are means over seeds; bands reach from the least to the greatest.</p>\n");
        page.Append("<div id=\"curves\" class=\"plots\"></div></section>\n");
        if (LayerMeasure.All.Any(measure => runs.Any(run => run.LayersOf(measure).Count > 0)))
            page.Append("<section id=\"layers\"><h2>Layers</h2>\n</section>\n");
        else
            page.Append("<section id=\"layers\" hidden></section>\n");
        page.Append(runs.Any(run => run.Confusion != null) ? "<section id=\"confusion\"><h2>Confusion matrix</h2>\n</section>\n"
            : "<section id=\"confusion\" hidden></section>\n");
        page.Append(Options(runs)).Append(Machine());
        page.Append("</main>\n<footer><details><summary>Licence of plotly.js, which draws the plots</summary><pre>").Append(Text(OfPlotly(Licence)))
            .Append("</pre></details></footer>\n");
        // JSON whose <, > and & are escaped: no name in it can end the element.
        page.Append("<script type=\"application/json\" id=\"data\">").Append(Data(runs)).Append("</script>\n<script>")
            .Append(OfPlotly(Script).Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase)).Append("</script>\n<script>\n")
            .Append(Own("report.js")).Append("</script>\n</body>\n</html>\n");
        return page.ToString();
    }

    private static string Summary(IReadOnlyList<Run> runs)
    {
        (string Heading, Func<Run, double?> Value)[] columns =
        [
            ("seeds", run => run.Histories.Count), ("epochs", run => run.Histories.Max(history => history.Count)),
            ("loss", run => Last(run, metrics => metrics.Loss)), ("accuracy", run => Last(run, metrics => metrics.Accuracy)),
            ("RMSE", run => Last(run, metrics => metrics.RootMeanSquaredError)),
            ("validation loss", run => Last(run, metrics => metrics.ValidationLoss)),
            ("validation RMSE", run => Last(run, metrics => metrics.ValidationRootMeanSquaredError)),
            ("validation accuracy", run => Last(run, metrics => metrics.ValidationAccuracy)),
            ("best validation accuracy", run => Best(run)?.Accuracy), ("in epoch", run => Best(run)?.Epoch),
            ("alignment angle", run => Last(run, metrics => LayerMeasure.Alignment.MeanOf(metrics))),
            ("update angle", run => Last(run, metrics => metrics.TotalUpdateAngle)),
        ];
        StringBuilder table = new("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Trainings\"><table id=\"trainings\"><thead><tr>"
            + "<th scope=\"col\">training</th>");
        double?[][] cells = [.. runs.Select(run => columns.Select(column => column.Value(run)).ToArray())];
        int[] filled = [.. Enumerable.Range(0, columns.Length).Where(column => cells.Any(row => row[column] != null))];
        foreach (int column in filled)
            table.Append("<th scope=\"col\">").Append(columns[column].Heading).Append("</th>");
        table.Append("</tr></thead><tbody>\n");
        foreach ((Run run, double?[] row) in runs.Zip(cells))
        {
            table.Append("<tr><th scope=\"row\">").Append(Text(run.Name)).Append("</th>");
            foreach (int column in filled)
                table.Append("<td>").Append(row[column] is { } value ? Number(value) : "").Append("</td>");
            table.Append("</tr>\n");
        }
        return table.Append("</tbody></table></div>\n<p>Of the last epoch; angles in degrees, the alignment angle as the mean of the layers.</p>\n")
            .ToString();
    }

    private static (double Accuracy, int Epoch)? Best(Run run)
    {
        Curve curve = Curve.Of(run, metrics => metrics.ValidationAccuracy);
        return curve.IsEmpty ? null : curve.Mean.Zip(curve.Places.Select(epoch => (int)epoch)).Where(pair =>
            !double.IsNaN(pair.First)).MaxBy(pair => pair.First);
    }

    private static string Options(IReadOnlyList<Run> runs)
    {
        Run[] known = [.. runs.Where(run => run.Options.Count > 0)];
        if (known.Length == 0)
            return "";
        StringBuilder table = new("<section><h2>Options</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Options\"><table>"
            + "<thead><tr><th scope=\"col\">option</th>");
        foreach (Run run in known)
            table.Append("<th scope=\"col\">").Append(Text(run.Name)).Append("</th>");
        table.Append("</tr></thead><tbody>\n");
        foreach (string name in known.SelectMany(run => run.Options.Select(option => option.Name)).Distinct().Order(StringComparer.Ordinal))
        {
            table.Append("<tr><th scope=\"row\">").Append(Text(name)).Append("</th>");
            foreach (Run run in known)
            {
                (string Name, object? Value) option = run.Options.FirstOrDefault(option => option.Name == name);
                table.Append("<td class=\"text\">").Append(option.Name == null ? "" : Text(TrainingOptions.Text(option.Value))).Append("</td>");
            }
            table.Append("</tr>\n");
        }
        return table.Append("</tbody></table></div></section>\n").ToString();
    }

    private static string Machine()
    {
        StringBuilder table = new("<section><h2>Machine and versions</h2>\n<p>Where this report was made.</p><table><tbody>\n");
        foreach ((string name, string value) in new[]
        {
            ("FaMLNet", PackageVersion.Of(typeof(EpochMetrics))), ("ML.NET", PackageVersion.Of(typeof(Microsoft.ML.MLContext))),
            (".NET", Environment.Version.ToString()), ("system", RuntimeInformation.OSDescription),
            ("processors", string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount}, {RuntimeInformation.ProcessArchitecture}")),
            ("made", DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        })
            table.Append("<tr><th scope=\"row\">").Append(name).Append("</th><td class=\"text\">").Append(Text(value)).Append("</td></tr>\n");
        return table.Append("</tbody></table></section>\n").ToString();
    }

    private static string Data(IReadOnlyList<Run> runs)
    {
        JsonObject data = new()
        {
            ["runs"] = new JsonArray([.. runs.Select(run => new JsonObject
            {
                ["name"] = run.Name,
                ["confusion"] = run.Confusion is not { } confusion ? null : new JsonObject
                {
                    ["classes"] = new JsonArray([.. confusion.Classes.Select(name => (JsonNode)name)]),
                    ["counts"] = new JsonArray([.. confusion.Counts.Select(row => Numbers(row))]),
                },
            })]),
            ["curves"] = new JsonArray(
                Curves(runs, "Loss", ReportFigures.LossUnit, null, metrics => metrics.Loss, metrics => metrics.ValidationLoss),
                Curves(runs, "Accuracy", "share right", null, metrics => metrics.Accuracy, metrics => metrics.ValidationAccuracy),
                Curves(runs, "Root mean squared error", "units of the label", null, metrics => metrics.RootMeanSquaredError,
                    metrics => metrics.ValidationRootMeanSquaredError),
                Curves(runs, "Alignment angle, mean of layers", "degrees", 90,
                    metrics => LayerMeasure.Alignment.MeanOf(metrics), null),
                Curves(runs, "Update angle, all parameters", "degrees", 90, metrics => metrics.TotalUpdateAngle, null),
                Curves(runs, "Learning rate", "learning rate", null, metrics => metrics.LearningRate, null)),
            ["measures"] = new JsonArray([.. LayerMeasure.All.Select(measure => new JsonObject
            {
                ["key"] = measure.Tag,
                ["title"] = measure.Title,
                ["unit"] = measure.Unit,
                ["chance"] = measure.Chance,
                ["log"] = measure.IsLogarithmic,
                ["runs"] = new JsonArray([.. runs.Select(run => Layers(run, measure))]),
            })]),
        };
        // The default encoder escapes <, > and &.
        return data.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.Default });
    }

    private static JsonObject Curves(IReadOnlyList<Run> runs, string title, string unit, double? chance, Func<EpochMetrics, double?> training,
        Func<EpochMetrics, double?>? validation) => new()
        {
            ["title"] = title,
            ["unit"] = unit,
            ["chance"] = chance,
            ["runs"] = new JsonArray([.. runs.Select(run =>
            {
                JsonObject parts = [];
                if (Shown(Curve.Of(run, training)) is { } trained)
                    parts["training"] = trained;
                if (validation != null && Shown(Curve.Of(run, validation)) is { } validated)
                    parts["validation"] = validated;
                return parts;
            })]),
        };

    private static JsonObject? Layers(Run run, LayerMeasure measure)
    {
        JsonObject layers = [];
        foreach (string layer in run.LayersOf(measure))
        {
            if (Shown(Curve.Of(run, measure, layer)) is { } curve)
                layers[layer] = curve;
        }
        return layers.Count > 0 ? layers : null;
    }

    private static JsonObject? Shown(Curve curve)
    {
        if (curve.IsEmpty)
            return null;
        JsonObject shown = new()
        {
            ["epochs"] = new JsonArray([.. curve.Places.Select(epoch => (JsonNode)(int)epoch)]),
            ["mean"] = Numbers(curve.Mean)
        };
        if (curve.HasBand)
            (shown["low"], shown["high"]) = (Numbers(curve.Low), Numbers(curve.High));
        return shown;
    }

    /// <summary>To seven digits, which is more than is shown; null is a gap.</summary>
    private static JsonArray Numbers(IEnumerable<double> values) =>
        new([.. values.Select(value => double.IsFinite(value) ? (JsonNode?)JsonValue.Create(Rounded(value)) : null)]);

    private static double Rounded(double value) =>
        double.Parse(value.ToString("G7", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static double? Last(Run run, Func<EpochMetrics, double?> value)
    {
        double last = Curve.Of([.. run.Histories.Select(history => (IReadOnlyList<EpochMetrics>)[history[^1] with { Epoch = 1 }])], value).Mean[0];
        return double.IsNaN(last) ? null : last;
    }

    private static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);

    private static string Own(string name) => Resource(typeof(HtmlReport).Assembly, name);

    private static string OfPlotly(string name) => Resource(typeof(Plotly.NET.Chart).Assembly, name);

    private static string Resource(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException(
                $"The assembly {assembly.GetName().Name} lacks its resource {name}: another version of it is loaded.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
