using System.Diagnostics;
using FaMLNet.Cli;
using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>Files that exist are never destroyed by what a command writes.</summary>
[Collection(OwnProcesses.Name)]
public sealed class OutputTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-outputs").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Every option of every command that names a place to write to, given an input under the name of a link.</summary>
    [Theory]
    [InlineData("--output", "train", "a.csv", "--output", "link.csv")]
    [InlineData("--csv", "train", "a.csv", "--csv", "link.csv")]
    [InlineData("--report", "train", "a.csv", "--report", "link.csv")]
    [InlineData("--tensorboard", "train", "a.csv", "--tensorboard", "link.csv")]
    [InlineData("--checkpoints", "train", "a.csv", "--checkpoints", "link.csv")]
    [InlineData("--output", "predict", "b.csv", "a.csv", "--output", "link.csv")]
    [InlineData("--output", "predict", "a.csv", "b.csv", "--output", "link.csv")]
    [InlineData("--output", "attack", "b.csv", "a.csv", "--output", "link.csv")]
    [InlineData("--output", "attack", "a.csv", "b.csv", "--output", "link.csv")]
    [InlineData("--output", "attack", "b.csv", "b.csv", "--surrogate", "a.csv", "--output", "link.csv")]
    [InlineData("--output", "report", "b.csv", "a.csv", "--output", "link.csv")]
    [InlineData("--output", "report", ".", "--output", "link.csv")]
    [InlineData("--pictures", "report", "b.csv", "a.csv", "--pictures", "link.csv")]
    [InlineData("--output", "benchmark", "--peers", "a.csv", "--output", "link.csv")]
    public void An_output_that_is_an_input_is_refused(string option, params string[] arguments)
    {
        File.WriteAllText(PathOf("a.csv"), "x,Label\n1,a\n2,b\n");
        File.WriteAllText(PathOf("b.csv"), "x,Label\n1,a\n2,b\n");
        File.CreateSymbolicLink(PathOf("link.csv"), "a.csv");
        string message = Assert.Throws<InvalidOperationException>(() => ProcessRunner.Tool(_folder, arguments)).Message;
        Assert.Contains($"{option} 'link.csv' is ", message, StringComparison.Ordinal);
        Assert.Contains("would be overwritten", message, StringComparison.Ordinal);
        Assert.Equal("x,Label\n1,a\n2,b\n", File.ReadAllText(PathOf("a.csv")));
        Assert.Equal(["a.csv", "b.csv", "link.csv"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Two_outputs_of_one_name_are_refused()
    {
        Outputs outputs = new Outputs(PathOf("a.csv")).File("--output", PathOf("m.zip"));
        Assert.Contains("--csv", Assert.Throws<FormatException>(() => outputs.File("--csv", PathOf("x/../m.zip"))).Message, StringComparison.Ordinal);
        Assert.Contains("--output", Assert.Throws<FormatException>(() => outputs.Folder("--checkpoints", PathOf("m.zip") + "/")).Message,
            StringComparison.Ordinal);
        outputs.File("--csv", "/dev/null").File("--report", "/dev/null");
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void An_output_that_cannot_be_written_is_refused_and_nothing_is_left()
    {
        File.WriteAllText(PathOf("file"), "");
        Directory.CreateDirectory(PathOf("folder"));
        Outputs outputs = new();
        foreach (string path in new[] { "file/m.zip", "file/deep/m.zip", "folder" })
            Assert.Contains("--output", Assert.Throws<IOException>(() => outputs.File("--output", PathOf(path))).Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => outputs.Folder("--checkpoints", PathOf("file")));
        outputs.File("--output", PathOf("new/deep/m.zip")).Folder("--checkpoints", PathOf("states/one"));
        Assert.False(Directory.Exists(PathOf("new")) || Directory.Exists(PathOf("states")));
    }

    /// <summary>A folder of data may get a model or a report, and get it again, but no file of the data is replaced.</summary>
    [Fact]
    public void A_file_of_a_folder_of_inputs_is_kept()
    {
        File.WriteAllText(PathOf("train.zip"), "data");
        File.WriteAllText(PathOf("report.html"), "");
        Outputs outputs = new(_folder);
        Assert.Throws<FormatException>(() => outputs.File("--output", PathOf("train.zip")));
        outputs.File("--output", PathOf("model.zip")).File("--report", PathOf("report.html"));
    }

    [Fact]
    public async Task Predictions_go_to_standard_output_pipes_and_links()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no such devices.");
        File.Copy(Tables.PathOf("iris"), PathOf("iris.csv"));
        ProcessRunner.Tool(_folder, "train", "iris.csv", "--epochs", "1", "--network", "mlp:4");
        ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv");
        string expected = File.ReadAllText(PathOf("predictions.csv"));
        Assert.Equal(expected, ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "--output", "-"));
        Assert.Equal(expected, ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "--output", "/dev/stdout"));
        ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "--output", "/dev/null");
        Assert.Empty(File.ReadAllBytes("/dev/null"));
        File.CreateSymbolicLink(PathOf("link"), "target");
        ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "--output", "link");
        Assert.Equal("target", new FileInfo(PathOf("link")).LinkTarget);
        Assert.Equal(expected, File.ReadAllText(PathOf("target")));
        Process.Start("mkfifo", [PathOf("pipe")]).WaitForExit();
        Task<string> read = Task.Run(() => File.ReadAllText(PathOf("pipe")));
        ProcessRunner.Tool(_folder, "predict", "model.zip", "iris.csv", "--output", "pipe");
        Assert.Equal(expected, await read);
        Assert.Empty(Directory.GetFiles(_folder, "*.tmp"));
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
