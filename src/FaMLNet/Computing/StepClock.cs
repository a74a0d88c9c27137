using System.Diagnostics;

namespace FaMLNet.Computing;

/// <summary>The parts of a training step.</summary>
internal enum StepPhase
{
    /// <summary>Gathering the rows of the mini-batch.</summary>
    Data,

    /// <summary>Forward pass and loss.</summary>
    Forward,

    /// <summary>Backward pass by the rule.</summary>
    Backward,

    /// <summary>Optimiser and the rule's refresh of its feedback weights.</summary>
    Update,
}

/// <summary>Where the time of training steps goes; for benchmarks.</summary>
internal sealed class StepClock
{
    private readonly long[] _ticks = new long[Enum.GetValues<StepPhase>().Length];
    private long _last;

    /// <summary>A step begins.</summary>
    public void Start() => _last = Stopwatch.GetTimestamp();

    /// <summary>A phase ends.</summary>
    public void End(StepPhase phase)
    {
        long now = Stopwatch.GetTimestamp();
        _ticks[(int)phase] += now - _last;
        _last = now;
    }

    /// <summary>The share of a phase in all that was measured.</summary>
    public double Share(StepPhase phase) => (double)_ticks[(int)phase] / _ticks.Sum();
}
