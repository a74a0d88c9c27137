using System.Globalization;
using System.Text;
using System.Text.Json;
using FaMLNet.Persistence;
using Microsoft.ML;

namespace FaMLNet;

/// <summary>How a model stands up to attacks.</summary>
public sealed class RobustnessReport
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    internal RobustnessReport(int rows, int rightRows, string featureColumnName, (float, float)? inputRange, bool hasSurrogate, int seed,
        IReadOnlyList<AttackResult> results, IReadOnlyList<string> warnings) =>
        (Rows, RightRows, FeatureColumnName, InputRange, HasSurrogate, Seed, Results, Warnings) =
            (rows, rightRows, featureColumnName, inputRange, hasSurrogate, seed, results, warnings);

    /// <summary>Rows looked at.</summary>
    public int Rows { get; }

    /// <summary>Of those, how many the model sees rightly when they are clean: the ones that are attacked.</summary>
    public int RightRows { get; }

    /// <summary>Share of rows that the model sees rightly when they are clean: what <c>Evaluate</c> calls micro-accuracy.</summary>
    public double CleanAccuracy => (double)RightRows / Rows;

    /// <summary>The column that was attacked; bounds and perturbations are in its units.</summary>
    public string FeatureColumnName { get; }

    /// <summary>The range in which features stayed; null for none.</summary>
    public (float Lower, float Upper)? InputRange { get; }

    /// <summary>Whether perturbations were crafted on another model.</summary>
    public bool HasSurrogate { get; }

    /// <summary>The seed of all randomness.</summary>
    public int Seed { get; }

    /// <summary>One per attack, in their order.</summary>
    public IReadOnlyList<AttackResult> Results { get; }

    /// <summary>
    /// Signs that gradients are masked rather than the model robust, and other things to know when reading the figures; each a sentence with its
    /// reason.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The results as a view, a row an attack.</summary>
    public IDataView ToDataView() => new MLContext().Data.LoadFromEnumerable(Results.Select(result => new ResultRow(this, result)).ToArray());

    /// <summary>Writes the results as CSV, a line an attack, numbers with a point; the file appears whole or not at all.</summary>
    /// <param name="path">The file; overwritten.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveAsCsv(string path)
    {
        StringBuilder text = new();
        text.AppendLine(string.Join(',', Columns.Select(column => column.Name)));
        foreach (ResultRow row in Results.Select(result => new ResultRow(this, result)))
            text.AppendLine(string.Join(',', Columns.Select(column => Quote(column.Text(row)))));
        WholeFile.WriteText(path, text.ToString());
    }

    /// <summary>Writes everything as JSON; numbers that are none become null. The file appears whole or not at all.</summary>
    /// <param name="path">The file; overwritten.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveAsJson(string path)
    {
        string text = JsonSerializer.Serialize(Document(), Indented);
        WholeFile.WriteText(path, text);
    }

    private Dictionary<string, object?> Document() => new()
    {
        [nameof(Rows)] = Rows,
        [nameof(CleanAccuracy)] = CleanAccuracy,
        [nameof(FeatureColumnName)] = FeatureColumnName,
        [nameof(InputRange)] = InputRange is var (lower, upper) ? new[] { lower, upper } : null,
        [nameof(HasSurrogate)] = HasSurrogate,
        [nameof(Seed)] = Seed,
        [nameof(Warnings)] = Warnings,
        [nameof(Results)] = Results.Select(result => Columns.ToDictionary(column => column.Name, column => column.Value(new ResultRow(this,
            result)))),
    };

    /// <summary>A table for the console, the same in every culture.</summary>
    public override string ToString()
    {
        string[][] lines =
        [
            ["attack", "threat model", "robust", "success", "mean L∞", "mean L2", "mean L0", "forward", "gradients", "seconds"],
            .. Results.Select(result => new[]
            {
                result.Attack.ToString(), result.ThreatModel is { } model ? Words(model) : "black box",
                Text(result.RobustAccuracy, "0.000"), Text(result.SuccessRate, "0.000"), Text(result.LInfinity.Mean, "0.####"),
                Text(result.L2.Mean, "0.###"), Text(result.L0.Mean, "0.#"), Text(result.ForwardQueries, "#,0"), Text(result.GradientQueries, "#,0"),
                Text(result.Seconds, "0.0"),
            }),
        ];
        int[] widths = [.. Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length))];
        StringBuilder text = new();
        string range = InputRange is var (lower, upper) ? InvariantText.Of($"values stay in [{lower}, {upper}]") : "values are not clipped";
        text.AppendLine(InvariantText.Of(
            $"{Rows} rows, clean accuracy {CleanAccuracy:0.000}; perturbations in units of column '{FeatureColumnName}', {range}")
            + (HasSurrogate ? "; crafted on a surrogate" : ""));
        foreach (string[] line in lines)
            text.AppendLine(string.Join("  ", line.Select((cell, i) => i < 2 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
        foreach (string warning in Warnings)
            text.AppendLine($"! {warning}");
        return text.ToString();
    }

    internal static string Words(ThreatModel model) => model == ThreatModel.TrueGradient ? "true gradient" : "feedback gradient";

    private static string Text(double value, string format) => double.IsNaN(value) ? "" : value.ToString(format, CultureInfo.InvariantCulture);

    private static string Quote(string text) => text.AsSpan().IndexOfAny(',', '"', '\n') < 0 ? text : $"\"{text.Replace("\"", "\"\"",
        StringComparison.Ordinal)}\"";

    private static readonly Column[] Columns = [.. typeof(ResultRow).GetProperties().Select(property => new Column(property.Name, row =>
        property.GetValue(row)))];

    /// <param name="Name">The column's name.</param>
    /// <param name="Get">Its value.</param>
    private sealed record Column(string Name, Func<ResultRow, object?> Get)
    {
        /// <summary>Its value; null for a number that is none.</summary>
        public object? Value(ResultRow row) => Get(row) is double number && !double.IsFinite(number) ? null : Get(row);

        public string Text(ResultRow row) => Convert.ToString(Value(row), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>A result as a flat row: the columns of the view, of CSV and of JSON.</summary>
    private sealed class ResultRow(RobustnessReport report, AttackResult result)
    {
        public string Attack => result.Attack.Name;

        public string Settings => result.Attack.Settings;

        public string Norm => FaMLNet.Attack.Symbol(result.Attack.Norm);

        /// <summary>As it was written: 0.05, not the number that single precision has for it.</summary>
        public double Bound => double.Parse(((float)result.Attack.Bound).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

        public string ThreatModel => result.ThreatModel?.ToString() ?? "BlackBox";

        public int Rows => report.Rows;

        public double CleanAccuracy => report.CleanAccuracy;

        public int AttackedRows => result.AttackedRows;

        public int FooledRows => result.FooledRows;

        public double RobustAccuracy => result.RobustAccuracy;

        public double SuccessRate => result.SuccessRate;

        public double LInfinityMean => result.LInfinity.Mean;

        public double LInfinityMedian => result.LInfinity.Median;

        public double LInfinityMaximum => result.LInfinity.Maximum;

        public double L2Mean => result.L2.Mean;

        public double L2Median => result.L2.Median;

        public double L2Maximum => result.L2.Maximum;

        public double L0Mean => result.L0.Mean;

        public double L0Median => result.L0.Median;

        public double L0Maximum => result.L0.Maximum;

        public long ForwardQueries => result.ForwardQueries;

        public long GradientQueries => result.GradientQueries;

        public long ZeroGradients => result.ZeroGradients;

        public double Seconds => result.Seconds;
    }
}
