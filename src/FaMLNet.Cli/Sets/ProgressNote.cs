namespace FaMLNet.Cli.Sets;

/// <summary>Says after a second, and then every five, how far something is; nothing of what is done sooner.</summary>
internal sealed class ProgressNote : IDisposable
{
    private readonly Timer _timer;

    /// <param name="say">Receives a line.</param>
    /// <param name="text">The line for now.</param>
    public ProgressNote(Action<string> say, Func<string> text)
    {
        _timer = new Timer(_ => say(text()), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
    }

    /// <summary>Nothing is said any more.</summary>
    public void Dispose()
    {
        using ManualResetEvent over = new(initialState: false);
        if (_timer.Dispose(over))
            over.WaitOne();
    }
}
