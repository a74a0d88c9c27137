using FaMLNet.Interop;
using TorchSharp;
using Xunit;

namespace FaMLNet.Tests.Interop;

public sealed class OpenMpTests
{
    public OpenMpTests() => LibTorch.EnsureLoaded();

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(32), InlineData(1000)]
    public void Every_part_is_done_once_whatever_the_number_of_threads(int parts)
    {
        int before = torch.get_num_threads();
        try
        {
            foreach (int threads in new[] { 1, 2, 3, 8 })
            {
                torch.set_num_threads(threads);
                int[] done = new int[parts];
                OpenMp.Run(parts, part => Interlocked.Increment(ref done[part]));
                Assert.All(done, count => Assert.Equal(1, count));
            }
        }
        finally
        {
            torch.set_num_threads(before);
        }
    }

    [Fact]
    public void Threads_are_libtorchs_own_on_Linux_and_as_many_as_it_may_use()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "libtorch brings GNU's OpenMP on Linux only; elsewhere the thread pool does the work");
        Assert.True(OpenMp.SharesLibTorchThreads);
        int before = torch.get_num_threads();
        try
        {
            foreach (int threads in new[] { 1, 2, 4 })
            {
                torch.set_num_threads(threads);
                HashSet<int> seen = [];
                OpenMp.Run(64, _ =>
                {
                    lock (seen)
                        seen.Add(Environment.CurrentManagedThreadId);
                });
                Assert.Equal(threads, seen.Count);
                Assert.Contains(Environment.CurrentManagedThreadId, seen);
            }
        }
        finally
        {
            torch.set_num_threads(before);
        }
    }

    /// <summary>Work that allocates while the collector runs, from several callers at once, between libtorch's own parallel calls.</summary>
    [Fact]
    public void Callers_on_many_threads_do_not_disturb_each_other()
    {
        long[] sums = new long[4];
        Thread[] callers = [.. Enumerable.Range(0, sums.Length).Select(caller => new Thread(() =>
        {
            for (int round = 0; round < 200; round++)
            {
                using (torch.Tensor a = torch.ones(64, 64), b = a.mm(a))
                    OpenMp.Run(16, part => Interlocked.Add(ref sums[caller], new int[64].Length + part));
                if (round % 50 == caller)
                    GC.Collect();
            }
        }))];
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());
        Assert.All(sums, sum => Assert.Equal(200 * (16 * 64 + 120), sum));
    }
}
