using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>What the tool says while it runs, and how it ends when it is interrupted. Needs pipes with names and signals.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class RunningToolTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-running").FullName;

    public RunningToolTests() => File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("train pipe", "Reading 'pipe'")]
    [InlineData("predict model.zip pipe", "Reading 'pipe'")]
    [InlineData("evaluate model.zip pipe", "Reading 'pipe'")]
    [InlineData("attack model.zip pipe", "Reading 'pipe'")]
    [InlineData("benchmark pipe", "Running 'pipe'")]
    [InlineData("benchmark --peers pipe", "Reading 'pipe'")]
    [InlineData("sweep pipe", "Checking 'pipe'")]
    [InlineData("report history.csv", "Reading 'history.csv'", "history.csv")]
    [InlineData("data check mnist .", "Checking '.'", "train-images-idx3-ubyte.gz")]
    public void Every_command_that_reads_says_so_on_standard_error_before_it_has_read(string command, string expected, string pipe = "pipe")
    {
        SkipElsewhere();
        if (command.Contains("model.zip", StringComparison.Ordinal))
            ProcessRunner.Tool(_folder, "train", "iris.csv", "-e", "1");
        RunningTool.MakePipe(_folder, pipe);
        using RunningTool tool = new(_folder, command.Split(' '));
        tool.WaitFor(expected);
        Assert.Contains(tool.Error, line => line.StartsWith(expected, StringComparison.Ordinal) && line.EndsWith(" s so far.",
            StringComparison.Ordinal));
        Assert.DoesNotContain(tool.Output, line => line.Contains("so far", StringComparison.Ordinal));
    }

    [Fact]
    public void Predictions_on_standard_output_are_alone_there()
    {
        SkipElsewhere();
        ProcessRunner.Tool(_folder, "train", "iris.csv", "-e", "1");
        string pipe = RunningTool.MakePipe(_folder, "pipe");
        ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "-o", "expected.csv");
        using RunningTool tool = new(_folder, ["predict", "model.zip", "pipe", "-o", "-"]);
        tool.WaitFor("Reading 'pipe'");
        File.WriteAllText(pipe, File.ReadAllText(Path.Combine(_folder, "iris.csv")));
        Assert.Equal(0, tool.WaitForExit());
        Assert.Equal(File.ReadAllLines(Path.Combine(_folder, "expected.csv")), tool.Output);
    }

    [Fact]
    public void A_sweep_says_which_trial_of_how_many_it_trains()
    {
        File.WriteAllText(Path.Combine(_folder, "x.yaml"), """
            experiment: {name: try, output_dir: results}
            data: {dataset: csv, dataset_path: iris.csv}
            model: {architecture: "mlp:8", mode: {type: fa}}
            training: {hyperparameters: {epochs: 1}}
            evaluation: {tensorboard: false, report: false}
            sweep: {over: {seed: [1, 2]}}
            """);
        string output = ProcessRunner.Tool(_folder, "sweep", "x.yaml");
        Assert.Contains("Training trial 1 of 2: ", output, StringComparison.Ordinal);
        Assert.Contains("Training trial 2 of 2: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_interruption_saves_the_state_and_ends_with_130()
    {
        SkipElsewhere();
        using RunningTool tool = new(_folder, ["train", "iris.csv", "-e", "1000000", "--patience", "0", "--log", "-c", "state"]);
        tool.WaitFor("Epoch 2/");
        tool.Interrupt();
        Assert.Equal(130, tool.WaitForExit());
        Assert.Contains("Stopped.", tool.Error);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(_folder, "state"), "*.zip", SearchOption.AllDirectories));
        Assert.False(File.Exists(Path.Combine(_folder, "model.zip")));
    }

    /// <summary>Reading a pipe that nobody writes to never ends, and is not interrupted by the first.</summary>
    [Fact]
    public void The_second_interruption_ends_at_once_whatever_is_done()
    {
        SkipElsewhere();
        RunningTool.MakePipe(_folder, "pipe");
        using RunningTool tool = new(_folder, ["train", "pipe"]);
        tool.WaitFor("Reading 'pipe'");
        tool.Interrupt();
        tool.WaitFor("Ctrl+C again ends at once.");
        tool.Interrupt();
        Assert.Equal(130, tool.WaitForExit());
        Assert.DoesNotContain("Stopped.", tool.Error);
    }

    [Theory, InlineData("1", true), InlineData("0", false), InlineData("", false)]
    public void The_trace_of_a_failure_is_printed_on_demand_only(string value, bool isPrinted)
    {
        using RunningTool tool = new(_folder, ["train", "missing.csv"], ("FAMLNET_TRACE", value));
        Assert.Equal(1, tool.WaitForExit());
        Assert.StartsWith("'missing.csv' is neither a file nor a folder.", tool.Error[0], StringComparison.Ordinal);
        Assert.Equal(isPrinted, tool.Error.Any(line => line.StartsWith("   at FaMLNet.Cli.", StringComparison.Ordinal)));
        Assert.Equal(isPrinted, tool.Error.Count > 1);
    }

    [Fact]
    public void Lines_of_a_log_are_not_broken()
    {
        string name = new('n', 120);
        string output = ProcessRunner.Tool(_folder, "train", "iris.csv", "-e", "1", "-o", name + ".zip");
        Assert.Contains($"Saved as {name}.zip.", output.Split('\n').Select(line => line.TrimEnd('\r')));
    }

    private static void SkipElsewhere() => Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes with names and signals of Linux");
}
