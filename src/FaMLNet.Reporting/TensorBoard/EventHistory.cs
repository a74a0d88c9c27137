using System.Reflection;

namespace FaMLNet.Reporting.TensorBoard;

/// <summary>Histories from the event files that <see cref="TensorBoardLog"/> has written. Their numbers are single precision.</summary>
internal static class EventHistory
{
    public static bool IsEventFile(string path) => Path.GetFileName(path).Contains(".tfevents.", StringComparison.Ordinal);

    /// <summary>The epochs of a run; of a training that went on, its files one after the other.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <exception cref="FormatException">A file is damaged.</exception>
    public static IReadOnlyList<EpochMetrics> Read(string folder)
    {
        SortedDictionary<int, Dictionary<string, double>> epochs = [];
        foreach (string path in Directory.EnumerateFiles(folder).Where(IsEventFile).Order(StringComparer.Ordinal))
        {
            foreach (Event record in EventFile.Read(path))
            {
                foreach (SummaryValue value in record.Summary?.Value ?? [])
                {
                    if (value.ValueCase != SummaryValue.ValueOneofCase.SimpleValue || value.Tag.StartsWith("steps/", StringComparison.Ordinal))
                        continue;
                    if (!epochs.TryGetValue((int)record.Step, out Dictionary<string, double>? values))
                        epochs[(int)record.Step] = values = [];
                    values[value.Tag] = value.SimpleValue;
                }
            }
        }
        return [.. epochs.Where(epoch => epoch.Value.ContainsKey("loss/training")).Select(epoch => Metrics(epoch.Key, epoch.Value))];
    }

    private static EpochMetrics Metrics(int epoch, Dictionary<string, double> values)
    {
        double? Of(string tag) => values.TryGetValue(tag, out double value) ? value : null;
        EpochMetrics metrics = new()
        {
            Epoch = epoch,
            Loss = Of("loss/training") ?? double.NaN,
            Accuracy = Of("accuracy/training"),
            ValidationLoss = Of("loss/validation"),
            ValidationAccuracy = Of("accuracy/validation"),
            ValidationTopKAccuracy = Of("accuracy/validation, top k"),
            RootMeanSquaredError = Of("RMSE/training"),
            ValidationRootMeanSquaredError = Of("RMSE/validation"),
            LearningRate = Of("learning rate") ?? double.NaN,
            SamplesPerSecond = Of("samples per second") ?? double.NaN,
            TotalUpdateAngle = Of("total update angle"),
        };
        foreach (LayerMeasure measure in LayerMeasure.All)
        {
            string start = measure.Tag + "/";
            Dictionary<string, double> layers = values.Where(pair => pair.Key.StartsWith(start, StringComparison.Ordinal))
                .ToDictionary(pair => pair.Key[start.Length..], pair => pair.Value);
            if (layers.Count > 0)
                Property(measure).SetValue(metrics, layers);
        }
        return metrics;
    }

    /// <summary>"alignment angle" is <see cref="LayerMetrics.AlignmentAngle"/>.</summary>
    private static PropertyInfo Property(LayerMeasure measure) => typeof(LayerMetrics).GetProperties()
        .Single(property => property.Name.Equals(measure.Tag.Replace(" ", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase));
}
