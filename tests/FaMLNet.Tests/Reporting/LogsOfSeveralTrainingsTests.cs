using FaMLNet.Reporting;
using FaMLNet.Reporting.TensorBoard;
using FaMLNet.Tests.Interop;
using Microsoft.ML;
using Xunit;

namespace FaMLNet.Tests.Reporting;

/// <summary>One log of several trainings that are stopped and go on: each training's epochs are there once, and apart from the others'.</summary>
[Collection(OwnProcesses.Name)]
public sealed class LogsOfSeveralTrainingsTests : IDisposable
{
    private const int Folds = 3, Epochs = 4;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-logs");

    public void Dispose() => _root.Delete(recursive: true);

    private string Board => Path.Combine(_root.FullName, "board");

    /// <summary>Stopped anywhere, also more than once, and where the latest checkpoint is from some epochs before.</summary>
    [Theory, InlineData(1, 7), InlineData(1, 4, 4), InlineData(3, 6), InlineData(3, 7, 1, 3), InlineData(4, 5), InlineData(4, 6, 2),
        InlineData(1, 12)]
    public void Folds_that_are_stopped_go_on_in_their_own_files(int checkpointEvery, params int[] stopAfter)
    {
        Dictionary<string, List<EpochMetrics>> told = [];
        foreach (int stop in stopAfter.Append(0))
        {
            int left = stop;
            HistoryLog[] tables = [new(Path.Combine(_root.FullName, "history.csv")), new(Path.Combine(_root.FullName, "lines.jsonl"))];
            using TensorBoardLog board = new(Board, Tables.Quick());
            void Tell(EpochMetrics metrics)
            {
                foreach (HistoryLog table in tables)
                    table.Write(metrics);
                board.Write(metrics);
                if (!told.TryGetValue(metrics.TrainingId!, out List<EpochMetrics>? own))
                    told[metrics.TrainingId!] = own = [];
                own.RemoveAll(epoch => epoch.Epoch >= metrics.Epoch);
                own.Add(metrics);
                if (--left == 0)
                    throw new TimeoutException("stopped");
            }
            if (stop > 0)
                Assert.Throws<TimeoutException>(() => Validate(checkpointEvery, Tell, board.Write));
            else
                Validate(checkpointEvery, Tell, board.Write);
        }
        Assert.Equal(Folds, told.Count);
        Assert.All(told.Values, history => Assert.Equal(Enumerable.Range(1, Epochs), history.Select(epoch => epoch.Epoch)));
        foreach (string name in new[] { "history", "lines" })
        {
            string[] files = Directory.GetFiles(_root.FullName, name + "*");
            Assert.Equal(Folds, files.Length);
            Assert.All(files, file => HistoryFileTests.Same(told[HistoryFile.Read(file)[0].TrainingId!], HistoryFile.Read(file)));
        }
        IReadOnlyList<EpochMetrics>[] runs = [.. Runs()];
        Assert.Equal(Folds, runs.Length);
        Assert.All(runs, run => Assert.Equal(told[run[0].TrainingId!].Select(epoch => ((float)epoch.Loss, epoch.Epoch)),
            run.Select(epoch => ((float)epoch.Loss, epoch.Epoch))));
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public void A_process_that_is_killed_goes_on_in_the_files_of_each_fold()
    {
        string worker = ProcessRunner.Metadata("Worker"), folder = _root.FullName;
        // After the third epoch of the second fold.
        ProcessRunner.KillAt("here", "dotnet", folder, worker, "folds", folder, "7");
        Assert.Equal([4, 3], new[] { "history.csv", "history-2.csv" }.Select(name => HistoryFile.Read(Path.Combine(folder, name)).Count));
        ProcessRunner.Run("dotnet", folder, worker, "folds", folder, "0");
        IReadOnlyList<EpochMetrics>[] tables = [.. Directory.GetFiles(folder, "history*.csv").Order().Select(HistoryFile.Read)], runs = [.. Runs()];
        foreach (IReadOnlyList<EpochMetrics>[] trainings in new[] { tables, runs })
        {
            Assert.Equal(Folds, trainings.Length);
            string?[] ids = [.. trainings.Select(training => Assert.Single(training.Select(epoch => epoch.TrainingId).Distinct()))];
            Assert.Equal(Folds, ids.Distinct().Count());
            Assert.All(trainings, training => Assert.Equal(Enumerable.Range(1, Epochs), training.Select(epoch => epoch.Epoch)));
        }
    }

    [Fact]
    public void The_id_is_a_trainings_own_however_often_it_goes_on_and_models_do_not_keep_it()
    {
        MLContext mlContext = new(seed: 1);
        List<string?> ids = [];
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 2);
        options.Schedule = LearningRateSchedule.Constant;
        options.DiagnosticsEverySteps = 1;
        options.MetricsCallback = metrics => ids.Add(metrics.TrainingId);
        options.StepCallback = metrics => ids.Add(metrics.TrainingId);
        FeedbackAlignmentMulticlassModelParameters Fit() =>
            Tables.ModelOf(Tables.Pipeline(mlContext, options).Fit(Tables.Load(mlContext, "iris")));
        string? Id(Action<FeedbackAlignmentMulticlassTrainer.Options> change)
        {
            change(options);
            ids.Clear();
            Assert.All(Fit().History, epoch => Assert.Null(epoch.TrainingId));
            return Assert.Single(ids.Distinct());
        }
        Assert.Null(Id(_ => { }));
        string first = Id(chosen => chosen.CheckpointFolder = Path.Combine(_root.FullName, "1"))!;
        Assert.Equal(12, first.Length);
        Assert.Equal(first, Id(chosen => chosen.NumberOfEpochs = 4));
        Assert.Equal(first, Id(chosen => chosen.CheckpointFolder = Path.Combine(_root.FullName, "2")));
        Assert.NotEqual(first, Id(chosen => (chosen.CheckpointFolder, chosen.BatchSize) = (Path.Combine(_root.FullName, "3"), 16)));
    }

