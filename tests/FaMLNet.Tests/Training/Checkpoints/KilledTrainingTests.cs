using FaMLNet.Tests.Interop;
using Xunit;

namespace FaMLNet.Tests.Training.Checkpoints;

/// <summary>A training whose process is killed, whenever it is, ends with the weights of one that is not.</summary>
[Collection(OwnProcesses.Name)]
public sealed class KilledTrainingTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("famlnet-killed");

    private string Folder => Path.Combine(_root.FullName, "state");

    public void Dispose() => _root.Delete(recursive: true);

    [Theory, InlineData("in-memory"), InlineData("streaming"), InlineData("sparse")]
    public void Killed_again_and_again_a_training_ends_with_the_same_weights(string caching)
    {
        const string Epochs = "30";
        string dotnet = "dotnet", worker = ProcessRunner.Metadata("Worker");
        string expected = ProcessRunner.Run(dotnet, _root.FullName, worker, "-", Epochs, caching).Split('\n')[1];
        Random random = new(1);
        int kills = 0;
        string? found = null;
        while (found == null)
        {
            // Counted from the start of Fit. The first come while libtorch loads, which takes longer; more time each try, so that it ends.
            TimeSpan patience = TimeSpan.FromMilliseconds(kills < 3 ? random.Next(20, 120) : kills * 60 + random.Next(200));
            found = ProcessRunner.RunOrKill(patience, dotnet, _root.FullName, worker, Folder, Epochs, caching);
            if (found == null)
                kills++;
            Assert.True(kills < 60, "the training does not get on");
        }
        Assert.True(kills >= 3, $"killed {kills} times");
        Assert.Equal(expected.Trim(), found.Trim());
        Assert.Empty(Directory.EnumerateFiles(Folder, "*.tmp"));
    }
}
