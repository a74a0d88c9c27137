using FaMLNet.Reporting;
using FaMLNet.Reporting.TensorBoard;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.Training.Checkpoints;

/// <summary>State and logs that cannot be written, and logs of several trainings.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-full");
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly List<string> _warnings = [];

    public FullDiskTests() => _mlContext.Log += (_, message) =>
    {
        if (message.Kind == ChannelMessageKind.Warning)
            _warnings.Add(message.RawMessage);
    };

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void A_checkpoint_that_cannot_be_written_is_a_warning_and_the_model_is_returned()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("A folder in use cannot be deleted there.");
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 4);
        FeedbackAlignmentMulticlassModelParameters expected = Fit(options);
        string folder = Path.Combine(_root.FullName, "state");
        options.CheckpointFolder = folder;
        options.MetricsCallback = metrics =>
        {
            if (metrics.Epoch == 2)
            {
                Directory.Delete(folder, recursive: true);
                File.WriteAllText(folder, "in the way");
            }
        };
        FeedbackAlignmentMulticlassModelParameters model = Fit(options);
        Tests.Trainers.PipelineTests.AssertSameWeights(expected, model);
        // Two checkpoints could not be written: said at the first one, and counted at the end.
        string[] about = [.. _warnings.Where(warning => warning.Contains(folder, StringComparison.Ordinal))];
        Assert.Equal(2, about.Length);
        Assert.Matches("cannot be written.* The training goes on", about[0]);
        Assert.EndsWith("could not be written to the end of the training. Failed: 2.", about[1], StringComparison.Ordinal);
        Assert.Equal([folder], Directory.GetFileSystemEntries(_root.FullName));
    }

    [Fact]
    public void A_folder_that_fails_for_a_while_is_two_warnings_and_the_checkpoints_go_on()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 7);
        string folder = Path.Combine(_root.FullName, "state");
        options.CheckpointFolder = folder;
        options.MetricsCallback = metrics =>
        {
            // A folder in the place of the temporary file.
            foreach (int epoch in new[] { 3, 4, 5 })
            {
                string way = Path.Combine(folder, $"checkpoint-{epoch:D6}-{0:D12}.zip.tmp");
                if (metrics.Epoch == 2)
                    Directory.CreateDirectory(way);
                else if (metrics.Epoch == 5)
                    Directory.Delete(way);
            }
        };
        Fit(options);
        Assert.Equal(2, _warnings.Count(warning => warning.StartsWith("Option CheckpointFolder", StringComparison.Ordinal)));
        Assert.Contains(_warnings, warning => warning.EndsWith("can be written again. Failed before: 3.", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(folder, $"checkpoint-{7:D6}-{0:D12}.zip")));
    }

    /// <summary>A real small disk, which fills during the last epoch.</summary>
    [Fact]
    public void A_disk_that_fills_during_the_training_leaves_the_model_and_no_half_file()
    {
        string disk = Path.Combine(_root.FullName, "disk");
        Directory.CreateDirectory(disk);
        if (!OperatingSystem.IsLinux() || !Run("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk))
            Assert.Skip("No small disk can be mounted here.");
        try
        {
            FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 6);
            options.CheckpointFolder = Path.Combine(disk, "state");
            options.CheckpointEveryEpochs = 6;
            HistoryLog log = new(Path.Combine(disk, "history.csv"));
            options.MetricsCallback = metrics =>
            {
                if (metrics.Epoch == 4)
                    Fill(Path.Combine(disk, "full"));
                log.Write(metrics);
            };
            Assert.Equal(6, Fit(options).History.Count);
            Assert.Contains(_warnings, warning => warning.StartsWith("Option CheckpointFolder: the checkpoint", StringComparison.Ordinal));
            Assert.Empty(Directory.EnumerateFiles(disk, "*.tmp", SearchOption.AllDirectories));
            // With room again, the log is whole by the next epoch.
            File.Delete(Path.Combine(disk, "full"));
            log.Write(new EpochMetrics { Epoch = 7, Loss = 1, LearningRate = 1, SamplesPerSecond = 1 });
            Assert.Equal([1, 2, 3, 4, 5, 6, 7], HistoryFile.Read(Path.Combine(disk, "history.csv")).Select(epoch => epoch.Epoch));
        }
        finally
        {
            Run("umount", disk);
        }
    }

    [Fact]
    public void A_log_that_cannot_be_written_is_a_warning_and_is_whole_again_when_it_can()
    {
        string path = Path.Combine(_root.FullName, "history.csv"), away = Path.Combine(_root.FullName, "away");
        HistoryLog log = new(path);
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick(epochs: 5);
        options.MetricsCallback = metrics =>
        {
            if (metrics.Epoch == 2)
            {
                File.Delete(path);
                Directory.CreateDirectory(path);
            }
            else if (metrics.Epoch == 4)
                Directory.Move(path, away);
            log.Write(metrics);
        };
        Assert.Equal(5, Fit(options).History.Count);
        Assert.Single(_warnings, warning => warning.StartsWith($"Option MetricsCallback: '{path}' cannot be written", StringComparison.Ordinal));
        Assert.Single(_warnings, warning => warning.EndsWith("can be written again. Failed before: 2.", StringComparison.Ordinal));
        Assert.Equal([1, 2, 3, 4, 5], HistoryFile.Read(path).Select(epoch => epoch.Epoch));
    }

    [Fact]
    public void Exceptions_of_the_users_own_still_reach_the_caller()
    {
        FeedbackAlignmentMulticlassTrainer.Options options = Tables.Quick();
        options.MetricsCallback = _ => throw new InvalidOperationException("of one's own");
        Assert.Equal("of one's own", Assert.Throws<InvalidOperationException>(() => Fit(options)).Message);
    }

    [Fact]
    public void One_history_log_keeps_several_trainings_apart()
    {
        foreach (string name in new[] { "history.csv", "lines.jsonl" })
        {
            HistoryLog log = new(Path.Combine(_root.FullName, name));
            for (int training = 1; training <= 3; training++)
            {
                for (int epoch = 1; epoch <= training + 1; epoch++)
                    log.Write(Metrics(epoch, training));
            }
            for (int training = 1; training <= 3; training++)
            {
                string file = training == 1 ? name : name.Replace(".", $"-{training}.", StringComparison.Ordinal);
                IReadOnlyList<EpochMetrics> history = HistoryFile.Read(Path.Combine(_root.FullName, file));
                Assert.Equal(Enumerable.Range(1, training + 1), history.Select(epoch => epoch.Epoch));
                Assert.All(history, epoch => Assert.Equal(training, epoch.Loss));
            }
        }
    }

    [Fact]
    public void One_event_log_and_one_folder_of_two_processes_keep_several_trainings_apart()
    {
        string folder = Path.Combine(_root.FullName, "board");
        using (TensorBoardLog log = new(folder, Tables.Quick()))
        {
            foreach (int training in new[] { 1, 2 })
            {
                foreach (int epoch in new[] { 1, 2, 3 })
                    log.Write(Metrics(epoch, training));
            }
        }
        using (TensorBoardLog log = new(folder))
            log.Write(Metrics(1, 3)); // another process
        using (TensorBoardLog log = new(folder))
            log.Write(Metrics(4, 1)); // the first one, which goes on
        Assert.Equal([1.0, 1, 1, 1], Assert.Single(EventHistory.Read(folder)).Select(epoch => epoch.Loss));
        Assert.Equal([2.0, 2, 2], Assert.Single(EventHistory.Read(Path.Combine(folder, "run-2"))).Select(epoch => epoch.Loss));
        Assert.Equal([3.0], Assert.Single(EventHistory.Read(Path.Combine(folder, "run-3"))).Select(epoch => epoch.Loss));
    }

    /// <summary>As earlier builds left them: two trainings in the files of one folder.</summary>
    [Fact]
    public void Two_trainings_in_one_folder_are_read_as_two()
    {
        string folder = Path.Combine(_root.FullName, "board"), other = Path.Combine(_root.FullName, "other");
        using (TensorBoardLog log = new(folder))
        {
            log.Write(Metrics(1, 1));
            log.Write(Metrics(2, 1));
        }
        using (TensorBoardLog log = new(other))
            log.Write(Metrics(1, 2));
        foreach (string file in Directory.EnumerateFiles(other))
            File.Move(file, Path.Combine(folder, Path.GetFileName(file)));
        IReadOnlyList<IReadOnlyList<EpochMetrics>> trainings = EventHistory.Read(folder);
        Assert.Equal(2, trainings.Count);
        Assert.Equal([1.0, 1], trainings[0].Select(epoch => epoch.Loss));
        Assert.Equal([2.0], trainings[1].Select(epoch => epoch.Loss));
    }

    private static EpochMetrics Metrics(int epoch, double loss) => new() { Epoch = epoch, Loss = loss, LearningRate = 0.1, SamplesPerSecond = 1 };

    private FeedbackAlignmentMulticlassModelParameters Fit(FeedbackAlignmentMulticlassTrainer.Options options) =>
        Tables.ModelOf(Tables.Pipeline(_mlContext, options).Fit(Tables.Load(_mlContext, "iris")));

    private static void Fill(string path)
    {
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        try
        {
            while (true)
                file.Write(new byte[512]);
        }
        catch (IOException)
        {
            // full
        }
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using System.Diagnostics.Process process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(command, arguments)
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
