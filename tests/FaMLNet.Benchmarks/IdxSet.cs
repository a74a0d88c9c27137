using Microsoft.ML;

namespace FaMLNet.Benchmarks;

/// <summary>A folder with the four files of MNIST or a set like it.</summary>
internal static class IdxSet
{
    public static IDataView Train(MLContext mlContext, string folder) => Load(mlContext, folder, "train");

    public static IDataView Test(MLContext mlContext, string folder) => Load(mlContext, folder, "t10k");

    private static IDataView Load(MLContext mlContext, string folder, string part) => mlContext.Data.LoadFromIdx(
        Path.Combine(folder, $"{part}-images-idx3-ubyte.gz"), Path.Combine(folder, $"{part}-labels-idx1-ubyte.gz"));
}
