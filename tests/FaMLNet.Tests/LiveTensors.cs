using TorchSharp;

namespace FaMLNet.Tests;

/// <summary>How many tensors are alive, for tests that a piece of work leaves none behind.</summary>
internal static class LiveTensors
{
    /// <summary>The number after what other tests left to the finalizer is gone: taken before the work, so that nothing but the work changes it.</summary>
    public static long Settled()
    {
        // Twice: a module's finalizer lets go of tensors that have finalizers of their own.
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return torch.Tensor.TotalCount;
    }

    /// <summary>The number now, what waits for the finalizer included: taken after the work, so that a tensor that it forgot counts.</summary>
    public static long Now => torch.Tensor.TotalCount;
}
