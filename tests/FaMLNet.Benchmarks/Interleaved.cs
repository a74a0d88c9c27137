using System.Diagnostics;

namespace FaMLNet.Benchmarks;

/// <summary>
/// Times several things against each other: rounds of each in turn, in one process, so that what else the machine does hits all alike.
/// </summary>
internal static class Interleaved
{
    /// <summary>The median time of each, milliseconds a call.</summary>
    /// <param name="rounds">How often each has its turn.</param>
    /// <param name="milliseconds">About how long a turn lasts.</param>
    /// <param name="actions">What is timed.</param>
    public static double[] Medians(int rounds, double milliseconds, params Action[] actions)
    {
        int[] calls = new int[actions.Length];
        for (int i = 0; i < actions.Length; i++)
        {
            // Warm up: tiered compilation needs some thirty calls and a moment to finish in the background.
            Stopwatch warm = Stopwatch.StartNew();
            int count = 0;
            while (count < 3 || (warm.ElapsedMilliseconds < 400 && count < 20_000))
            {
                actions[i]();
                count++;
            }
            calls[i] = Math.Max(1, (int)(milliseconds * count / warm.Elapsed.TotalMilliseconds));
        }
        double[][] times = [.. actions.Select(_ => new double[rounds])];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < actions.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                for (int call = 0; call < calls[i]; call++)
                    actions[i]();
                times[i][round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / calls[i];
            }
        }
        return [.. times.Select(Median)];
    }

    public static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
