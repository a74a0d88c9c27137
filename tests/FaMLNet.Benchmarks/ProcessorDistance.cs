using System.Diagnostics;

namespace FaMLNet.Benchmarks;

/// <summary>
/// How long two threads take to answer each other through memory. A virtual machine's processors may be neighbours or far apart, and its host
/// moves them: what threads exchange then costs several times as much, and figures of one state do not compare with those of the other.
/// </summary>
internal static class ProcessorDistance
{
    /// <summary>Nanoseconds there and back, the median of a few short trials.</summary>
    public static double Nanoseconds()
    {
        Line call = new(), answer = new();
        bool stop = false;
        Thread partner = new(() =>
        {
            while (!Volatile.Read(ref stop))
                Volatile.Write(ref answer.Value, Volatile.Read(ref call.Value));
        });
        partner.Start();
        double[] trials = new double[9];
        for (int trial = 0; trial < trials.Length; trial++)
        {
            long start = Stopwatch.GetTimestamp();
            int count = 0;
            for (; count % 100 != 0 || count == 0 || Stopwatch.GetElapsedTime(start).TotalMilliseconds < 5; count++)
            {
                long next = call.Value + 1;
                Volatile.Write(ref call.Value, next);
                while (Volatile.Read(ref answer.Value) != next)
                    Thread.SpinWait(0);
            }
            trials[trial] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / count;
        }
        Volatile.Write(ref stop, true);
        partner.Join();
        return Interleaved.Median(trials);
    }

    /// <summary>Runs a benchmark and says how far apart the processors were before and after.</summary>
    public static void Report(Action benchmark)
    {
        double before = Nanoseconds();
        benchmark();
        Console.WriteLine(FormattableString.Invariant($"Two threads answered each other in {before:F0} ns before and {Nanoseconds():F0} ns after."));
    }

    /// <summary>A number on a cache line of its own.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 256)]
    private sealed class Line
    {
        [System.Runtime.InteropServices.FieldOffset(128)]
        public long Value;
    }
}
