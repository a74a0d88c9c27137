using System.Reflection;

namespace FaMLNet.Reporting.TensorBoard;

/// <summary>Histories from the event files that <see cref="TensorBoardLog"/> has written. Their numbers are single precision.</summary>
internal static class EventHistory
{
    private const string Loss = "loss/training";

    public static bool IsEventFile(string path) => Path.GetFileName(path).Contains(".tfevents.", StringComparison.Ordinal);

    /// <summary>
    /// The trainings in a folder. A training that went on from a checkpoint has several files, one after the other; a first epoch behind others
    /// begins another training.
    /// </summary>
    /// <param name="folder">The folder of a run.</param>
    /// <exception cref="FormatException">A file is damaged.</exception>
    public static IReadOnlyList<IReadOnlyList<EpochMetrics>> Read(string folder)
    {
        List<SortedDictionary<int, Dictionary<string, double>>> trainings = [];
        SortedDictionary<int, Dictionary<string, double>> epochs = [];
        foreach (string path in Directory.EnumerateFiles(folder).Where(IsEventFile).Order(StringComparer.Ordinal))
        {
            foreach (Event record in EventFile.Read(path))
            {
                if (record.Step == 1 && IsEpoch(record) && epochs.ContainsKey(1))
                {
                    trainings.Add(epochs);
                    epochs = [];
                }
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
        return [.. trainings.Append(epochs).Select(training => training.Where(epoch => epoch.Value.ContainsKey(Loss))
            .Select(epoch => Metrics(epoch.Key, epoch.Value)).ToArray()).Where(training => training.Length > 0)];
    }

    private static bool IsEpoch(Event record) => record.Summary?.Value.Any(value => value.Tag == Loss) == true;

    private static EpochMetrics Metrics(int epoch, Dictionary<string, double> values)
    {
        double? Of(string tag) => values.TryGetValue(tag, out double value) ? value : null;
        EpochMetrics metrics = new()
        {
            Epoch = epoch,
            Loss = Of(Loss) ?? double.NaN,
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
