namespace FaMLNet.Tests.Cli;

/// <summary>A clock whose timer rings when the test says so.</summary>
internal sealed class HandClock : TimeProvider, ITimer
{
    private TimerCallback? _callback;
    private int _rings;

    public TimeSpan Due { get; private set; }

    public TimeSpan Period { get; private set; }

    /// <summary>How often it has rung.</summary>
    public int Rings => Volatile.Read(ref _rings);

    public void Ring()
    {
        Interlocked.Increment(ref _rings);
        _callback!(null);
    }

    public override long GetTimestamp() => 0;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        (_callback, Due, Period) = (callback, dueTime, period);
        return this;
    }

    public bool Change(TimeSpan dueTime, TimeSpan period) => true;

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
