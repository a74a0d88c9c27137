using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace FaMLNet.Views;

/// <summary>
/// Shows trainings while they run, a row each: loss and its course, alignment angle (mean of the layers), accuracy on the training and the
/// validation rows, speed and time left (minutes:seconds). On a terminal the table is drawn anew after each epoch; elsewhere (a file, a log) it
/// becomes a line for every tenth of a training. A narrow terminal does without the course of the loss and the speed, and long names are cut, so
/// that every row fits whole.
/// </summary>
public sealed class TrainingView
{
    private const int CurveLength = 6, TimesWritten = 10, NarrowWidth = 78, ShortestName = 6, Gap = 2;
    private static readonly string[] Columns = ["training", "epoch", "loss", "", "angle", "train", "valid", "rows/s", "left"];

    private readonly IAnsiConsole _console;
    private readonly int[] _shown;
    private readonly List<string[]> _rows = [];
    private readonly Table _table = new Table().Border(TableBorder.Simple);
    private LiveDisplayContext? _live;

    private TrainingView(IAnsiConsole console)
    {
        _console = console;
        _shown = [.. Enumerable.Range(0, Columns.Length).Where(i => console.Profile.Width >= NarrowWidth || Columns[i] is not ("" or "rows/s"))];
        foreach (string column in _shown.Select(i => Columns[i]))
            _table.AddColumn(new TableColumn(column)
            {
                NoWrap = true,
                Padding = new Padding(0, 0, 1, 0),
                Alignment = column is "training" or ""
                ? Justify.Left : Justify.Right
            });
    }

    /// <summary>Runs work that trains, and shows the trainings that it adds.</summary>
    /// <param name="console">Where they are shown.</param>
    /// <param name="work">The work; it calls <see cref="Add"/> for each training.</param>
    public static void Run(IAnsiConsole console, Action<TrainingView> work)
    {
        TrainingView view = new(console);
        if (console.Profile.Capabilities is { Interactive: true, Ansi: true })
        {
            console.Live(view._table).Start(context =>
            {
                view._live = context;
                work(view);
            });
        }
        else
            work(view);
    }

    /// <summary>A further training.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="epochs">How many it will have.</param>
    /// <returns>To be called after each epoch: <c>Options.MetricsCallback</c>.</returns>
    public Action<EpochMetrics> Add(string name, int epochs)
    {
        int row = _table.Rows.Count;
        _table.AddRow([.. _shown.Select(_ => "")]);
        _rows.Add([name, .. Columns.Skip(1).Select(_ => "")]);
        Draw();
        List<double> losses = [];
        Stopwatch watch = Stopwatch.StartNew();
        int first = 0, written = 0;
        return epoch =>
        {
            if (losses.Count == 0)
                first = epoch.Epoch - 1; // a resumed training begins further on
            losses.Add(epoch.Loss);
            TimeSpan left = watch.Elapsed / (epoch.Epoch - first) * (epochs - epoch.Epoch);
            string speed = epoch.SamplesPerSecond < 10_000 ? Text($"{epoch.SamplesPerSecond:F0}") : Text($"{epoch.SamplesPerSecond / 1000:F0}k");
            string[] cells =
            [
                name, $"{epoch.Epoch}/{epochs}", Text($"{epoch.Loss:F3}"), Curve(losses), Angle(epoch),
                Measure(epoch.Accuracy, epoch.RootMeanSquaredError),
                Measure(epoch.ValidationAccuracy, epoch.ValidationRootMeanSquaredError), speed,
                Text($"{Math.Floor(left.TotalMinutes):F0}:{left.Seconds:00}"),
            ];
            if (_live != null)
            {
                _rows[row] = cells;
                Draw();
                _live.Refresh();
            }
            else if (epoch.Epoch * TimesWritten / epochs > written || epoch.Epoch == epochs)
            {
                written = epoch.Epoch * TimesWritten / epochs;
                bool validates = (epoch.ValidationAccuracy ?? epoch.ValidationRootMeanSquaredError) != null;
                // Not wrapped: a line of a log is a line.
                _console.Profile.Out.Writer.WriteLine($"{name}: epoch {cells[1]}, loss {cells[2]}, "
                    + $"{(epoch.AlignmentAngle.Count == 0 ? "" : $"angle {cells[4]}, ")}train {cells[5]}"
                    + $"{(validates ? $", valid {cells[6]}" : "")}, rate {Text($"{epoch.LearningRate:0.0e0}")}, "
                    + $"{speed} rows/s, {cells[8]} left");
            }
        };
    }

    /// <summary>Fills the table; names are cut where a row would not fit.</summary>
    private void Draw()
    {
        int[] widths = [.. _shown.Select(column => _rows.Max(row => row[column].Length)).Zip(_shown, (cells, column) => Math.Max(cells,
            Columns[column].Length))];
        int over = widths.Sum() + Gap * _shown.Length + 1 - _console.Profile.Width, name = Math.Max(ShortestName, widths[0] - Math.Max(over, 0));
        for (int row = 0; row < _rows.Count; row++)
        {
            for (int i = 0; i < _shown.Length; i++)
            {
                string text = _rows[row][_shown[i]];
                _table.UpdateCell(row, i, Markup.Escape(i == 0 && text.Length > name ? text[..(name - 1)] + "…" : text));
            }
        }
    }

    /// <summary>The losses so far as a row of bars, the highest of them full.</summary>
    internal static string Curve(IReadOnlyList<double> losses)
    {
        const string bars = "▁▂▃▄▅▆▇█";
        double highest = losses.Where(double.IsFinite).DefaultIfEmpty(0).Max();
        int length = Math.Min(CurveLength, losses.Count);
        return string.Concat(Enumerable.Range(0, length).Select(i =>
        {
            double loss = losses[(int)((long)(i + 1) * losses.Count / length) - 1];
            return !double.IsFinite(loss) ? '?' : highest > 0 ? bars[Math.Clamp((int)(loss / highest * bars.Length), 0, bars.Length - 1)] : bars[0];
        }));
    }

    /// <summary>A classifier's accuracy, or how far a regression is off (RMSE).</summary>
    private static string Measure(double? accuracy, double? error) => error is { } distance ? Text($"±{distance:G3}")
        : accuracy is { } share ? Text($"{100 * share:F1}%") : "–";

    /// <summary>The mean angle of the layers.</summary>
    private static string Angle(EpochMetrics epoch) => epoch.AlignmentAngle.Count == 0 ? "–" : Text($"{epoch.AlignmentAngle.Values.Average():F1}°");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
