using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Cli;

/// <summary>The tool, run as users run it: as a process.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("famlnet-cli").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_table_is_trained_on_measured_and_predicted()
    {
        string[] rows = File.ReadAllLines(Tables.PathOf("iris"));
        // A label of another name, a column of texts, a missing number, another separator.
        File.WriteAllLines(Path.Combine(_folder, "flowers.csv"), rows.Select((row, i) => $"{row.Replace(',', ';')};{(i == 0 ? "Colour" : i % 2 == 0 ? "\"white; or so\"" : "blue")}".Replace("Label", "Species", StringComparison.Ordinal)));
        string output = Run("train", "flowers.csv", "--label", "Species", "--rule", "bp", "--network", "mlp:16", "--epochs", "150", "--output", "flowers.zip");
        Assert.Contains("Backpropagation: epoch 150/150", output, StringComparison.Ordinal);
        output = Run("evaluate", "flowers.zip", "flowers.csv", "--label", "Species");
        Assert.Matches(@"9\d\.\d\d %", output);
        Assert.Contains("versicolor", output, StringComparison.Ordinal);

        // New data has no label.
        File.WriteAllLines(Path.Combine(_folder, "new.csv"), ["SepalLength;SepalWidth;PetalLength;PetalWidth;Colour", "5.1;3.5;1.4;0.2;blue", "6.3;3.3;6.0;2.5;\"white; or so\""]);
        Run("predict", "flowers.zip", "new.csv", "--label", "Species", "--output", "predicted.csv");
        string[] predicted = File.ReadAllLines(Path.Combine(_folder, "predicted.csv"));
        Assert.Equal(3, predicted.Length);
        Assert.StartsWith("PredictedLabel,setosa,versicolor,virginica", predicted[0], StringComparison.Ordinal);
        Assert.StartsWith("setosa,", predicted[1], StringComparison.Ordinal);
        Assert.StartsWith("virginica,", predicted[2], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder, "*.tmp"));
    }

    [Fact]
    public void The_same_command_goes_on_from_its_checkpoints()
    {
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        string[] command = ["train", "iris.csv", "--network", "mlp:8", "--epochs", "5", "--checkpoints", "state", "--log"];
        Assert.Contains("Epoch 5/5: loss", Run(command), StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(_folder, "state")));
        Assert.Contains("The training in 'state' is complete", Run(command), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train missing.csv", "missing.csv")]
    [InlineData("train iris.csv --label Kind", "SepalLength, SepalWidth, PetalLength, PetalWidth, Label; name the one to predict with --label")]
    [InlineData("train iris.csv --rule xyz", "bp, fa, dfa, usf, brsf, frsf")]
    [InlineData("train iris.csv --network mlp:0", "--network 'mlp:0'")]
    [InlineData("train iris.csv --network lenet --batch-size 0", "BatchSize")]
    [InlineData("train iris.csv --epochs 0", "NumberOfEpochs")]
    [InlineData("train .", "train-images-idx3-ubyte")]
    [InlineData("train twice.csv", "each once")]
    [InlineData("evaluate missing.zip iris.csv", "There is no model 'missing.zip'")]
    [InlineData("evaluate iris.csv iris.csv", "'iris.csv' is no model")]
    public void What_is_wrong_is_said_without_a_trace_and_leaves_nothing_behind(string command, string expected)
    {
        File.Copy(Tables.PathOf("iris"), Path.Combine(_folder, "iris.csv"));
        File.WriteAllText(Path.Combine(_folder, "twice.csv"), "A,A,Label\n1,2,x\n");
        int before = Directory.GetFileSystemEntries(_folder).Length;
        Exception failure = Assert.ThrowsAny<Exception>(() => Run(command.Split(' ')));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder).Length);
    }

    private string Run(params string[] arguments) => ProcessRunner.Run("dotnet", _folder, [ProcessRunner.Metadata("Cli"), .. arguments]);
}
