using System.Globalization;
using System.Text;
using FaMLNet.Reporting.Pictures;
using FaMLNet.Reporting.TensorBoard;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace FaMLNet.Reporting;

/// <summary>
/// Writes what a training shows as an event file of TensorBoard: <c>tensorboard --logdir runs</c> shows it while the training runs. Each training is
/// a run of its own: the first in the folder itself, others, such as the folds of a cross-validation or a training in a folder that has one, in
/// <c>run-2</c>, <c>run-3</c> and so on below it. A training that goes on from a checkpoint adds a file to its run, which it finds by
/// <see cref="LayerMetrics.TrainingId"/>, in another process too.
/// </summary>
/// <remarks>
/// Scalars by epoch: <c>loss/training</c>, <c>loss/validation</c>, <c>accuracy/…</c>, <c>learning rate</c>, and of each layer that was measured
/// <c>alignment angle/dense2</c> and so on; points within epochs by step, under <c>steps/…</c>; histograms of weights, feedback weights and
/// gradients where <see cref="LayerDiagnostics.Histograms"/> asks for them; the options as text and as hparams. Each record is flushed.
/// </remarks>
public sealed class TensorBoardLog : IDisposable
{
    private const string RunName = "run-";

    private readonly IReadOnlyList<(string Name, object? Value)> _options;
    private readonly bool _hadFiles;
    private readonly object _gate = new();
    private EventFile _file;
    private long _lastEpoch, _lastStep;
    private string? _id;
    private bool _disposed;

    /// <param name="folder">The run's folder; created if it is not there.</param>
    /// <param name="options">The trainer's options, shown as text and hparams; null for none.</param>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public TensorBoardLog(string folder, TrainerInputBase? options = null) : this(folder, options, [])
    {
    }

