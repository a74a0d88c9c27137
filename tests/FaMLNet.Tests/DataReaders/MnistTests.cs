using System.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Xunit;

namespace FaMLNet.Tests.DataReaders;

/// <summary>The real files.</summary>
[Collection(Alone.Name)]
public sealed class MnistTests
{
    [Fact]
    public void Sixty_thousand_images_stay_bytes_and_cost_less_than_100_MB()
    {
        string folder = LargeSets.Require("mnist");
        LibTorch.EnsureLoaded();
        MLContext mlContext = new(seed: 1);
        IDataView test = mlContext.Data.LoadFromIdx(Path.Combine(folder, "t10k-images-idx3-ubyte.gz"),
            Path.Combine(folder, "t10k-labels-idx1-ubyte.gz"));
        using IChannel channel = ((IHostEnvironment)mlContext).Start("test");
        _ = TrainingDataReader.Read(test, test.Schema["Features"], test.Schema["Label"], null, channel, () => { }).Count; // warm
        IDataView train = mlContext.Data.LoadFromIdx(Path.Combine(folder, "train-images-idx3-ubyte.gz"),
            Path.Combine(folder, "train-labels-idx1-ubyte.gz"));
        long before = Resident();
        TrainingData data = TrainingDataReader.Read(train, train.Schema["Features"], train.Schema["Label"], null, channel, () => { });
        long cost = Resident() - before;
        Assert.Equal(60_000, data.Count);
        Assert.True(data.IsPacked);
        Assert.True(cost < 100_000_000, $"{cost / 1e6:F0} MB");
        Assert.Equal(5, data.Labels[0]);
        Assert.Equal(0.123888, Enumerable.Range(0, 2000).Average(row => (double)data.Row(row * 30, new float[784]).ToArray().Average()), 1e-5);
        // of every thirtieth image, computed elsewhere
        GC.KeepAlive(data);
    }

    private static long Resident()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        using Process process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
