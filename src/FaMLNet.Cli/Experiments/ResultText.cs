using System.Globalization;
using FaMLNet.Cli.Terminal;

namespace FaMLNet.Cli.Experiments;

/// <summary>A result as lines on the console.</summary>
internal static class ResultText
{
    /// <summary>Writes the lines.</summary>
    public static void Show(ExperimentResult result)
    {
        foreach ((string what, TestMeasures? measures) in new[] { ("last", result.Last), ("best", result.Best) })
        {
            if (measures == null)
                continue;
            string chosen = what == "best" ? $", chosen on the {result.ChosenOn} rows" : "";
            string epoch = result.Epochs == 0 ? "saved model" : $"{what} epoch ({measures.Epoch}{chosen})";
            Console.WriteLine($"{epoch}: {measures.Describe(result.K)}");
        }
        if (result.RowsOfUnseenClasses is { } unseen)
            Write($"{unseen} test rows are of {result.UnseenClasses?.Count ?? 0} classes without a training row: they count as wrong.");
        if (result.ChosenOn == "test")
            Messages.Warn("The best epoch was chosen on the test rows, because the file says so: that figure is too good.");
        if (result.AlignmentAngle is { Count: > 0 } angles)
            Write($"alignment angle: mean {angles.Values.Average():F1}° ({Each(angles, "F1")})");
        if (result.NormRatio is { Count: > 0 } ratios)
            Write($"norm ratio: mean {ratios.Values.Average():F2} ({Each(ratios, "F2")})");
        foreach (AttackMeasures attack in result.Robustness ?? [])
            Write($"{attack.Attack}, {attack.ThreatModel} gradient: {attack.RobustAccuracy:P1} of {attack.Rows} rows right");
        if (result.Epochs > 0)
            Write($"{result.Epochs} epochs, {result.TrainingSeconds:F0} s of training");
    }

    private static string Each(IReadOnlyDictionary<string, double> values, string format) =>
        string.Join(", ", values.Select(pair => $"{pair.Key} {pair.Value.ToString(format, CultureInfo.InvariantCulture)}"));

    private static void Write(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