    /// <param name="folder">The run's folder.</param>
    /// <param name="options">The trainer's options; null for none.</param>
    /// <param name="further">What else is shown beside them, for example the data.</param>
    internal TensorBoardLog(string folder, TrainerInputBase? options, IReadOnlyList<(string Name, object? Value)> further)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Folder = Path.GetFullPath(folder);
        EventFile? file = null;
        bool hadFiles = false;
        WholeFile.Named(Folder, () =>
        {
            Directory.CreateDirectory(Folder);
            hadFiles = Directory.EnumerateFiles(Folder).Any(EventHistory.IsEventFile);
            file = new EventFile(Folder);
        });
        _file = file!;
        _hadFiles = hadFiles;
        _options = [.. TrainingOptions.Of(options), .. further];
        if (_options.Count > 0)
            WriteOptions(_options);
    }

    /// <summary>The run's folder.</summary>
    public string Folder { get; }

    /// <summary>Writes an epoch: a <c>MetricsCallback</c>.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The log has been closed.</exception>
    public void Write(EpochMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        Follow(metrics.TrainingId, metrics.Epoch, ref _lastEpoch);
        Summary summary = new();
        summary.Add("loss/training", metrics.Loss);
        summary.Add("loss/validation", metrics.ValidationLoss);
        summary.Add("accuracy/training", metrics.Accuracy);
        summary.Add("accuracy/validation", metrics.ValidationAccuracy);
        summary.Add("accuracy/validation, top k", metrics.ValidationTopKAccuracy);
        summary.Add("RMSE/training", metrics.RootMeanSquaredError);
        summary.Add("RMSE/validation", metrics.ValidationRootMeanSquaredError);
        summary.Add("learning rate", metrics.LearningRate);
        summary.Add("samples per second", metrics.SamplesPerSecond);
        summary.AddLayers("", metrics);
        Write(summary, metrics.Epoch);
    }

    /// <summary>Writes a point within an epoch: a <c>StepCallback</c>.</summary>
    /// <inheritdoc cref="Write(EpochMetrics)" path="/exception"/>
    public void Write(StepMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        Follow(metrics.TrainingId, metrics.Step, ref _lastStep);
        Summary summary = new();
        summary.Add("steps/loss", metrics.Loss);
        summary.Add("steps/accuracy", metrics.Accuracy);
        summary.Add("steps/learning rate", metrics.LearningRate);
        summary.AddLayers("steps/", metrics);
        Write(summary, metrics.Step);
    }

    /// <summary>Writes the filters of a model's first layer as an image, where they are images: of convolutions and of square dense inputs.</summary>
    /// <param name="model">A trained model.</param>
    /// <returns>Whether there was an image to write.</returns>
    /// <inheritdoc cref="Write(EpochMetrics)" path="/exception"/>
    public bool WriteFilters(IFeedbackAlignmentModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (FilterImage.Of(model) is not { } image)
            return false;
        WriteImage("first layer's filters", image, model.History.Count);
        return true;
    }

    /// <summary>Writes a confusion matrix as an image.</summary>
    /// <param name="confusionMatrix">Of <c>MulticlassClassification.Evaluate</c>.</param>
    /// <param name="classes">The classes' names in the order of the matrix; null for their numbers.</param>
    /// <inheritdoc cref="Write(EpochMetrics)" path="/exception"/>
    public void WriteConfusionMatrix(ConfusionMatrix confusionMatrix, IReadOnlyList<string>? classes = null)
    {
        ArgumentNullException.ThrowIfNull(confusionMatrix);
        WriteImage("confusion matrix", ConfusionPicture.Of(ConfusionTable.Of(confusionMatrix, classes)).ToPng(scale: 1), 0);
    }

    /// <summary>Marks the run as ended, where that can be written, and closes the file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            try
            {
                Summary end = new();
                end.AddHParams("_hparams_/session_end_info",
                    new HParamsPluginData { SessionEndInfo = new SessionEndInfo { Status = 1, EndTimeSecs = EventFile.Now } });
                _file.Write(new Event { WallTime = EventFile.Now, Summary = end });
            }
            catch (IOException failure)
            {
                // The mark of the end is not worth the model that the caller has trained.
                System.Diagnostics.Trace.TraceWarning($"FaMLNet: '{_file.Path}' has no mark of its end: {failure.Message}");
            }
            finally
            {
                _file.Dispose();
            }
        }
    }

    /// <summary>Goes to a run of its own where another training begins: behind one of this log's, or in a folder that has one.</summary>
    private void Follow(string? id, long position, ref long last)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            bool isFirst = _lastEpoch == 0 && _lastStep == 0;
            if (id == null)
            {
                if (position <= last || (isFirst && _hadFiles && position == 1))
                {
                    GoTo(NewRun(), isFirst);
                    _id = null;
                }
            }
            else if (id != _id)
            {
                string run = RunOf(id, isFirst, begins: position == 1);
                if (!isFirst || run != Folder)
                    GoTo(run, isFirst);
                WriteId(id);
                _id = id;
            }
            last = position;
        }
    }

    /// <summary>The run of a training: the one that it has begun, or another.</summary>
    private string RunOf(string id, bool isFirst, bool begins)
    {
        // Without an id it is of an earlier version, and may be what goes on here.
        return Directory.EnumerateDirectories(Folder, RunName + "*").Order(StringComparer.Ordinal).Prepend(Folder)
            .FirstOrDefault(run => EventHistory.Find(run, id).Has)
            ?? (isFirst && (!_hadFiles || (!begins && EventHistory.Find(Folder, id).HasNameless)) ? Folder : NewRun());
    }

    private string NewRun()
    {
        int number = 2;
        string Run() => Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{RunName}{number}"));
        while (Directory.Exists(Run()))
            number++;
        return Run();
    }

    private void GoTo(string run, bool isFirst)
    {
        EventFile before = _file;
        WholeFile.Named(run, () =>
        {
            Directory.CreateDirectory(run);
            _file = new EventFile(run);
        });
        before.Dispose();
        // It holds the options alone.
        if (isFirst)
            File.Delete(before.Path);
        (_lastEpoch, _lastStep) = (0, 0);
        if (_options.Count > 0)
            WriteOptions(_options);
    }

    private void WriteId(string id)
    {
        Summary summary = new();
        summary.AddText(EventHistory.IdTag, id);
        Write(summary, 0);
    }

    private void WriteOptions(IReadOnlyList<(string Name, object? Value)> options)
    {
        StringBuilder table = new("| option | value |\n| --- | --- |\n");
        HParamsPluginData experiment = new() { Experiment = new Experiment { TimeCreatedSecs = EventFile.Now } },
            session = new() { SessionStartInfo = new SessionStartInfo { StartTimeSecs = EventFile.Now } };
        foreach ((string name, object? value) in options)
        {
            string text = TrainingOptions.Text(value);
            table.Append("| ").Append(name).Append(" | ").Append(text.Replace("|", "\\|", StringComparison.Ordinal)).Append(" |\n");
            (int type, Value typed) = value switch
            {
                bool flag => (2, Value.ForBool(flag)),
                int or long or float or double => (3, Value.ForNumber(Convert.ToDouble(value, CultureInfo.InvariantCulture))),
                _ => (1, Value.ForString(text)),
            };
            experiment.Experiment.HparamInfos.Add(new HParamInfo { Name = name, Type = type });
            session.SessionStartInfo.Hparams.Add(name, typed);
        }
        foreach (string tag in new[] { "loss/training", "loss/validation", "accuracy/training", "accuracy/validation", "RMSE/training",
            "RMSE/validation" })
            experiment.Experiment.MetricInfos.Add(new MetricInfo { Name = new MetricName { Tag = tag } });
        Summary summary = new();
        summary.AddText("options/text_summary", table.ToString());
        summary.AddHParams("_hparams_/experiment", experiment);
        summary.AddHParams("_hparams_/session_start_info", session);
        Write(summary, 0);
    }

    private void WriteImage(string tag, EncodedPicture picture, long step)
    {
        Summary summary = new();
        summary.Value.Add(new SummaryValue
        {
            Tag = tag,
            Image = new EncodedImage
            {
                Width = picture.Width,
                Height = picture.Height,
                Colorspace = 4,
                EncodedImageString = ByteString.CopyFrom(picture.Png),
            },
        });
        Write(summary, step);
    }

    private void Write(Summary summary, long step)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            WholeFile.Named(_file.Path, () => _file.Write(new Event { WallTime = EventFile.Now, Step = step, Summary = summary }));
        }
    }
}
