using TorchSharp;

namespace FaMLNet.Tests;

/// <summary>How many tensors are alive, for tests that a piece of work leaves none behind.</summary>
internal static class LiveTensors
{
    /// <summary>
    /// Tensors that this thread has made less those that it has disposed: what other tests left to the finalizer does not touch it, and
    /// what the finalizer had to free counts as left behind.
    /// </summary>
    public static long OfThisThread => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    /// <summary>Tensors of the whole process that something still holds.</summary>
    public static long Held()
    {
        // Twice: a module's finalizer lets go of tensors that have finalizers of their own.
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return torch.Tensor.TotalCount;
    }
}
