namespace FaMLNet.Reporting;

/// <summary>
/// A measurement over epochs, or over bounds of attacks: of one training, or the mean of several with their least and greatest. NaN where it was
/// not measured or is not
/// finite: a gap.
/// </summary>
internal sealed record Curve(IReadOnlyList<double> Places, IReadOnlyList<double> Mean, IReadOnlyList<double> Low, IReadOnlyList<double> High)
{
    public bool HasBand => Low.Zip(High).Any(pair => pair.First < pair.Second);

    public bool IsEmpty => Mean.All(double.IsNaN);

    /// <param name="histories">One or more trainings of one kind.</param>
    /// <param name="value">The measurement; null where there is none.</param>
    public static Curve Of(IReadOnlyList<IReadOnlyList<EpochMetrics>> histories, Func<EpochMetrics, double?> value)
    {
        int[] epochs = [.. histories.SelectMany(history => history.Select(metrics => metrics.Epoch)).Distinct().Order()];
        double[] mean = new double[epochs.Length], low = new double[epochs.Length], high = new double[epochs.Length];
        Dictionary<int, EpochMetrics>[] byEpoch = [.. histories.Select(history => history.GroupBy(metrics => metrics.Epoch)
            .ToDictionary(group => group.Key, group => group.Last()))];
        for (int i = 0; i < epochs.Length; i++)
        {
            double[] found = [.. byEpoch.Select(history => history.TryGetValue(epochs[i], out EpochMetrics? metrics) ? value(metrics) : null)
                .Where(number => number is { } finite && double.IsFinite(finite)).Select(number => number!.Value)];
            (mean[i], low[i], high[i]) = found.Length == 0 ? (double.NaN, double.NaN, double.NaN) : (found.Average(), found.Min(), found.Max());
        }
        return new Curve([.. epochs.Select(epoch => (double)epoch)], mean, low, high);
    }

    public static Curve Of(Run run, Func<EpochMetrics, double?> value) => Of(run.Histories, value);

    public static Curve Of(Run run, LayerMeasure measure, string layer) =>
        Of(run.Histories, metrics => measure.Of(metrics).TryGetValue(layer, out double value) ? value : null);

    /// <summary>The mean over layers.</summary>
    public static Curve MeanOf(Run run, LayerMeasure measure) =>
        Of(run.Histories, metrics => measure.MeanOf(metrics));
}
