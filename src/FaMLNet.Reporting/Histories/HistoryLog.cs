using System.Globalization;

namespace FaMLNet.Reporting;

/// <summary>
/// Writes a history to a file while the training runs: <see cref="Write"/> is a <c>MetricsCallback</c>. After each epoch the file is whole,
/// so that a training that is killed leaves what it has shown. Of several trainings, such as the folds of a cross-validation, each has a file of
/// its own: <c>history.csv</c>, <c>history-2.csv</c> and so on, in their order. After an epoch that could not be written the next one writes all
/// of them.
/// </summary>
/// <remarks>
/// A training that goes on from a checkpoint, in another process too, finds its file by <see cref="LayerMetrics.TrainingId"/>, whichever it is,
/// and keeps the epochs before. Files of trainings with another id are left as they are. Trainings without a <c>CheckpointFolder</c> have no id:
/// another one begins where an epoch's number is not greater than the last, and the first replaces the file that is there.
/// </remarks>
public sealed class HistoryLog
{
    private readonly string _first;
    private readonly List<EpochMetrics> _history = [];
    private string _path;
    private string? _id;
    private int _trainings = 1;
    private string[] _columns = [];

    /// <param name="path">The file, <c>.csv</c> or <c>.jsonl</c> (see <see cref="HistoryFile"/>). Its folder is created.</param>
    /// <exception cref="ArgumentException">The extension is another.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public HistoryLog(string path)
    {
        HistoryFile.IsLines(path);
        _path = _first = WholeFile.Prepare(path);
    }

    /// <summary>Adds an epoch.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(EpochMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        Follow(metrics);
        // Until it is written: what could not be written is written whole with the next epoch.
        string[] before = _columns, columns = HistoryFile.ColumnsOf([metrics]);
        _columns = [];
        // The epochs from here on are trained once more, after a checkpoint from before them.
        bool again = _history.RemoveAll(epoch => epoch.Epoch >= metrics.Epoch) > 0;
        _history.Add(metrics);
        // A line more, unless the file begins or has other columns.
        if (before.Length > 0 && !again && (HistoryFile.IsLines(_path) || columns.SequenceEqual(before)))
        {
            WholeFile.Append(_path, HistoryFile.IsLines(_path) ? HistoryFile.LineOf(metrics) : HistoryFile.RowOf(metrics, columns));
            _columns = before;
        }
        else
        {
            HistoryFile.Write(_path, _history);
            _columns = HistoryFile.ColumnsOf(_history);
        }
    }

    /// <summary>Goes to the file of the training that an epoch is of.</summary>
    private void Follow(EpochMetrics metrics)
    {
        bool isFirst = _history.Count == 0;
        if (!isFirst && (metrics.TrainingId == null ? metrics.Epoch > _history[^1].Epoch : metrics.TrainingId == _id))
            return;
        string path = metrics.TrainingId is { } id ? PathOf(id, isFirst) : isFirst ? _first : Numbered(++_trainings);
        bool goesOn = metrics.Epoch > 1 && (isFirst || metrics.TrainingId != null) && File.Exists(path);
        IReadOnlyList<EpochMetrics> past = goesOn ? HistoryFile.Read(path) : [];
        (_path, _id, _columns) = (path, metrics.TrainingId, []);
        _history.Clear();
        _history.AddRange(past.Where(epoch => epoch.Epoch < metrics.Epoch));
    }

    /// <summary>The file of a training: the one that it has begun, or the next.</summary>
    private string PathOf(string id, bool isFirst)
    {
        string stem = Path.GetFileNameWithoutExtension(_first) + "-";
        IEnumerable<string> others = Directory.EnumerateFiles(Path.GetDirectoryName(_first)!)
            .Where(path => Path.GetExtension(path) == Path.GetExtension(_first)
                && Path.GetFileName(path).StartsWith(stem, StringComparison.Ordinal)
                && int.TryParse(Path.GetFileNameWithoutExtension(path).AsSpan(stem.Length), NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (others.Prepend(_first).FirstOrDefault(path => IdIn(path) == id) is { } own)
            return own;
        // Without an id it is of a training that cannot go on, or of an earlier version: as ever, the first takes it over.
        if (isFirst && File.Exists(_first) && IdIn(_first) == null)
            return _first;
        int number = 1;
        while (Path.Exists(Numbered(number)))
            number++;
        return Numbered(number);
    }

    private string Numbered(int number) => number == 1 ? _first : Path.Combine(Path.GetDirectoryName(_first)!, string.Create(
        CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(_first)}-{number}{Path.GetExtension(_first)}"));

    /// <returns>Null for a file that names no training, or cannot be read.</returns>
    private static string? IdIn(string path)
    {
        try
        {
            return File.Exists(path) ? HistoryFile.Read(path).LastOrDefault(epoch => epoch.TrainingId != null)?.TrainingId : null;
        }
        catch (Exception failure) when (failure is FormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
