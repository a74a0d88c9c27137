using System.Reflection;

namespace FaMLNet.Reporting.TensorBoard;

/// <summary>Histories from the event files that <see cref="TensorBoardLog"/> has written. Their numbers are single precision.</summary>
internal static class EventHistory
{
    /// <summary>Where a training's id is written, as text.</summary>
    public const string IdTag = "training id/text_summary";

    private const string Loss = "loss/training";

    public static bool IsEventFile(string path) => Path.GetFileName(path).Contains(".tfevents.", StringComparison.Ordinal);

    /// <summary>
    /// The trainings in a folder. A training that went on from a checkpoint has several files, one after the other; what it has trained twice counts
    /// as in the later one. Another id begins another training, and so does, in files without ids, a first epoch behind others.
    /// </summary>
    /// <param name="folder">The folder of a run.</param>
    /// <exception cref="FormatException">A file is damaged.</exception>
    public static IReadOnlyList<IReadOnlyList<EpochMetrics>> Read(string folder)
    {
        List<SortedDictionary<int, Dictionary<string, double>>> trainings = [];
        SortedDictionary<int, Dictionary<string, double>> epochs = [];
        List<string?> ids = [];
        string? id = null;
        void Begin()
        {
            trainings.Add(epochs);
            ids.Add(id);
            (epochs, id) = ([], null);
        }
        foreach (string path in Directory.EnumerateFiles(folder).Where(IsEventFile).OrderBy(BeginOf).ThenBy(path => path, StringComparer.Ordinal))
        {
            string? own = null;
            foreach (Event record in EventFile.Read(path))
            {
                own = IdIn(record) ?? own;
                if (IsEpoch(record))
                {
                    int[] later = [.. epochs.Keys.Where(epoch => epoch >= record.Step)];
                    if (own != null && own == id)
                        Array.ForEach(later, epoch => epochs.Remove(epoch));
                    else if ((id != null && own != null) || (record.Step == 1 && epochs.ContainsKey(1)))
                        Begin();
                    id = own ?? id;
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
        Begin();
        return [.. trainings.Zip(ids, (training, own) => training.Where(epoch => epoch.Value.ContainsKey(Loss))
            .Select(epoch => Metrics(epoch.Key, epoch.Value) with { TrainingId = own }).ToArray()).Where(training => training.Length > 0)];
    }

    /// <summary>Whether a folder has a file of a training, and whether it has one of a training without an id.</summary>
    /// <param name="folder">The folder of a run.</param>
    /// <param name="id">The training's.</param>
    public static (bool Has, bool HasNameless) Find(string folder, string id)
    {
        bool has = false, nameless = false;
        foreach (string path in Directory.EnumerateFiles(folder).Where(IsEventFile))
        {
            try
            {
                // The id is written before the first epoch or step.
                string? own = null;
                Event? first = EventFile.Read(path).FirstOrDefault(record => (own = IdIn(record)) != null || IsEpoch(record));
                has |= own == id;
                nameless |= own == null && first != null;
            }
            catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
            {
                // It is not ours to judge; reading it will say what is wrong.
            }
        }
        return (has, nameless);
    }

    /// <summary>When a file was begun. Its name has whole seconds.</summary>
    private static double BeginOf(string path) => EventFile.Read(path).FirstOrDefault()?.WallTime ?? 0;

    private static string? IdIn(Event record) =>
        record.Summary?.Value.FirstOrDefault(value => value.Tag == IdTag)?.Tensor?.StringVal.FirstOrDefault()?.ToStringUtf8();

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
