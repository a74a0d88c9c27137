
namespace FaMLNet.Reporting;

/// <summary>
/// Writes a history to a file while the training runs: <see cref="Write"/> is a <c>MetricsCallback</c>. After each epoch the file is whole,
/// so that a training that is killed leaves what it has shown. A training that goes on from a checkpoint keeps the epochs before.
/// </summary>
public sealed class HistoryLog
{
    private readonly string _path;
    private readonly List<EpochMetrics> _history = [];
    private string[] _columns = [];

    /// <param name="path">The file, <c>.csv</c> or <c>.jsonl</c> (see <see cref="HistoryFile"/>). Its folder is created.</param>
    /// <exception cref="ArgumentException">The extension is another.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public HistoryLog(string path)
    {
        HistoryFile.IsLines(path);
        _path = WholeFile.Prepare(path);
    }

    /// <summary>Adds an epoch.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(EpochMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        bool begins = _history.Count == 0;
        if (begins && metrics.Epoch > 1 && File.Exists(_path))
            _history.AddRange(HistoryFile.Read(_path).Where(epoch => epoch.Epoch < metrics.Epoch));
        _history.Add(metrics);
        string[] columns = HistoryFile.ColumnsOf([metrics]);
        // A line more, unless the file begins or has other columns.
        if (!begins && (HistoryFile.IsLines(_path) || columns.SequenceEqual(_columns)))
            WholeFile.Append(_path, HistoryFile.IsLines(_path) ? HistoryFile.LineOf(metrics) : HistoryFile.RowOf(metrics, columns));
        else
        {
            HistoryFile.Write(_path, _history);
            _columns = HistoryFile.ColumnsOf(_history);
        }
    }
}
