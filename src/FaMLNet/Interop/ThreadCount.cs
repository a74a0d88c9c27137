using static TorchSharp.torch;

namespace FaMLNet.Interop;

/// <summary>
/// Sets libtorch's number of threads on the calling thread, for a training, and puts the former number back. Other threads keep theirs,
/// whenever they use libtorch for the first time.
/// </summary>
internal sealed class ThreadCount : IDisposable
{
    /// <summary>Multiplications a step below which a second thread costs more than it brings (measured; see docs/benchmarks.md).</summary>
    private const long WorthTwoThreads = 16_000_000;

    private readonly int _before, _mklBefore;

    /// <param name="threads">The number until this is disposed, on the same thread.</param>
    public ThreadCount(int threads)
    {
        // Asked first: a thread's first call sets its number to the process's.
        _before = get_num_threads();
        Threads = threads;
        if (threads != _before)
            _mklBefore = Set(threads, threads);
    }

    public int Threads { get; }

    /// <summary>The number that libtorch has now.</summary>
    public static int Present => get_num_threads();

    /// <summary>The number that suits a step of so many multiplications.</summary>
    public static int For(long work) => work < WorthTwoThreads ? 1 : get_num_threads();

    public void Dispose()
    {
        if (Threads != _before)
            Set(_before, _mklBefore);
    }

    /// <returns>The former number of MKL.</returns>
    private static int Set(int threads, int mkl)
    {
        if (OpenMp.TrySetThreads(threads, mkl, out int mklBefore))
            return mklBefore;
        // Elsewhere libtorch sets the process's number as well: another thread puts that back at once.
        int process = get_num_threads();
        set_num_threads(threads);
        Thread other = new(() => set_num_threads(process));
        other.Start();
        other.Join();
        return 0;
    }
}
