using System.Diagnostics;
using System.Runtime.ExceptionServices;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;

namespace FaMLNet.Robustness;

/// <summary>What an attack did to one row.</summary>
/// <param name="Fooled">Whether the model sees another class.</param>
/// <param name="LInfinity">The largest change.</param>
/// <param name="L2">The length of the change.</param>
/// <param name="L0">Features, of an image pixels, that changed.</param>
internal readonly record struct RowOutcome(bool Fooled, double LInfinity, double L2, double L0);

/// <summary>One thread's use of the models: who is judged, and whom the attack may ask.</summary>
/// <param name="Judge">The model.</param>
/// <param name="Asked">The model, or its surrogate.</param>
/// <param name="Gradient">Of the model or its surrogate; null for an attack without.</param>
internal sealed record AttackAccess(AttackScorer Judge, AttackScorer Asked, InputGradient? Gradient) : IDisposable
{
    public void Dispose() => Gradient?.Dispose();
}

/// <summary>One attack on many rows by several threads. Which thread has a row, and which rows are beside it, does not matter to it.</summary>
internal sealed class AttackRun
{
    private readonly RobustnessOptions _options;
    private readonly Func<AttackAccess> _open;
    private readonly (int Number, int Of) _place;
    private readonly int _seed, _threads;
    private readonly bool _hasSurrogate, _usesLibTorch;
    private readonly object _gate = new();
    private readonly float[]?[]? _examples;
    private int _next, _done, _fooled;
    private long _forward, _gradients, _zeros;
    private volatile bool _stopped;

    public AttackRun(Attack attack, AttackRows rows, RobustnessOptions options, int seed, Func<AttackAccess> open, bool hasSurrogate,
        bool usesLibTorch, int threads, (int Number, int Of) place, float[]?[]? examples = null)
    {
        (Attack, Rows, _options, _seed, _open, _hasSurrogate, _usesLibTorch, _threads, _place, _examples) =
            (attack, rows, options, seed, open, hasSurrogate, usesLibTorch, threads, place, examples);
        Attacked = rows.Right;
        Outcomes = new RowOutcome[Attacked.Length];
    }

    public Attack Attack { get; }

    public AttackRows Rows { get; }

    /// <summary>Numbers of the rows that are attacked.</summary>
    public int[] Attacked { get; }

    public RowOutcome[] Outcomes { get; }

    public int BatchSize => _options.BatchSize;

    /// <summary>Runs the attack.</summary>
    public AttackResult Run()
    {
        Stopwatch watch = Stopwatch.StartNew();
        if (Attack.Bound > 0)
            RunThreads();
        RowOutcome[] fooled = [.. Outcomes.Where(outcome => outcome.Fooled)];
        return new AttackResult
        {
            Attack = Attack,
            ThreatModel = Attack.UsesGradients ? _options.ThreatModel : null,
            AttackedRows = Attacked.Length,
            FooledRows = fooled.Length,
            RobustAccuracy = (double)(Attacked.Length - fooled.Length) / Rows.Labels.Count,
            LInfinity = PerturbationSize.Of([.. fooled.Select(outcome => outcome.LInfinity)]),
            L2 = PerturbationSize.Of([.. fooled.Select(outcome => outcome.L2)]),
            L0 = PerturbationSize.Of([.. fooled.Select(outcome => outcome.L0)]),
            ForwardQueries = _forward,
            GradientQueries = _gradients,
            ZeroGradients = _zeros,
            Seconds = watch.Elapsed.TotalSeconds,
            Outcomes = Attacked.Zip(Outcomes).ToDictionary(pair => pair.First, pair => pair.Second.Fooled),
        };
    }

    /// <summary>The next row to attack, by its place among them; −1 if there is none.</summary>
    public int TakeNext()
    {
        int index = Interlocked.Increment(ref _next) - 1;
        return index < Attacked.Length ? index : -1;
    }

    public AttackedRow Open(int index)
    {
        int row = Attacked[index];
        float[] clean = Rows.Features[row];
        return new AttackedRow(row, clean, Rows.Labels[row], Rows.Classes, Rows.Image,
            new PerturbationLimits(clean, Attack.Norm, Attack.Bound, Rows.Range), new RandomGenerator(_seed, $"attack {Attack}, row {row}"),
            stopsWhenFooled: !_hasSurrogate);
    }

    public void CheckStopped()
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        if (_stopped)
            throw new OperationCanceledException("Another thread has failed.");
    }

    /// <summary>Notes what became of a row.</summary>
    public void Finish(int index, AttackedRow row, float[] x, bool fooled)
    {
        Outcomes[index] = Measure(row.Clean, x, fooled);
        if (_examples != null)
            _examples[row.Index] = x;
        lock (_gate)
        {
            _forward += row.ForwardQueries;
            _gradients += row.GradientQueries;
            _done++;
            _fooled += fooled ? 1 : 0;
            _options.Progress?.Report(new RobustnessProgress(Attack, _place.Number, _place.Of, _done, Attacked.Length, _fooled));
        }
    }

    public void CountZeroGradient() => Interlocked.Increment(ref _zeros);

    private RowOutcome Measure(ReadOnlySpan<float> clean, ReadOnlySpan<float> x, bool fooled)
    {
        double largest = 0;
        for (int i = 0; i < x.Length; i++)
            largest = Math.Max(largest, Math.Abs((double)x[i] - clean[i]));
        return new RowOutcome(fooled, largest, Vectors.Distance(x, clean), CountChanged(clean, x));
    }

    /// <summary>Features that changed; of an image, pixels.</summary>
    public int CountChanged(ReadOnlySpan<float> clean, ReadOnlySpan<float> x)
    {
        int area = Rows.Image is { } image ? image.Height * image.Width : x.Length, changed = 0;
        for (int place = 0; place < area; place++)
        {
            bool differs = false;
            for (int i = place; i < x.Length; i += area)
                differs |= x[i] != clean[i];
            changed += differs ? 1 : 0;
        }
        return changed;
    }

    private void RunThreads()
    {
        ExceptionDispatchInfo? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, Math.Clamp(Attacked.Length, 1, _threads)).Select(_ => new Thread(() =>
        {
            try
            {
                // Every thread computes by itself: the rounding of libtorch's kernels may depend on how many threads share one.
                using ThreadCount? single = _usesLibTorch ? new ThreadCount(1) : null;
                using AttackAccess access = _open();
                new AttackWorker(this, access).Run();
            }
            catch (Exception exception)
            {
                lock (_gate)
                    failure ??= ExceptionDispatchInfo.Capture(exception);
                _stopped = true;
            }
        }) { IsBackground = true, Name = "FaMLNet attack" })];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        failure?.Throw();
    }
}
