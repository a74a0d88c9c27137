using Microsoft.ML.Data;

namespace FaMLNet.Reporting;

/// <summary>A confusion matrix: rows of the class in the data, columns of the class predicted.</summary>
internal sealed record ConfusionTable(IReadOnlyList<string> Classes, IReadOnlyList<IReadOnlyList<double>> Counts)
{
    public static ConfusionTable Of(ConfusionMatrix matrix, IReadOnlyList<string>? classes)
    {
        int count = matrix.NumberOfClasses;
        if (classes != null && classes.Count != count)
        {
            throw new ArgumentException($"The confusion matrix has {count} classes and {classes.Count} names are given. Give a name a class, in the "
                + "order of the label's key.", nameof(classes));
        }
        return new ConfusionTable(classes ?? [.. Enumerable.Range(0, count).Select(number => $"{number}")], matrix.Counts);
    }
}

/// <summary>What a report shows beside others: one training, or several of one kind that differ in their seeds.</summary>
internal sealed record Run(string Name, IReadOnlyList<IReadOnlyList<EpochMetrics>> Histories, ConfusionTable? Confusion,
    IReadOnlyList<(string Name, object? Value)> Options)
{
    /// <summary>The layers that a measurement has, from the input upwards.</summary>
    public IReadOnlyList<string> LayersOf(LayerMeasure measure) =>
        [.. Histories.SelectMany(history => history.SelectMany(metrics => measure.Of(metrics).Keys)).Distinct()];
}
