using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FaMLNet.Interop;

/// <summary>
/// Runs managed code on libtorch's own threads. They spin for a while after each of libtorch's calls: threads of any other pool would have to
/// share the processors with them (measured on a busy machine: two pool threads took as long as one, two of libtorch's little more than half).
/// </summary>
/// <remarks>
/// GNU's OpenMP, with which libtorch comes on Linux, starts a parallel region by a function of its own, <c>GOMP_parallel</c>. Where it is not
/// found, the thread pool does the work.
/// </remarks>
internal static unsafe class OpenMp
{
    private const int MostParts = 32;

    private static readonly Lazy<Functions?> Gnu = new(Find);

    /// <summary>Whether the threads are libtorch's own.</summary>
    public static bool SharesLibTorchThreads => Gnu.Value != null;

    /// <summary>
    /// Into how many parts to divide work on so many elements: it depends on nothing else, so that sums over parts are the same on any
    /// number of threads.
    /// </summary>
    /// <param name="elements">Elements in all.</param>
    /// <param name="leastLength">Elements that are worth a part.</param>
    public static int Parts(long elements, int leastLength) => (int)Math.Clamp(elements / leastLength, 1, MostParts);

    /// <summary>Does work in parts, on as many threads as libtorch may use on the calling one, and returns when all are done.</summary>
    /// <param name="parts">How many. The same thread does neighbouring ones, and the same ones in the next call.</param>
    /// <param name="work">From a part's index on; must not throw.</param>
    public static void Run(int parts, Action<int> work)
    {
        if (parts == 1)
            work(0);
        else if (Gnu.Value is { } functions)
        {
            Job job = new() { Parts = parts, Work = GCHandle.ToIntPtr(GCHandle.Alloc(work)) };
            try
            {
                // 0 threads: as many as are set for the calling one, by torch.set_num_threads.
                functions.Parallel(&Enter, &job, 0, 0);
            }
            finally
            {
                GCHandle.FromIntPtr(job.Work).Free();
            }
        }
        else
            Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, TorchSharp.torch.get_num_threads()) }, work);
    }

    /// <summary>
    /// Sets how many threads libtorch uses on the calling thread, and there alone. <c>torch.set_num_threads</c> also sets the number with which
    /// any other thread begins that uses libtorch for the first time meanwhile, and which it keeps for good.
    /// </summary>
    /// <param name="threads">Of libtorch's own loops.</param>
    /// <param name="mkl">Of MKL's products; 0 for as many as libtorch's loops.</param>
    /// <param name="mklBefore">The former number of MKL's products.</param>
    /// <returns>Whether it could be set; false where libtorch does not come with GNU's OpenMP.</returns>
    public static bool TrySetThreads(int threads, int mkl, out int mklBefore)
    {
        mklBefore = 0;
        if (Gnu.Value is not { SetThreads: not null } functions)
            return false;
        functions.SetThreads(threads);
        // Where libtorch has no MKL, as on ARM, its products follow the number of its loops.
        if (functions.SetMklThreads != null)
            mklBefore = functions.SetMklThreads(mkl);
        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Enter(void* data)
    {
        Job* job = (Job*)data;
        Functions functions = Gnu.Value!;
        Action<int> work = Unsafe.As<Action<int>>(GCHandle.FromIntPtr(job->Work).Target!);
        long thread = functions.ThreadNumber(), threads = functions.NumberOfThreads();
        int end = (int)((thread + 1) * job->Parts / threads);
        for (int part = (int)(thread * job->Parts / threads); part < end; part++)
            work(part);
    }

    private static Functions? Find()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        LibTorch.EnsureLoaded();
        // The copy beside libtorch, not another that the process may have loaded as well.
        using Process process = Process.GetCurrentProcess();
        string[] files = [.. process.Modules.Cast<ProcessModule>().Select(module => module.FileName)];
        string? torch = files.FirstOrDefault(file => Path.GetFileName(file).StartsWith("libtorch_cpu.", StringComparison.Ordinal));
        string? gomp = files.FirstOrDefault(file => Path.GetFileName(file).StartsWith("libgomp", StringComparison.Ordinal)
            && Path.GetDirectoryName(file) == Path.GetDirectoryName(torch));
        return gomp != null && NativeLibrary.TryLoad(gomp, out nint library)
            && NativeLibrary.TryGetExport(library, "GOMP_parallel", out nint parallel)
            && NativeLibrary.TryGetExport(library, "omp_get_thread_num", out nint number)
            && NativeLibrary.TryGetExport(library, "omp_get_num_threads", out nint threads)
            ? new Functions(parallel, number, threads,
                NativeLibrary.TryGetExport(library, "omp_set_num_threads", out nint setThreads) ? setThreads : 0,
                NativeLibrary.TryGetExport(LibTorch.InMemory(), "MKL_Set_Num_Threads_Local", out nint setMkl) ? setMkl : 0) : null;
    }

    private struct Job
    {
        public int Parts;
        public nint Work;
    }

    private sealed class Functions(nint parallel, nint threadNumber, nint numberOfThreads, nint setThreads, nint setMklThreads)
    {
        /// <summary>void GOMP_parallel(void (*fn)(void *), void *data, unsigned num_threads, unsigned flags), of libgomp's ABI.</summary>
        public readonly delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<void*, void>, void*, uint, uint,
            void> Parallel = (delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<void*, void>, void*, uint, uint, void>)parallel;

        public readonly delegate* unmanaged[Cdecl]<int> ThreadNumber = (delegate* unmanaged[Cdecl]<int>)threadNumber;

        /// <summary>void omp_set_num_threads(int), of the calling thread; null where it is not found.</summary>
        public readonly delegate* unmanaged[Cdecl]<int, void> SetThreads = (delegate* unmanaged[Cdecl]<int, void>)setThreads;

        /// <summary>int MKL_Set_Num_Threads_Local(int), of the calling thread: returns the former number. Null where there is no MKL.</summary>
        public readonly delegate* unmanaged[Cdecl]<int, int> SetMklThreads = (delegate* unmanaged[Cdecl]<int, int>)setMklThreads;

        public readonly delegate* unmanaged[Cdecl]<int> NumberOfThreads = (delegate* unmanaged[Cdecl]<int>)numberOfThreads;
    }
}
