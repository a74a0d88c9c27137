using FaMLNet.Reporting;
using FaMLNet.Reporting.TensorBoard;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace FaMLNet.Tests.Reporting;

/// <summary>Event files, read by <see cref="EventReader"/>, by TorchSharp's classes of the official format, and by the library itself.</summary>
public sealed class TensorBoardLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-board").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_value_is_in_the_file_at_once_and_as_it_was()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = new() { Rule = FeedbackRule.DirectFeedbackAlignment, NumberOfEpochs = 3, Seed = 7 };
        LayerHistograms histograms = new(Of([1, 2, 2.5f]), Of([-1, 1]), Of([0, 0, 0]));
        EpochMetrics[] history = [.. Histories.Make(3).Select(epoch => epoch with { Histograms = histograms })];
        using TensorBoardLog board = new(Path.Combine(_folder, "runs", "dfa"), options);
        for (int i = 0; i < history.Length; i++)
        {
            board.Write(history[i]);
            // Read while the log is open: a process that is killed leaves what it has written.
            List<(long Step, string Tag, float Value)> scalars = Scalars(board.Folder);
            Assert.Equal(Expected(history[..(i + 1)]).Order(), scalars.Order());
        }
        board.Write(new StepMetrics
        {
            Epoch = 1,
            Step = 1234567890123,
            Loss = 0.5,
            Accuracy = 0.25,
            LearningRate = 0.125,
            UpdateAngle = new Dictionary<string, double> { ["dense1"] = 12.5 },
        });
        Assert.Contains((1234567890123, "steps/update angle/dense1", 12.5f), Scalars(board.Folder));

        // Histograms, field by field.
        List<(int Field, object Value)> histogram = EventReader.Message(Values(board.Folder)
            .First(value => value.Tag == "weights/dense1").Fields.Single(pair => pair.Field == 5).Value is byte[] bytes ? bytes : []);
        Assert.Equal((1.0, 2.5, 3.0, 5.5, 11.25), (EventReader.One<double>(histogram, 1), EventReader.One<double>(histogram, 2),
            EventReader.One<double>(histogram, 3), EventReader.One<double>(histogram, 4), EventReader.One<double>(histogram, 5)));
        Assert.Equal(histograms.Weights["dense1"].Limits, EventReader.Doubles(EventReader.One<byte[]>(histogram, 6)));
        Assert.Equal(histograms.Weights["dense1"].Counts.Select(count => (double)count), EventReader.Doubles(EventReader.One<byte[]>(histogram, 7)));

        // Options as text and as hparams.
        (string _, long _, List<(int Field, object Value)> text) = Values(board.Folder).Single(value => value.Tag == "options/text_summary");
        Assert.Equal("text", Plugin(text).Name);
        List<(int Field, object Value)> tensor = EventReader.Message(EventReader.One<byte[]>(text, 8));
        Assert.Equal(7UL, EventReader.One<ulong>(tensor, 1));
        Assert.Contains("| NumberOfEpochs | 3 |", EventReader.Text(tensor, 8), StringComparison.Ordinal);
        (string name, byte[] content) = Plugin(Values(board.Folder).Single(value => value.Tag == "_hparams_/session_start_info").Fields);
        Assert.Equal("hparams", name);
        List<(int Field, object Value)> session = EventReader.Message(EventReader.One<byte[]>(EventReader.Message(content), 3));
        Dictionary<string, double> numbers = session.Where(pair => pair.Field == 1).Select(pair => EventReader.Message((byte[])pair.Value))
            .Select(entry => (Key: EventReader.Text(entry, 1), Value: EventReader.Message(EventReader.One<byte[]>(entry, 2))))
            .Where(entry => entry.Value.Any(pair => pair.Field == 2))
            .ToDictionary(entry => entry.Key, entry => EventReader.One<double>(entry.Value, 2));
        Assert.Equal((3, 7), (numbers["NumberOfEpochs"], numbers["Seed"]));
    }

    /// <summary>TorchSharp carries the official messages, generated from TensorFlow's own files.</summary>
    [Fact]
    public void The_official_messages_read_it_too()
    {
        EpochMetrics[] history = Histories.Make(4);
        string folder;
        using (TensorBoardLog board = new(_folder, new FeedbackAlignmentMulticlassTrainer.Options()))
        {
            Array.ForEach(history, board.Write);
            folder = board.Folder;
        }
        Tensorboard.Event[] events = [.. EventReader.Records(File.ReadAllBytes(Directory.GetFiles(folder).Single()))
            .Select(record => Tensorboard.Event.Parser.ParseFrom(record))];
        Assert.Equal("brain.Event:2", events[0].FileVersion);
        Assert.All(events, record => Assert.InRange((DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds - record.WallTime, -1, 600));
        Assert.Equal(Expected(history).Order(), events.Where(record => record.Summary != null).SelectMany(record => record.Summary.Value
            .Where(value => value.ValueCase == Tensorboard.Summary.Types.Value.ValueOneofCase.SimpleValue)
            .Select(value => (record.Step, value.Tag, value.SimpleValue))).Order());
        Assert.Equal("_hparams_/session_end_info", events[^1].Summary.Value.Single().Tag);
        Assert.Equal(["text", "hparams", "hparams"], events[1].Summary.Value.Select(value => value.Metadata.PluginData.PluginName));
    }

    [Fact]
    public void A_training_is_logged_by_its_callbacks_and_its_pictures_added()
    {
        MLContext mlContext = new(seed: 1);
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.FeedbackAlignment, epochs: 2);
        options.Network = NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.Activate(Activation.ReLU), new Layer.Flatten(),
            new Layer.Dense());
        options.ImageShape = new ImageShape(1, 8, 8);
        options.Diagnostics = LayerDiagnostics.All;
        using TensorBoardLog board = new(_folder, options);
        options.MetricsCallback = board.Write;
        options.DiagnosticsEverySteps = 20;
        options.StepCallback = board.Write;
        IDataView data = Tables.Load(mlContext, "digits");
        ITransformer model = Tables.Pipeline(mlContext, options).Fit(data);
        MulticlassClassificationMetrics metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(data));
        Assert.True(board.WriteFilters(Tables.ModelOf(model)));
        board.WriteConfusionMatrix(metrics.ConfusionMatrix);
        string[] tags = [.. Values(_folder).Select(value => value.Tag).Distinct()];
        Assert.Superset(new HashSet<string>
        {
            "loss/training", "alignment angle/dense1", "dead units/conv1", "weights/conv1", "feedback weights/dense1", "gradients/conv1",
            "steps/loss", "steps/update ratio/conv1", "first layer's filters", "confusion matrix",
        }, tags.ToHashSet());
        foreach (string tag in new[] { "first layer's filters", "confusion matrix" })
        {
            List<(int Field, object Value)> fields = Values(_folder).Single(value => value.Tag == tag).Fields,
                image = EventReader.Message(EventReader.One<byte[]>(fields, 4));
            using SkiaSharp.SKBitmap bitmap = SkiaSharp.SKBitmap.Decode(EventReader.One<byte[]>(image, 4));
            Assert.Equal(((ulong)bitmap.Height, (ulong)bitmap.Width), (EventReader.One<ulong>(image, 1), EventReader.One<ulong>(image, 2)));
            Assert.True(bitmap.Pixels.Distinct().Count() > 10, tag);
        }
        // Dense layers on what is no image have none.
        Assert.False(board.WriteFilters(Tables.ModelOf(Tables.Pipeline(mlContext, Tables.Quick(epochs: 1)).Fit(Tables.Load(mlContext, "wine")))));
    }

    /// <summary>What a process leaves that is killed in the middle of a record.</summary>
    [Fact]
    public void A_file_cut_anywhere_is_read_as_far_as_it_is_whole()
    {
        using (TensorBoardLog board = new(_folder))
            Array.ForEach(Histories.Make(3), board.Write);
        string path = Directory.GetFiles(_folder).Single();
        byte[] whole = File.ReadAllBytes(path);
        int records = EventReader.Records(whole).Count();
        Assert.Equal(records, EventFile.Read(path).Count());
        for (int cut = 0; cut < whole.Length; cut += 13)
        {
            File.WriteAllBytes(path, whole[..cut]);
            Assert.InRange(EventFile.Read(path).Count(), 0, records - 1);
        }
        byte[] damaged = [.. whole];
        damaged[^20] ^= 1;
        File.WriteAllBytes(path, damaged);
        Assert.Contains("checksum", Assert.Throws<FormatException>(() => EventFile.Read(path).Count()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        IOException failure = Assert.Throws<IOException>(() => new TensorBoardLog(Path.Combine(file, "run")));
        Assert.Contains($"'{Path.Combine(file, "run")}' cannot be written: ", failure.Message, StringComparison.Ordinal);
        TensorBoardLog board = new(Path.Combine(_folder, "run"));
        board.Dispose();
        board.Dispose();
        Assert.Throws<ObjectDisposedException>(() => board.Write(Histories.Make(1)[0]));
        // NaN is a value like others.
        using TensorBoardLog other = new(Path.Combine(_folder, "other"));
        other.Write(Histories.Make(1)[0] with { Loss = double.NaN, AlignmentAngle = new Dictionary<string, double> { ["x"] = double.NaN } });
        Assert.Contains(Scalars(other.Folder), scalar => scalar.Tag == "alignment angle/x" && float.IsNaN(scalar.Value));
    }

    private static Dictionary<string, Histogram> Of(float[] values) => new() { ["dense1"] = Histogram.Of(values) };

    private static IEnumerable<(long Step, string Tag, float Value)> Expected(EpochMetrics[] history)
    {
        foreach (EpochMetrics epoch in history)
        {
            foreach ((string tag, double? value) in new (string, double?)[]
            {
                ("loss/training", epoch.Loss), ("loss/validation", epoch.ValidationLoss), ("accuracy/training", epoch.Accuracy),
                ("accuracy/validation", epoch.ValidationAccuracy), ("learning rate", epoch.LearningRate),
                ("samples per second", epoch.SamplesPerSecond),
                ("total update angle", epoch.TotalUpdateAngle),
            })
                yield return (epoch.Epoch, tag, (float)value!.Value);
            foreach ((string tag, IReadOnlyDictionary<string, double> layers) in new (string, IReadOnlyDictionary<string, double>)[]
            {
                ("alignment angle", epoch.AlignmentAngle), ("norm ratio", epoch.NormRatio), ("update angle", epoch.UpdateAngle),
                ("weight norm", epoch.WeightNorm), ("gradient norm", epoch.GradientNorm), ("update ratio", epoch.UpdateRatio),
                ("dead units", epoch.DeadUnits),
            })
            {
                foreach ((string layer, double value) in layers)
                    yield return (epoch.Epoch, $"{tag}/{layer}", (float)value);
            }
        }
    }

    private static (string Name, byte[] Content) Plugin(List<(int Field, object Value)> value)
    {
        List<(int Field, object Value)> metadata = EventReader.Message(EventReader.One<byte[]>(value, 9)),
            plugin = EventReader.Message(EventReader.One<byte[]>(metadata, 1));
        return (EventReader.Text(plugin, 1), plugin.Any(pair => pair.Field == 2) ? EventReader.One<byte[]>(plugin, 2) : []);
    }

    private static List<(long Step, string Tag, float Value)> Scalars(string folder) =>
        [.. Values(folder).Where(value => value.Fields.Any(pair => pair.Field == 2)).Select(value =>
            (value.Step, value.Tag, EventReader.One<float>(value.Fields, 2)))];

    private static List<(string Tag, long Step, List<(int Field, object Value)> Fields)> Values(string folder)
    {
        using FileStream open = new(Directory.GetFiles(folder).Single(), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using MemoryStream copy = new();
        open.CopyTo(copy);
        List<(string, long, List<(int, object)>)> values = [];
        foreach (List<(int Field, object Value)> record in EventReader.Records(copy.ToArray()).Select(record => EventReader.Message(record)))
        {
            long step = record.Any(pair => pair.Field == 2) ? (long)EventReader.One<ulong>(record, 2) : 0;
            foreach (byte[] summary in record.Where(pair => pair.Field == 5).Select(pair => (byte[])pair.Value))
            {
                foreach ((_, object content) in EventReader.Message(summary))
                {
                    List<(int Field, object Value)> value = EventReader.Message((byte[])content);
                    values.Add((EventReader.Text(value, 1), step, value));
                }
            }
        }
        return values;
    }
}
