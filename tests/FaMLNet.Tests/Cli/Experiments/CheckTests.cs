using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli.Experiments;

/// <summary><c>--check</c> and <c>--set</c>: what would run is said, and nothing is.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class CheckTests : IDisposable
{
    private const string Base = """
        experiment: {name: try, output_dir: results}
        data: {dataset: csv, dataset_path: iris.csv, validation: 0.2}
        model: {architecture: "mlp:8", mode: {type: fa}}
        training:
          hyperparameters: {epochs: 2, batch_size: 32}
        infrastructure: {threads: 1}
        evaluation: {tensorboard: false, report: false}

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-checks").FullName;

    public CheckTests() => File.Copy(Tables.PathOf("iris"), At("iris.csv"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_benchmark_that_is_checked_says_data_task_time_and_disk_and_writes_nothing()
    {
        File.WriteAllText(At("x.yaml"), Base);
        string output = Tool("benchmark", "x.yaml", "--check", "--set", "training.hyperparameters.epochs=7");
        Assert.Contains("x.yaml is in order", output, StringComparison.Ordinal);
        Assert.Contains("Data: csv, table, at 'iris.csv'", output, StringComparison.Ordinal);
        Assert.Contains("It would train Mlp(8), ReLU, XavierUniform by fa for 7 epochs of 96 rows (multiclass), test on 30 rows, and write to "
            + "results/try", output, StringComparison.Ordinal);
        Assert.Contains("Time: about ", output, StringComparison.Ordinal);
        Assert.Matches(@"Disk: about \d.* for the model, and up to \d.* for checkpoints", output);
        Assert.Contains("Nothing was run.", output, StringComparison.Ordinal);
        Assert.Equal(["iris.csv", "x.yaml"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        File.Delete(At("iris.csv"));
        Fails("The data set 'csv' is not at 'iris.csv'", "benchmark", "x.yaml", "--check");
    }

    [Fact]
    public void A_sweep_that_is_checked_says_how_many_trials_would_run_and_writes_nothing()
    {
        File.WriteAllText(At("x.yaml"), Base + "sweep: {processes: 2, over: {rule: [bp, fa], seed: [1, 2, 3]}}\n");
        string output = Tool("sweep", "x.yaml", "--check", "--set", "training.hyperparameters.epochs=5");
        Assert.Contains("x.yaml is in order: 6 trials in results/try.", output, StringComparison.Ordinal);
        Assert.Contains("Now: 6 waiting.", output, StringComparison.Ordinal);
        Assert.Contains("Would run: 6 trials, 2 at a time on 1 core each, 30 epochs in all.", output, StringComparison.Ordinal);
        Assert.Contains("by 2 probes of 2 kinds of trials", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("results")));
        Tool("sweep", "x.yaml", "--index", "0");
        Assert.Contains("Now: 5 waiting, 1 done.", Tool("sweep", "x.yaml", "--check"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_options_override_reaches_every_trial_and_is_in_the_copy_of_the_file()
    {
        File.WriteAllText(At("x.yaml"), Base + "sweep: {over: {seed: [1, 2]}}\n");
        Assert.Contains("2 of 2 trials done", Tool("sweep", "x.yaml", "--set", "training.hyperparameters.epochs=5"), StringComparison.Ordinal);
        Assert.All(Directory.GetFiles(At("results/try/trials"), "history.csv", SearchOption.AllDirectories), file =>
            Assert.Equal(6, File.ReadAllLines(file).Length));
        File.WriteAllText(At("y.yaml"), Base);
        Tool("benchmark", "y.yaml", "--set", "experiment.name=other", "--set", "training.hyperparameters.epochs=4");
        Assert.Equal(5, File.ReadAllLines(At("results/other/history.csv")).Length);
        // The copy alone says it all.
        File.Copy(At("results/other/config.yaml"), At("again.yaml"));
        Assert.Contains("is complete: its result is shown again", Tool("benchmark", "again.yaml"), StringComparison.Ordinal);
        Fails("--set is for a YAML file", "benchmark", "--peers", "iris.csv", "--set", "a=b");
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void Fails(string expected, params string[] arguments) => Assert.Contains(expected,
        Assert.Throws<InvalidOperationException>(() => Tool(arguments)).Message, StringComparison.Ordinal);

    private string Tool(params string[] arguments) => ProcessRunner.Tool(_folder, arguments);
}
