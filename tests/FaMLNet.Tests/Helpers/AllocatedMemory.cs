namespace FaMLNet.Tests;

/// <summary>Managed memory that this thread allocates.</summary>
internal static class AllocatedMemory
{
    // What is left of it when the process collects, whichever thread caused that, counts as allocated by its thread.
    private const long AllocationContext = 8192;

    /// <summary>Bytes that an action allocates on this thread, whatever others do meanwhile.</summary>
    public static long Of(Action action)
    {
        int collections = GC.CollectionCount(0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        return Math.Max(0, bytes - AllocationContext * (GC.CollectionCount(0) - collections));
    }

    /// <summary>
    /// The least that an action allocates of ten times: for bounds below an allocation context, which a concurrent collection takes more than once
    /// though it is counted once. What the action itself allocates it allocates every time.
    /// </summary>
    /// <param name="prepare">What comes before each time, not counted.</param>
    /// <param name="action">The action.</param>
    public static long Least(Action prepare, Action action) => Enumerable.Range(0, 10).Min(_ =>
    {
        prepare();
        return Of(action);
    });
}
