using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>Sets libtorch's number of threads for a training and puts the former number back.</summary>
internal sealed class ThreadCount : IDisposable
{
    /// <summary>Multiplications a step below which a second thread costs more than it brings (measured; see docs/benchmarks.md).</summary>
    private const long WorthTwoThreads = 16_000_000;

    private readonly int _before;

    public ThreadCount(int threads)
    {
        _before = get_num_threads();
        Threads = threads;
        if (threads != _before)
            set_num_threads(threads);
    }

    public int Threads { get; }

    /// <summary>The number that libtorch has now.</summary>
    public static int Present => get_num_threads();

    /// <summary>The number that suits a step of so many multiplications.</summary>
    public static int For(long work) => work < WorthTwoThreads ? 1 : get_num_threads();

    public void Dispose()
    {
        if (get_num_threads() != _before)
            set_num_threads(_before);
    }
}
