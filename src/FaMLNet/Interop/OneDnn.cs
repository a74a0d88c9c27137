using System.Runtime.InteropServices;

namespace FaMLNet.Interop;

/// <summary>
/// Switches libtorch's oneDNN off and on again: for modules whose convolutions it computes wrongly on the machine at hand. The switch is the
/// process's, so it is off while any one wants it off. NNPACK, which libtorch would try next, writes to the error stream where it finds its
/// processor lacking: it is switched off as well.
/// </summary>
internal static class OneDnn
{
    private const string Library = "torch_cpu";

    private static readonly object Gate = new();
    private static int _users;
    private static bool _oneDnnBefore, _nnpackBefore;

    static OneDnn() => NativeLibrary.SetDllImportResolver(typeof(OneDnn).Assembly, Resolve);

    /// <summary>Whether the switch can be reached: on Windows, whose compilers name functions otherwise, it has not been tried.</summary>
    public static bool CanSwitch => !OperatingSystem.IsWindows();

    /// <summary>Whether libtorch uses oneDNN now.</summary>
    public static bool IsEnabled => UserEnabledMkldnn(GlobalContext());

    /// <summary>oneDNN off until the result is disposed.</summary>
    /// <param name="wanted">False for nothing at all.</param>
    public static IDisposable? Off(bool wanted)
    {
        if (!wanted || !CanSwitch)
            return null;
        lock (Gate)
        {
            if (_users++ == 0)
            {
                nint context = GlobalContext();
                (_oneDnnBefore, _nnpackBefore) = (UserEnabledMkldnn(context), UserEnabledNnpack(context));
                SetUserEnabledMkldnn(context, false);
                SetUserEnabledNnpack(context, false);
            }
        }
        return new Switch();
    }

    private static nint Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path) => name == Library ? LibTorch.InMemory()
        : 0;

    private sealed class Switch : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 1)
                return;
            lock (Gate)
            {
                if (--_users > 0)
                    return;
                nint context = GlobalContext();
                SetUserEnabledMkldnn(context, _oneDnnBefore);
                SetUserEnabledNnpack(context, _nnpackBefore);
            }
        }
    }

#pragma warning disable CA5392 // resolved above
    // at::globalContext() and members of at::Context, by their names in the Itanium C++ ABI.
    [DllImport(Library, EntryPoint = "_ZN2at13globalContextEv")]
    private static extern nint GlobalContext();

    [DllImport(Library, EntryPoint = "_ZN2at7Context20setUserEnabledMkldnnEb")]
    private static extern void SetUserEnabledMkldnn(nint context, [MarshalAs(UnmanagedType.U1)] bool enabled);

    [DllImport(Library, EntryPoint = "_ZN2at7Context20setUserEnabledNNPACKEb")]
    private static extern void SetUserEnabledNnpack(nint context, [MarshalAs(UnmanagedType.U1)] bool enabled);

    [DllImport(Library, EntryPoint = "_ZNK2at7Context17userEnabledMkldnnEv")]
    [return: MarshalAs(UnmanagedType.U1)]
    private static extern bool UserEnabledMkldnn(nint context);

    [DllImport(Library, EntryPoint = "_ZNK2at7Context17userEnabledNNPACKEv")]
    [return: MarshalAs(UnmanagedType.U1)]
    private static extern bool UserEnabledNnpack(nint context);
#pragma warning restore CA5392
}
