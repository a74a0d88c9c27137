using FaMLNet.Interop;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training;

/// <summary>How many threads libtorch uses: a training's own number, and nobody else's.</summary>
public sealed class ThreadCountTests
{
    /// <summary>A thread that uses libtorch for the first time while another one trains on one thread keeps the process's number.</summary>
    [Fact]
    public void A_thread_that_begins_beside_a_training_has_the_number_of_the_process()
    {
        int before = OnNewThread(() => get_num_threads());
        int inside = 0, beside = 0, after = 0;
        using ManualResetEventSlim began = new(), ended = new();
        Thread other = new(() =>
        {
            began.Wait();
            beside = get_num_threads();
            ended.Wait();
            after = get_num_threads();
        });
        other.Start();
        OnNewThread(() =>
        {
            int own = get_num_threads();
            using (new ThreadCount(own + 3))
            {
                inside = get_num_threads();
                began.Set();
                SpinWait.SpinUntil(() => Volatile.Read(ref beside) != 0);
            }
            Assert.Equal(own, get_num_threads());
            return 0;
        });
        ended.Set();
        other.Join();
        Assert.Equal(before + 3, inside);
        Assert.Equal(before, beside);
        Assert.Equal(before, after);
        Assert.Equal(before, OnNewThread(() => get_num_threads()));
    }

    [Fact]
    public void Many_trainings_at_once_leave_every_thread_its_number_and_give_the_same_weights()
    {
        int before = OnNewThread(() => get_num_threads());
        float[][] weights = new float[6][];
        int[] numbers = new int[weights.Length];
        Thread[] threads = [.. Enumerable.Range(0, weights.Length).Select(i => new Thread(() =>
        {
            Microsoft.ML.MLContext mlContext = new(1);
            weights[i] = [.. Tables.ModelOf(Tables.Pipeline(mlContext, Tables.Quick(epochs: 2 + i % 2)).Fit(Tables.Load(mlContext, "iris")))
                .GetWeights()
                .OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => pair.Value.Values.ToArray())];
            numbers[i] = get_num_threads();
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(numbers, number => Assert.Equal(before, number));
        Assert.Equal(weights[0], weights[2]);
        Assert.Equal(weights[0], weights[4]);
        Assert.Equal(weights[1], weights[3]);
    }

    private static int OnNewThread(Func<int> work)
    {
        int result = 0;
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                result = work();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        return failure == null ? result : throw failure;
    }
}
