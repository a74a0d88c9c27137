
namespace FaMLNet.Reporting;

/// <summary>
/// Writes a history to a file while the training runs: <see cref="Write"/> is a <c>MetricsCallback</c>. After each epoch the file is whole,
/// so that a training that is killed leaves what it has shown. A training that goes on from a checkpoint keeps the epochs before. Of several
/// trainings, such as the folds of a cross-validation, each has a file of its own: <c>history.csv</c>, <c>history-2.csv</c> and so on, in their
/// order. After an epoch that could not be written the next one writes all of them. Where several trainings are stopped and go on in another
/// process, epochs alone do not tell which file is whose: give each training a log of its own there.
/// </summary>
public sealed class HistoryLog
{
    private readonly string _first;
    private readonly List<EpochMetrics> _history = [];
    private string _path;
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
        if (_history.Count > 0 && metrics.Epoch <= _history[^1].Epoch)
        {
            _path = Path.Combine(Path.GetDirectoryName(_first)!, string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"{Path.GetFileNameWithoutExtension(_first)}-{++_trainings}{Path.GetExtension(_first)}"));
            _history.Clear();
            _columns = [];
        }
        bool begins = _columns.Length == 0;
        if (_history.Count == 0 && metrics.Epoch > 1 && File.Exists(_path))
            _history.AddRange(HistoryFile.Read(_path).Where(epoch => epoch.Epoch < metrics.Epoch));
        _history.Add(metrics);
        string[] columns = HistoryFile.ColumnsOf([metrics]);
        // A line more, unless the file begins or has other columns.
        string[] before = _columns;
        // Until it is written: what could not be written is written whole with the next epoch.
        _columns = [];
        if (!begins && (HistoryFile.IsLines(_path) || columns.SequenceEqual(before)))
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
}
