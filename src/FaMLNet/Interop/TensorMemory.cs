using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FaMLNet.Interop;

/// <summary>The values of a tensor where they lie.</summary>
internal static class TensorMemory
{
    /// <summary>The values of a contiguous tensor of floats, without a copy. The span does not keep the tensor alive: the caller must.</summary>
    public static ReadOnlySpan<float> Read(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}
