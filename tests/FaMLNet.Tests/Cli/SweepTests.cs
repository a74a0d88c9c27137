using FaMLNet.Cli.Configuration;
using FaMLNet.Cli.Experiments;
using FaMLNet.Cli.Sweeps;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Experiments and sweeps, as files and as processes.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class SweepTests : IDisposable
{
    private const string Base = """
        experiment: {name: try, output_dir: results}
        data: {dataset: csv, dataset_path: digits.csv, validation: 0.2}
        model: {architecture: "mlp:16", mode: {type: fa}}
        training:
          hyperparameters: {epochs: 3, batch_size: 64}
        infrastructure: {threads: 1}
        evaluation: {tensorboard: false, report: false}

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-sweep").FullName;

    public SweepTests() => File.Copy(Tables.PathOf("digits"), Path.Combine(_folder, "digits.csv"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Records_name_the_packages_versions() =>
        // The version of ML.NET's assembly is 1.0.0 whatever the package's is.
        Assert.Matches(@"FaMLNet \d+\.\d+\.\d+\S*, ML\.NET [5-9]\.\d+\.\d+$", Experiment.Machine(threads: 1));

    [Fact]
    public void Trials_are_all_combinations_with_names_that_follow_from_their_settings()
    {
        SweepFile sweep = Sweep("sweep:\n  over:\n    rule: [fa, dfa]\n    rate: {from: 1e-4, to: 1e-1, points: 4, scale: log}\n    seed: "
            + "[1, 2, 3]\n");
        Assert.Equal(24, sweep.Trials.Count);
        Assert.Equal(24, sweep.Trials.Select(trial => trial.Name).Distinct().Count());
        Assert.Equal(["0.0001", "0.001", "0.01", "0.1"], sweep.Trials.Select(trial => trial.Varied["rate"]).Distinct());
        Assert.Equal(0.01f, sweep.Trials.First(trial => trial.Varied["rate"] == "0.01").Settings.ToOptions().Optimizer!.LearningRate);
        Assert.Equal("dfa", sweep.Trials[^1].Settings.Rule.ShortName);
        Assert.Equal(3, sweep.Trials[^1].Settings.Seed);
        // The same settings, whatever the order of the keys, the folder, the threads and the other trials.
        Trial one = sweep.Trials.Single(trial => trial.Varied is { } varied && varied["rule"] == "fa" && varied["rate"] == "0.001"
            && varied["seed"] == "2");
        SweepFile other = Sweep("sweep:\n  over:\n    rule: [fa]\n    rate: [0.001]\n    seed: [2]\n", Base.Replace("threads: 1", "threads: 2",
            StringComparison.Ordinal).Replace("output_dir: results", "output_dir: elsewhere", StringComparison.Ordinal)
            .Replace("epochs: 3, batch_size: 64", "batch_size: 64, epochs: 3", StringComparison.Ordinal));
        Assert.Equal(one.Name, other.Trials.Single().Name);
        Assert.NotEqual(one.Name, Sweep("sweep:\n  over:\n    rule: [fa]\n    rate: [0.001]\n    seed: [2]\n",
            Base.Replace("epochs: 3", "epochs: 4", StringComparison.Ordinal)).Trials.Single().Name);
    }

    [Fact]
    public void A_range_of_whole_numbers_at_whole_distances_has_every_one_of_them() => Assert.Equal(Enumerable.Range(0,
        1501).Select(i => $"{2 * i + 1}"),
        Sweep("sweep: {over: {seed: {from: 1, to: 3001, points: 1501}}}\n").Trials.Select(trial => trial.Varied["seed"]));

    [Fact]
    public void Cells_of_a_table_are_trials_times_what_else_varies()
    {
        File.WriteAllText(Path.Combine(_folder, "cells.csv"), "rule,rate,optimizer\nfa,0.01,SGD\ndfa,1e-3,Adam\n");
        SweepFile sweep = Sweep("sweep:\n  cells: cells.csv\n  over: {seed: [1, 2]}\n");
        Assert.Equal(["fa SGD 1", "fa SGD 2", "dfa Adam 1", "dfa Adam 2"], sweep.Trials.Select(trial =>
            $"{trial.Varied["rule"]} {trial.Varied["optimizer"]} {trial.Varied["seed"]}"));
        Assert.IsType<OptimizerOptions.Adam>(sweep.Trials[^1].Settings.ToOptions().Optimizer);
    }

    public static TheoryData<string, string> Wrong() => new()
    {
        { "sweep: {}\n", "line 8, column 1: the sweep varies nothing" },
        { "sweep: {over: {}}\n", "the sweep varies nothing" },
        { "sweep: {over: {rule: []}}\n", "'rule' has no values" },
        { "sweep: {over: {rule: fa}}\n", "'rule' must be a list of values, or a range" },
        { "sweep: {over: {rul: [fa]}}\n", "'rul' is no key to vary. Did you mean 'rule'?" },
        { "sweep: {over: {rule: [fa, fb]}}\n", "line 8, column 27: model.mode.type must be one of" },
        { "sweep: {over: {rule: [fa, fa]}}\n", "two trials are the same: rule fa" },
        { "sweep: {over: {seed: {from: 1, to: 1000, points: 1000}, rate: {from: 0.1, to: 1, points: 1000}}}\n",
            "the sweep has 1000000 trials; expected at most 10000" },
        { "sweep: {over: {rate: {from: 0, to: 1, points: 3, scale: log}}}\n", "a range on a log scale needs 'from' and 'to' above 0" },
        { "sweep: {over: {rate: {from: 1, to: 2, points: 1}}}\n", "'points', a whole number from 2" },
        { "sweep: {over: {rate: {from: 1, to: 2, points: 3, step: 1}}}\n", "a range has from, to, points and scale; found 'step'" },
        { "sweep: {over: {training.optimizer.lrr: [1]}}\n", "the key 'training.optimizer.lrr' is not known. Did you mean 'lr'?" },
        { "sweep: {over: {experiment.name.first: [a]}}\n", "leads through 'name', which has a value" },
        { "sweep: {cells: none.csv}\n", "the table '" },
        { "sweep: {cells: empty.csv}\n", "has no rows" },
        { "sweep: {cells: ragged.csv}\n", "found 1 values; expected 2" },
        { "sweep: {cells: digits.csv}\n", "is no key to vary" },
        { "sweep: {processes: 0, over: {seed: [1]}}\n", "sweep.processes must be a whole number from 1 to 1024; found 0" },
        { "", "it has no 'sweep': it is one experiment" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void What_is_wrong_is_named_before_anything_runs(string sweep, string message)
    {
        File.WriteAllText(Path.Combine(_folder, "empty.csv"), "rule,rate\n");
        File.WriteAllText(Path.Combine(_folder, "ragged.csv"), "rule,rate\nfa\n");
        Assert.Contains(message, Assert.Throws<FormatException>(() => Sweep(sweep)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "results")));
    }

    [Fact]
    public void A_sweep_runs_records_failures_resumes_and_gathers()
    {
        string path = Write("sweep:\n  processes: 2\n  over:\n    rule: [bp]\n    data.validation: [0.2, 100000]\n    seed: [1, 2]\n");
        SweepFile sweep = SweepFile.Read(path);
        string output = Assert.Throws<InvalidOperationException>(() => Tool("sweep", "sweep.yaml")).Message;
        string results = Path.Combine(_folder, "results", "try");
        // There are not so many rows: recorded with its message, and the others are done.
        string[] lines = File.ReadAllLines(Path.Combine(results, "results.csv"));
        Assert.Equal(5, lines.Length);
        Assert.Equal(2, lines.Count(line => line.Contains(",done,", StringComparison.Ordinal)));
        Assert.Equal(2, lines.Count(line => line.Contains(",failed,", StringComparison.Ordinal) && line.Contains("are to be kept aside",
            StringComparison.Ordinal)));
        Assert.Contains("2 of 4 trials done, 2 failed", output, StringComparison.Ordinal);
        string markdown = File.ReadAllText(Path.Combine(results, "results.md"));
        Assert.Matches(@"\| bp \| 0\.2 \| 2 \| \d\d\.\d\d ± \d+\.\d\d \|", markdown);
        Assert.Equal(4, System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(results, "results.json"))).RootElement.GetArrayLength());
        Assert.Contains("</html>", File.ReadAllText(Path.Combine(results, "results.html")), StringComparison.Ordinal);

        // What is done is not run again; what has failed only on request.
        string done = Path.Combine(results, "trials", sweep.Trials[0].Name, Experiment.ResultFile);
        DateTime before = File.GetLastWriteTimeUtc(done);
        Assert.Contains("2 of 4 trials done, 2 failed", Assert.Throws<InvalidOperationException>(() => Tool("sweep", "sweep.yaml")).Message,
            StringComparison.Ordinal);
        Assert.Equal(before, File.GetLastWriteTimeUtc(done));
        Assert.Equal(2, Tool("sweep", "sweep.yaml", "--list").Split('\n').Count(line => line.EndsWith(" failed", StringComparison.Ordinal)));

        // Another sweep is refused by the folder.
        Write("sweep:\n  over:\n    rule: [bp]\n    seed: [9]\n");
        Fails("has the results of another sweep: none of its 4 trials", "sweep", "sweep.yaml");
        Fails("run it with 'famlnet sweep'", "benchmark", "sweep.yaml", ignoreCase: true);
        // Data that is not there fails before the first trial.
        Write("sweep:\n  over:\n    rule: [bp]\n    seed: [9]\n", Base.Replace("digits.csv", "nothing.csv", StringComparison.Ordinal)
            .Replace("name: try", "name: other", StringComparison.Ordinal));
        Fails("The data set 'csv' is not at 'nothing.csv'", "sweep", "sweep.yaml");
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder, "results", "other", "trials")));
    }

    /// <summary>Others ask all the time whether a trial is running, as a sweep's own view does.</summary>
    [Fact]
    public async Task Asking_how_far_a_trial_is_keeps_nobody_from_it()
    {
        SweepFile sweep = Sweep($"sweep: {{over: {{seed: [1]}}}}\n", Base.Replace("output_dir: results", $"output_dir: '{_folder}'",
            StringComparison.Ordinal));
        SweepFolder folder = SweepFolder.Open(sweep);
        Trial trial = sweep.Trials.Single();
        folder.Claim(trial)!.Dispose();
        using CancellationTokenSource stop = new();
        Task[] asking = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                folder.StateOf(trial);
        }, TestContext.Current.CancellationToken))];
        for (int i = 0; i < 200; i++)
        {
            using IDisposable? claim = folder.Claim(trial);
            Assert.NotNull(claim);
            Assert.Equal(TrialState.Running, folder.StateOf(trial));
        }
        await stop.CancelAsync();
        await Task.WhenAll(asking);
        Assert.Equal(TrialState.Waiting, folder.StateOf(trial));
    }

    /// <summary>As the tasks of a job array do that start in the same second.</summary>
    [Fact]
    public async Task Processes_that_open_one_sweep_at_the_same_time_do_not_disturb_each_other()
    {
        Write("sweep:\n  over:\n    seed: [1, 2, 3]\n");
        string[] outputs = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => Tool("sweep", "sweep.yaml", "--list"),
            TestContext.Current.CancellationToken)));
        Assert.All(outputs, output => Assert.Equal(3, output.Split('\n').Count(line => line.EndsWith(" waiting", StringComparison.Ordinal))));
        await Task.WhenAll(Enumerable.Range(0, 3).Select(index => Task.Run(() => Tool("sweep", "sweep.yaml", "--index", $"{index}"),
            TestContext.Current.CancellationToken)));
        Assert.Contains("3 of 3 trials done, 0 failed", Tool("sweep", "sweep.yaml", "--collect"), StringComparison.Ordinal);
    }

    /// <summary>The configuration of a trial is an experiment of its own: the same settings, folder and hash, whatever the sweep varies.</summary>
    [Theory]
    [InlineData("sweep: {over: {rule: [fa, dfa], rate: {from: 1e-5, to: 0.3, points: 5, scale: log}, seed: [1, 2]}}\n")]
    [InlineData("sweep: {over: {data.validation: [0.2, 30, none], clip: [true, 0.5], init: [xavier, null], smoothing: [0, 0.1]}}\n")]
    [InlineData("sweep: {over: {network: ['mlp:16', 'mlp:', \"mlp:8,8+tanh\"], schedule: [cosine, constant], data.dataset_path: [digits.csv, "
        + "./digits.csv]}}\n")]
    public void A_trials_own_configuration_is_the_same_experiment(string over)
    {
        SweepFile sweep = Sweep(over, Base.Replace("output_dir: results", $"output_dir: '{_folder}'", StringComparison.Ordinal));
        SweepFolder folder = SweepFolder.Open(sweep);
        Assert.All(sweep.Trials, trial =>
        {
            ExperimentSettings alone = ExperimentSettings.Read(YamlFile.Read(folder.WriteConfiguration(trial)));
            Assert.True(System.Text.Json.Nodes.JsonNode.DeepEquals(trial.Settings.Decisive, alone.Decisive), trial.Name);
            Assert.Equal(trial.Settings.DatasetPath, alone.DatasetPath);
            Assert.Equal(folder.FolderOf(trial), alone.OutputFolder);
            Assert.Equal((trial.Settings.Threads, trial.Settings.WritesReport), (alone.Threads, alone.WritesReport));
        });
    }

    /// <summary>A trial's process reads neither the sweep nor its other trials.</summary>
    [Fact]
    public void A_trial_runs_by_its_own_configuration_alone_and_is_the_sweeps()
    {
        string path = Write("sweep: {keep_models: false, over: {rule: [fa, bp]}}\n");
        SweepFile sweep = SweepFile.Read(path);
        Tool("sweep", "sweep.yaml", "--index", "1");
        string folder = Path.Combine(_folder, "results", "try", "trials", sweep.Trials[0].Name);
        Assert.False(File.Exists(Path.Combine(folder, "config.yaml")));
        Tool("sweep", "sweep.yaml", "--trial", sweep.Trials[0].Name);
        string before = File.ReadAllText(Path.Combine(folder, Experiment.ResultFile));
        File.Delete(Path.Combine(folder, Experiment.ResultFile));
        File.Delete(path);
        Tool("benchmark", Path.Combine("results", "try", "trials", sweep.Trials[0].Name, "config.yaml"), "--trial", "--no-model");
        Assert.Equal(ExperimentResult.Read(Path.Combine(folder, Experiment.ResultFile)).Last, System.Text.Json.JsonSerializer
            .Deserialize<ExperimentResult>(before, ExperimentResult.Json)!.Last);
        Assert.False(File.Exists(Path.Combine(folder, "model.zip")));
        Write("sweep: {keep_models: false, over: {rule: [fa, bp]}}\n");
        Assert.Contains("2 of 2 trials done, 0 failed", Tool("sweep", "sweep.yaml"), StringComparison.Ordinal);
    }

    /// <summary>What is wrong with other trials is none of a trial's business, and its own failure is recorded as before.</summary>
    [Fact]
    public void A_single_trial_is_checked_and_the_others_are_not()
    {
        string path = Write("sweep: {over: {rule: [fa, nonsense]}}\n");
        Assert.Contains("model.mode.type must be one of", Assert.Throws<FormatException>(() => SweepFile.Read(path)).Message,
            StringComparison.Ordinal);
        Tool("sweep", "sweep.yaml", "--index", "0");
        Fails("model.mode.type must be one of", "sweep", "sweep.yaml", "--index", "1");
    }

    [Fact]
    public void A_trial_that_is_killed_goes_on_from_its_checkpoint_and_ends_the_same()
    {
        const int Epochs = 8;
        string settings = Base.Replace("epochs: 3", $"epochs: {Epochs}", StringComparison.Ordinal);
        Trial trial = SweepFile.Read(Write("sweep:\n  over:\n    seed: [1]\n", settings)).Trials.Single();
        string folder = Path.Combine(_folder, "results", "try", "trials", trial.Name);
        // Whole, once, elsewhere.
        Tool(["sweep", Path.GetFileName(Write("sweep:\n  over:\n    seed: [1]\n", settings.Replace("results", "whole", StringComparison.Ordinal),
            "whole.yaml")),
            "--trial", trial.Name]);
        ExperimentResult whole = ExperimentResult.Read(Path.Combine(_folder, "whole", "try", "trials", trial.Name, Experiment.ResultFile));
        // The lock of a process that was killed holds nobody up.
        foreach (int epoch in new[] { 1, 5 })
            ProcessRunner.KillAt("here", "dotnet", _folder, ProcessRunner.Metadata("Worker"), "trial", "sweep.yaml", trial.Name, $"{epoch}");
        string[] command = ["sweep", "sweep.yaml", "--trial", trial.Name];
        Assert.Contains("Going on from a checkpoint: 5 epochs", Tool(command), StringComparison.Ordinal);
        ExperimentResult resumed = ExperimentResult.Read(Path.Combine(folder, Experiment.ResultFile));
        Assert.Equal(whole.Last, resumed.Last);
        Assert.Equal(whole.Best, resumed.Best);
        Assert.Equal(whole.AlignmentAngle, resumed.AlignmentAngle);
        Assert.Equal(Epochs + 1, File.ReadAllLines(Path.Combine(folder, Experiment.HistoryFile)).Length);
        Assert.False(Directory.Exists(Path.Combine(folder, Experiment.Checkpoints)));
        Assert.Contains("is complete", Tool(command), StringComparison.Ordinal);
    }

    [Fact]
    public void An_experiment_leaves_measures_history_model_board_and_report()
    {
        Write("", Base.Replace("evaluation: {tensorboard: false, report: false}",
            "evaluation:\n  robustness: {attacks: [fgsm, noise], eps: [0.1], rows: 20}",
            StringComparison.Ordinal).Replace("epochs: 3", "epochs: 20", StringComparison.Ordinal));
        string output = Tool("benchmark", "sweep.yaml");
        Assert.Matches(@"last epoch \(20\): top-1 \d\d\.\d\d %, top-5 ", output);
        Assert.Contains("chosen on the validation rows", output, StringComparison.Ordinal);
        Assert.Contains("FGSM", output, StringComparison.Ordinal);
        string folder = Path.Combine(_folder, "results", "try");
        Assert.All(new[] { "result.json", "history.csv", "model.zip", "report.html", "config.yaml" }, file =>
            Assert.True(File.Exists(Path.Combine(folder, file)), file));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(folder, "logs")));
        ExperimentResult result = ExperimentResult.Read(Path.Combine(folder, "result.json"));
        Assert.Equal("validation", result.ChosenOn);
        Assert.Equal(2, result.Robustness!.Count);
        Assert.InRange(result.Last!.Top1!.Value, 0.8, 1);
        Assert.True(result.Last.TopK >= result.Last.Top1);
        Assert.True(result.TrainingSeconds > 0); // the rows of a table have to be counted
        // The best is the model that is kept; it is measured as any.
        Assert.Contains((100 * EvaluatedOn(folder)).ToString("F2", System.Globalization.CultureInfo.InvariantCulture),
            Tool("evaluate", Path.Combine(folder, "model.zip"), "digits.csv"), StringComparison.Ordinal);
        // Once more: the result is shown, nothing runs; with another setting the folder is refused.
        Assert.Contains("is complete", Tool("benchmark", "sweep.yaml"), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "sweep.yaml"), File.ReadAllText(Path.Combine(_folder, "sweep.yaml")).Replace("epochs: 20",
            "epochs: 21",
            StringComparison.Ordinal));
        Fails("has the result of another experiment", "benchmark", "sweep.yaml");

        // A saved model is measured as it is, and started from.
        string model = Path.Combine(folder, "model.zip");
        Write("", Base.Replace("name: try", "name: saved", StringComparison.Ordinal).Replace("architecture: \"mlp:16\"", $"checkpoint: {model}",
            StringComparison.Ordinal).Replace("training:\n  hyperparameters: {epochs: 3, batch_size: 64}\n", "", StringComparison.Ordinal));
        Assert.Contains("saved model: top-1", Tool("benchmark", "sweep.yaml"), StringComparison.Ordinal);
        Write("", Base.Replace("name: try", "name: further", StringComparison.Ordinal).Replace("architecture: \"mlp:16\"",
            $"architecture: \"mlp:16\", checkpoint: {model}", StringComparison.Ordinal));
        Tool("benchmark", "sweep.yaml");
        Assert.InRange(ExperimentResult.Read(Path.Combine(_folder, "results", "further", "result.json")).Last!.Top1!.Value, 0.9, 1);
    }

    [Fact]
    public void The_best_epoch_on_the_test_rows_is_called_so()
    {
        Write("", Base.Replace("validation: 0.2", "validation: test", StringComparison.Ordinal));
        Assert.Contains("chosen on the test rows, because the file says so", Tool("benchmark", "sweep.yaml").ReplaceLineEndings(" "),
            StringComparison.Ordinal);
        Assert.Contains("\"chosen_on\": \"test\"", File.ReadAllText(Path.Combine(_folder, "results", "try", "result.json")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_not_there_is_a_warning_or_with_strict_an_error()
    {
        Write("", Base.Replace("threads: 1", "gpus: 999", StringComparison.Ordinal));
        Fails("MLContext.GpuDeviceId is 999 and FallbackToCpu is false", "benchmark", "sweep.yaml", "--strict");
        Assert.Contains("Training on the CPU", Tool("benchmark", "sweep.yaml").ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_can_be_tested_on_another_file()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "two"));
        string[] rows = File.ReadAllLines(Path.Combine(_folder, "digits.csv"));
        File.WriteAllLines(Path.Combine(_folder, "two", "train.csv"), rows[..1001]);
        File.WriteAllLines(Path.Combine(_folder, "two", "test.csv"), [rows[0], .. rows[1001..]]);
        Write("", Base.Replace("digits.csv", "two", StringComparison.Ordinal).Replace("epochs: 3", "epochs: 20", StringComparison.Ordinal));
        Assert.Contains("top-1 ", Tool("benchmark", "sweep.yaml"), StringComparison.Ordinal);
        File.WriteAllLines(Path.Combine(_folder, "two", "test.csv"), ["a,b", "1,2"]);
        Write("", Base.Replace("digits.csv", "two", StringComparison.Ordinal).Replace("name: try", "name: lacks", StringComparison.Ordinal));
        Fails("has no column", "benchmark", "sweep.yaml");
    }

    [Fact]
    public void The_configurations_that_ship_are_in_order()
    {
        string folder = Path.Combine(ProcessRunner.Metadata("RepositoryRoot"), "benchmarks");
        string[] files = Directory.GetFiles(folder, "*.yaml");
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            YamlFile yaml = YamlFile.Read(file);
            if (yaml.Root["apiVersion"] != null)
                continue; // a manifest of Kubernetes
            if (yaml.Root["sweep"] == null)
                ExperimentSettings.Read(yaml);
            else
                Assert.NotEmpty(SweepFile.Read(file).Trials);
        }
    }

    [Theory, InlineData(new[] { 0 }, "0"), InlineData(new[] { 0, 1, 2, 7 }, "0-2,7"), InlineData(new[] { 3, 5, 6 }, "3,5-6")]
    public void Numbers_are_written_as_Slurm_reads_them(int[] numbers, string text) => Assert.Equal(text, SlurmSweep.Ranges(numbers));

    private static double EvaluatedOn(string folder)
    {
        Microsoft.ML.MLContext mlContext = new(1);
        FaMLNet.Cli.Pipelines.SavedModel model = FaMLNet.Cli.Pipelines.SavedModel.Load(mlContext, Path.Combine(folder, "model.zip"), null);
        Microsoft.ML.IDataView data = FaMLNet.Cli.Pipelines.DataSource.ForModel(mlContext, Tables.PathOf("digits"), model, true, true, []).View;
        return mlContext.MulticlassClassification.Evaluate(model.Transformer.Transform(data)).MicroAccuracy;
    }

    private SweepFile Sweep(string sweep, string settings = Base) => SweepFile.Read(Write(sweep, settings));

    private string Write(string sweep, string settings = Base, string name = "sweep.yaml")
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, settings + sweep);
        return path;
    }

    private void Fails(string expected, params string[] arguments) => Fails(expected, arguments, ignoreCase: false);

    private void Fails(string expected, string command, string file, bool ignoreCase) => Fails(expected, [command, file], ignoreCase);

    private void Fails(string expected, string[] arguments, bool ignoreCase) => Assert.Contains(expected,
        Assert.Throws<InvalidOperationException>(() => Tool(arguments)).Message,
        ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    private string Tool(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);
}
