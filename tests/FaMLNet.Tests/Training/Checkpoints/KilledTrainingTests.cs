using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Training.Checkpoints;

/// <summary>A training whose process is killed, wherever it is, ends with the weights of one that is not.</summary>
[Collection(OwnProcesses.Name)]
[Trait("Speed", "Slow")]
public sealed class KilledTrainingTests : IDisposable
{
    private const int Epochs = 6, StepsPerEpoch = 17, Steps = Epochs * StepsPerEpoch;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-killed");

    private string Folder => Path.Combine(_root.FullName, "state");

    public void Dispose() => _root.Delete(recursive: true);

    /// <summary>The worker says how far it is and waits there, so that it is killed at the same steps on every machine.</summary>
    [Theory, InlineData("in-memory"), InlineData("streaming"), InlineData("sparse")]
    public void Killed_again_and_again_a_training_ends_with_the_same_weights(string caching)
    {
        string expected = ProcessRunner.Run("dotnet", _root.FullName, Worker("-", caching));
        Random random = new(1);
        foreach (int step in new[] { 0, 1, random.Next(StepsPerEpoch + 2, Steps / 3), random.Next(Steps / 3, 2 * Steps / 3), Steps - 1 })
            ProcessRunner.KillAt("here", "dotnet", _root.FullName, Worker(Folder, caching, $"{step}"));
        Assert.NotEmpty(Directory.EnumerateFiles(Folder, "checkpoint-*.zip"));
        Assert.Equal(expected, ProcessRunner.Run("dotnet", _root.FullName, Worker(Folder, caching)));
        Assert.Empty(Directory.EnumerateFiles(Folder, "*.tmp"));
    }

    /// <summary>The worker goes on while it is killed, so that it may die at any instruction: also within the writing of a checkpoint.</summary>
    [Fact]
    public void Killed_while_it_works_a_training_ends_with_the_same_weights()
    {
        const string caching = "in-memory";
        string expected = ProcessRunner.Run("dotnet", _root.FullName, Worker("-", caching));
        foreach (int step in new[] { 2, 30, 60 })
            ProcessRunner.KillAt("here", "dotnet", _root.FullName, Worker(Folder, caching, $"{step}", "go-on"));
        Assert.Equal(expected, ProcessRunner.Run("dotnet", _root.FullName, Worker(Folder, caching)));
        Assert.Empty(Directory.EnumerateFiles(Folder, "*.tmp"));
    }

    private static string[] Worker(string folder, string caching, params string[] stop) =>
        [ProcessRunner.Metadata("Worker"), "train", folder, $"{Epochs}", caching, .. stop];
}
