using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FaMLNet.Interop;

/// <summary>The values of a tensor where they lie.</summary>
internal static class TensorMemory
{
    /// <summary>The values of a contiguous tensor of floats, without a copy. The span does not keep the tensor alive: the caller must.</summary>
    public static ReadOnlySpan<float> Read(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>
    /// A copy of numbers as a matrix in libtorch's own memory. A tensor made of an array lies in the array, at any address, and a product's last bits
    /// depend on how its factors are aligned.
    /// </summary>
    public static Tensor Matrix(ReadOnlySpan<float> values, int rows, int columns)
    {
        Tensor matrix = empty(rows, columns, ScalarType.Float32);
        values.CopyTo(MemoryMarshal.Cast<byte, float>(matrix.bytes));
        return matrix;
    }
}
