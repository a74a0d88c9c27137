using System.Globalization;
using FaMLNet;
using Spectre.Console;

namespace Alignment;

/// <summary>What the article states, in numbers of these trainings.</summary>
internal static class Claims
{
    /// <summary>Prints angle and norm ratio of every layer, after the first epoch and after the last, and what follows for each claim.</summary>
    public static void Print(IReadOnlyDictionary<Configuration, IReadOnlyList<EpochMetrics>[]> histories)
    {
        Table table = new Table().AddColumns("training", "layer");
        foreach (string column in new[] { "angle, first epoch", "last epoch", "norm ratio, first epoch", "last epoch" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach ((Configuration configuration, IReadOnlyList<EpochMetrics>[] runs) in histories)
        {
            foreach (string layer in runs[0][0].NormRatio.Keys)
            {
                table.AddRow(configuration.Name, layer, Range(runs, run => Angle(run[0], layer), "0.0°"),
                    Range(runs, run => Angle(run[^1], layer), "0.0°"), Range(runs, run => run[0].NormRatio[layer], "0.000"),
                    Range(runs, run => run[^1].NormRatio[layer], "0.000"));
            }
        }
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine("Mean over the seeds, and from the least to the greatest. Measured at the last step of an epoch.");
        foreach (string line in Lines(histories))
            AnsiConsole.WriteLine(line);
    }

    private static IEnumerable<string> Lines(IReadOnlyDictionary<Configuration, IReadOnlyList<EpochMetrics>[]> histories)
    {
        IReadOnlyList<EpochMetrics>[]? Of(string name) => histories.FirstOrDefault(pair => pair.Key.Name == name).Value;
        foreach (string name in new[] { "fa sgd", "fa adam" })
        {
            if (Of(name) is { } runs)
            {
                double[] ends = [.. runs.SelectMany(run => run[^1].AlignmentAngle.Values)],
                    falls = [.. runs.SelectMany(run => run[0].AlignmentAngle.Keys.Select(layer => Angle(run[0], layer) - Angle(run[^1], layer)))];
                yield return Text($"(a) {name}: of {ends.Length} layers and seeds {ends.Count(angle => angle < 90)} end below 90°, and ")
                    + Text($"{falls.Count(fall => fall > 0)} fall from the first epoch to the last, by {falls.Average():F1}° on average.");
            }
        }
        foreach (string rule in new[] { "fa", "dfa" })
        {
            if (Of($"{rule} sgd") is { } sgd && Of($"{rule} adam") is { } adam)
                yield return Text($"(b) {rule}: mean angle at the end {Mean(adam):F1}° by Adam, {Mean(sgd):F1}° by SGD.");
        }
        foreach (string name in new[] { "dfa sgd", "dfa adam" })
        {
            if (Of(name) is { } runs)
            {
                string first = runs[0][0].NormRatio.Keys.First();
                yield return Text($"(c) {name}: the norm ratio of {first} goes from {runs.Average(run => run[0].NormRatio[first]):G3} to ")
                    + Text($"{runs.Average(run => run[^1].NormRatio[first]):G3}.");
            }
        }
        foreach ((string name, double start) in new[] { ("usf sgd", 30.0), ("brsf sgd", 41.4), ("frsf sgd", 41.4) })
        {
            if (Of(name) is { } runs)
            {
                double[] all = [.. runs.SelectMany(run => run).SelectMany(epoch => epoch.AlignmentAngle.Values)];
                yield return Text($"(d) {name}: angles stay between {all.Min():F1}° and {all.Max():F1}°; ")
                    + Text($"for uniform weights they start at {start:F1}°.");
            }
        }
    }

    private static double Angle(EpochMetrics epoch, string layer) => epoch.AlignmentAngle.GetValueOrDefault(layer, double.NaN);

    private static double Mean(IReadOnlyList<EpochMetrics>[] runs) =>
        runs.Average(run => run[^1].AlignmentAngle.Values.DefaultIfEmpty(double.NaN).Average());

    private static string Range(IReadOnlyList<EpochMetrics>[] runs, Func<IReadOnlyList<EpochMetrics>, double> value, string format)
    {
        double[] values = [.. runs.Select(value).Where(double.IsFinite)];
        string One(double number) => number.ToString(format, CultureInfo.InvariantCulture);
        return values.Length == 0 ? "" : values.Length == 1 ? One(values[0])
            : $"{One(values.Average())} ({One(values.Min())} to {One(values.Max())})";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
