using System.Runtime.InteropServices;

namespace FaMLNet.Interop;

/// <summary>
/// Keeps glibc's allocator from giving memory back to the system after every step only to fault it in again in the next: over a thousand page
/// faults and a third of the time of a LeNet step. Linux with glibc only. The setting is the process's; a host that minds sets the
/// <see cref="AppContext"/> switch <see cref="Switch"/> to false.
/// </summary>
internal static class NativeMemory
{
    public const string Switch = "FaMLNet.KeepNativeMemory";

    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3;
    private static int _done;

    /// <summary>Settles the allocator, once a process.</summary>
    public static void Settle()
    {
        if (!OperatingSystem.IsLinux() || (AppContext.TryGetSwitch(Switch, out bool keep) && !keep) || Interlocked.Exchange(ref _done, 1) == 1)
            return;
        try
        {
            _ = MallOpt(TopPad, 256 << 20);
            _ = MallOpt(TrimThreshold, 2_000_000_000);
            _ = MallOpt(MmapThreshold, 32 << 20); // more is refused
        }
        catch (Exception failure) when (failure is EntryPointNotFoundException or DllNotFoundException)
        {
            // Another C library: nothing to settle.
        }
    }

    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MallOpt(int parameter, int value);
}