    [Theory, InlineData("history.csv"), InlineData("history.jsonl")]
    public void A_file_of_another_training_is_left_alone_and_one_without_an_id_is_taken_over(string name)
    {
        string path = Path.Combine(_root.FullName, name), second = path.Replace("history", "history-2", StringComparison.Ordinal);
        // As earlier versions wrote it: a training that went on.
        HistoryFile.Write(path, [Metrics(1, 1, null), Metrics(2, 1, null)]);
        new HistoryLog(path).Write(Metrics(3, 1, "one"));
        Assert.Equal([1, 2, 3], HistoryFile.Read(path).Select(epoch => epoch.Epoch));
        new HistoryLog(path).Write(Metrics(1, 2, "two"));
        new HistoryLog(path).Write(Metrics(4, 1, "one"));
        new HistoryLog(path).Write(Metrics(2, 2, "two"));
        Assert.Equal([(1, 1.0), (2, 1), (3, 1), (4, 1)], HistoryFile.Read(path).Select(epoch => (epoch.Epoch, epoch.Loss)));
        Assert.Equal([(1, 2.0), (2, 2)], HistoryFile.Read(second).Select(epoch => (epoch.Epoch, epoch.Loss)));
        // The same training from the start.
        new HistoryLog(path).Write(Metrics(1, 3, "two"));
        Assert.Equal([3.0], HistoryFile.Read(second).Select(epoch => epoch.Loss));
        Assert.Equal(2, Directory.GetFiles(_root.FullName).Length);
    }

    [Fact]
    public void An_event_folder_of_an_earlier_version_goes_on_and_other_trainings_get_runs_of_their_own()
    {
        void Write(params EpochMetrics[] epochs)
        {
            using TensorBoardLog log = new(Board, Tables.Quick());
            Array.ForEach(epochs, log.Write);
        }
        Write(Metrics(1, 1, null), Metrics(2, 1, null));
        Write(Metrics(3, 1, "one"), Metrics(1, 2, "two"), Metrics(2, 2, "two"));
        Write(Metrics(2, 4, "two"), Metrics(4, 1, "one"), Metrics(1, 3, "three"));
        Assert.Equal([["(1, 1)", "(2, 1)", "(3, 1)", "(4, 1)"], ["(1, 2)", "(2, 4)"], ["(1, 3)"]],
            Runs().Select(run => run.Select(epoch => $"({epoch.Epoch}, {epoch.Loss:0})").ToArray()));
    }

    private IEnumerable<IReadOnlyList<EpochMetrics>> Runs() => Directory.GetDirectories(Board).Order(StringComparer.Ordinal).Prepend(Board)
        .SelectMany(EventHistory.Read);

    private void Validate(int checkpointEvery, Action<EpochMetrics> tell, Action<StepMetrics> step)
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: Epochs);
        (options.MetricsCallback, options.StepCallback, options.DiagnosticsEverySteps) = (tell, step, 1);
        (options.CheckpointFolder, options.CheckpointEveryEpochs) = (Path.Combine(_root.FullName, "state"), checkpointEvery);
        MLContext mlContext = new(5);
        IDataView iris = mlContext.Transforms.Conversion.MapValueToKey("Label").Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
            .Fit(Tables.Load(mlContext, "iris")).Transform(Tables.Load(mlContext, "iris"));
        FeedbackAlignmentMulticlassTrainer trainer = mlContext.MulticlassClassification.Trainers.FeedbackAlignment(options);
        mlContext.MulticlassClassification.CrossValidate(iris, trainer, Folds, seed: 2);
    }

    private static EpochMetrics Metrics(int epoch, double loss, string? id) =>
        new() { Epoch = epoch, Loss = loss, LearningRate = 0.1, SamplesPerSecond = 1, TrainingId = id };
}
