using FaMLNet.Reporting;
using Xunit;

namespace FaMLNet.Tests.Reporting;

public sealed class HistoryFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-history").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Names of layers as modules of the user's have them, and as no one should.</summary>
    private static readonly string[] Layers = ["layer1.0.conv1", "a,b", "with \"quotes\"", "line\nbreak", "a/b", "Äöß 中文"];

    [Theory, InlineData("history.csv"), InlineData("history.jsonl"), InlineData("new/folder/history.CSV")]
    public void What_is_written_is_read_again(string name)
    {
        EpochMetrics[] history = [.. Histories.Make(3, Layers), Histories.Epoch(4, Layers, 0, validates: false) with
        {
            Loss = double.NaN, WeightNorm = new Dictionary<string, double> { ["a,b"] = double.PositiveInfinity }, TotalUpdateAngle = null,
        }];
        string path = Path.Combine(_folder, name);
        HistoryFile.Write(path, history);
        Same(history, HistoryFile.Read(path));
        Assert.Empty(Directory.EnumerateFiles(_folder, "*.tmp", SearchOption.AllDirectories));
    }

    /// <summary>Files of before say NaN where a regression has no accuracy.</summary>
    [Theory]
    [InlineData("old.csv", "Epoch,Loss,Accuracy,RootMeanSquaredError,LearningRate,SamplesPerSecond\n1,0.5,NaN,2,0.1,10\n")]
    [InlineData("new.csv", "Epoch,Loss,Accuracy,RootMeanSquaredError,LearningRate,SamplesPerSecond\n1,0.5,,2,0.1,10\n")]
    [InlineData("old.jsonl", """{"epoch":1,"loss":0.5,"accuracy":"NaN","rootMeanSquaredError":2,"learningRate":0.1,"samplesPerSecond":10}""")]
    [InlineData("new.jsonl", """{"epoch":1,"loss":0.5,"rootMeanSquaredError":2,"learningRate":0.1,"samplesPerSecond":10}""")]
    public void A_regression_has_no_accuracy(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        EpochMetrics epoch = Assert.Single(HistoryFile.Read(path));
        Assert.Null(epoch.Accuracy);
        HistoryFile.Write(path, [epoch]);
        Assert.DoesNotContain("NaN", File.ReadAllText(path), StringComparison.Ordinal);
        Same([epoch], HistoryFile.Read(path));
    }

    [Theory, InlineData("log.csv"), InlineData("log.jsonl")]
    public void A_log_is_whole_after_every_epoch_and_goes_on_where_a_training_does(string name)
    {
        string path = Path.Combine(_folder, name);
        EpochMetrics[] history = Histories.Make(6);
        HistoryLog log = new(path);
        for (int i = 0; i < 4; i++)
        {
            log.Write(history[i]);
            Same(history[..(i + 1)], HistoryFile.Read(path));
        }
        // From the checkpoint of epoch 3; then with one measurement more.
        HistoryLog resumed = new(path);
        resumed.Write(history[3]);
        resumed.Write(history[4] with { DeadUnits = new Dictionary<string, double> { ["other"] = 0.5 } });
        IReadOnlyList<EpochMetrics> read = HistoryFile.Read(path);
        Same(history[..4], [.. read.Take(4)]);
        Assert.Equal(0.5, read[4].DeadUnits["other"]);
        // A training that starts anew replaces the file.
        new HistoryLog(path).Write(history[0]);
        Same(history[..1], HistoryFile.Read(path));
    }

    [Fact]
    public void A_training_writes_what_its_model_keeps()
    {
        string path = Path.Combine(_folder, "iris.csv");
        Microsoft.ML.MLContext mlContext = new(seed: 1);
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(FeedbackRule.DirectFeedbackAlignment);
        options.Diagnostics = LayerDiagnostics.All;
        options.MetricsCallback = new HistoryLog(path).Write;
        Same(Tables.ModelOf(Tables.Pipeline(mlContext, options).Fit(Tables.Load(mlContext, "iris"))).History, HistoryFile.Read(path));
    }

    [Fact]
    public void What_is_no_history_is_said_to_be_none()
    {
        void Fails<T>(string name, string content, string expected) where T : Exception
        {
            string path = Path.Combine(_folder, name);
            File.WriteAllText(path, content);
            T failure = Assert.Throws<T>(() => HistoryFile.Read(path));
            Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
            Assert.Contains(name, failure.Message, StringComparison.Ordinal);
        }
        Fails<FormatException>("a.csv", "", "is no history");
        Fails<FormatException>("b.csv", "SepalLength,Label\n1,x\n", "no column 'Epoch'");
        Fails<FormatException>("c.csv", "Epoch,Loss,Accuracy,LearningRate,SamplesPerSecond\n1,two,1,1,1\n", "row 1, column 'Loss'");
        Fails<FormatException>("d.jsonl", "{\"epoch\":1}\n", "line 1");
        Fails<FormatException>("e.jsonl", "null\n", "line 1");
        Fails<FormatException>("f.jsonl", "[", "line 1");
        Fails<ArgumentException>("g.txt", "", ".csv or .jsonl");
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_named()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        foreach (string path in new[] { Path.Combine(_folder, "file", "log.csv"), Path.Combine(_folder, "taken.csv") })
        {
            Directory.CreateDirectory(Path.Combine(_folder, "taken.csv"));
            IOException failure = Assert.Throws<IOException>(() => new HistoryLog(path));
            Assert.Contains($"'{path}' cannot be written: ", failure.Message, StringComparison.Ordinal);
        }
    }

    internal static void Same(IReadOnlyList<EpochMetrics> expected, IReadOnlyList<EpochMetrics> found)
    {
        Assert.Equal(expected.Count, found.Count);
        foreach ((EpochMetrics one, EpochMetrics other) in expected.Zip(found))
        {
            foreach (System.Reflection.PropertyInfo property in typeof(EpochMetrics).GetProperties().Where(property => property.Name != "Histograms"))
            {
                if (property.GetValue(one) is IReadOnlyDictionary<string, double> layers)
                    Assert.Equal(layers, (IReadOnlyDictionary<string, double>)property.GetValue(other)!);
                else
                    Assert.Equal(property.GetValue(one), property.GetValue(other));
            }
        }
    }
}
