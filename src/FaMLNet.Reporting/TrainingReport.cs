using FaMLNet.Reporting.Html;
using FaMLNet.Reporting.Pictures;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace FaMLNet.Reporting;

/// <summary>Trainings side by side: as one HTML file, or as pictures.</summary>
/// <example>
/// <code>
/// TrainingReport report = new("Fashion-MNIST by six rules");
/// report.Add("DFA", model.Model.History, metrics.ConfusionMatrix);
/// report.SaveHtml("report.html");
/// report.SavePictures("pictures");
/// </code>
/// </example>
public sealed class TrainingReport
{
    private readonly string _title;
    private readonly List<Run> _runs = [];

    /// <param name="title">Above everything.</param>
    public TrainingReport(string title)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        _title = title;
    }

    /// <summary>Adds a training.</summary>
    /// <param name="name">What to call it; each once.</param>
    /// <param name="history">A model's <c>History</c>, or what <see cref="HistoryFile"/> reads: one entry an epoch.</param>
    /// <param name="confusionMatrix">Of <c>MulticlassClassification.Evaluate</c>; null for none.</param>
    /// <param name="classes">The classes' names in the order of the matrix; null for their numbers.</param>
    /// <param name="options">The trainer's options, to be shown; null for none.</param>
    /// <exception cref="ArgumentException">The name is taken, the history is empty, or names and matrix do not match.</exception>
    public void Add(string name, IReadOnlyList<EpochMetrics> history, ConfusionMatrix? confusionMatrix = null, IReadOnlyList<string>? classes = null,
        TrainerInputBase? options = null)
    {
        ArgumentNullException.ThrowIfNull(history);
        Add(name, [history], confusionMatrix, classes, options);
    }

    /// <summary>Adds trainings that differ in their seeds only: their mean is shown, in a band from the least to the greatest.</summary>
    /// <param name="name">What to call them; each name once.</param>
    /// <param name="histories">One or more.</param>
    /// <inheritdoc cref="Add(string, IReadOnlyList{EpochMetrics}, ConfusionMatrix?, IReadOnlyList{string}?, TrainerInputBase?)"/>
    /// <param name="confusionMatrix">Of <c>MulticlassClassification.Evaluate</c>; null for none.</param>
    /// <param name="classes">The classes' names in the order of the matrix; null for their numbers.</param>
    /// <param name="options">The trainer's options, to be shown; null for none.</param>
    public void Add(string name, IReadOnlyList<IReadOnlyList<EpochMetrics>> histories, ConfusionMatrix? confusionMatrix = null,
        IReadOnlyList<string>? classes = null, TrainerInputBase? options = null) =>
        Add(name, histories, confusionMatrix, classes, options, []);

    /// <summary>The same with more to show beside the options, for example the data.</summary>
    internal void Add(string name, IReadOnlyList<IReadOnlyList<EpochMetrics>> histories, ConfusionMatrix? confusionMatrix,
        IReadOnlyList<string>? classes, TrainerInputBase? options, IReadOnlyList<(string Name, object? Value)> further)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(histories);
        if (_runs.Exists(run => run.Name == name))
            throw new ArgumentException($"The report has a training called '{name}' already. Give each a name of its own.", nameof(name));
        if (histories.Count == 0 || histories.Any(history => history.Count == 0))
        {
            throw new ArgumentException($"The training '{name}' has no epochs: there is nothing to show. A model that was saved without its "
                + "history, or a training that has not ended an epoch, has none.", nameof(histories));
        }
        // Copies: what is shown is what was added.
        _runs.Add(new Run(name, [.. histories.Select(history => history.ToArray())], confusionMatrix is null ? null
            : ConfusionTable.Of(confusionMatrix, classes), [.. TrainingOptions.Of(options), .. further]));
    }

    /// <summary>
    /// Saves everything as one HTML file, which needs no network: curves to hover and zoom, tables, confusion matrices, options, machine and
    /// versions.
    /// </summary>
    /// <param name="path">The file; replaced if it is there. Its folder is created.</param>
    /// <exception cref="InvalidOperationException">Nothing has been added.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveHtml(string path)
    {
        CheckNotEmpty();
        string page = HtmlReport.Write(_title, _runs);
        WholeFile.WriteText(path, page);
    }

    /// <summary>Saves everything as pictures, each as PNG (2 pixels a unit) and as SVG.</summary>
    /// <param name="folder">The folder; created if it is not there. Files of the same names are replaced.</param>
    /// <returns>The files.</returns>
    /// <exception cref="InvalidOperationException">Nothing has been added.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public IReadOnlyList<string> SavePictures(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        CheckNotEmpty();
        List<string> files = [];
        foreach ((string name, Figure figure) in ReportFigures.Of(_title, _runs))
        {
            string path = Path.Combine(folder, name);
            WholeFile.Write(path + ".png", temporary => File.WriteAllBytes(temporary, figure.ToPng().Png));
            WholeFile.Write(path + ".svg", figure.WriteSvg);
            files.AddRange([path + ".png", path + ".svg"]);
        }
        return files;
    }

    private void CheckNotEmpty()
    {
        if (_runs.Count == 0)
            throw new InvalidOperationException($"The report '{_title}' has no training: there is nothing to save. Call Add first.");
    }
}
