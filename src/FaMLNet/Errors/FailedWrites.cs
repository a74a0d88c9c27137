namespace FaMLNet.Errors;

/// <summary>
/// Says that something cannot be written when it begins to fail, and how often it has failed when it works again or when all is over: a disk
/// that stays full is one message, not one an epoch.
/// </summary>
/// <param name="what">For the second message: «… could not be written».</param>
/// <param name="warn">Receives the messages.</param>
internal sealed class FailedWrites(string what, Action<string> warn)
{
    private int _failed;

    /// <summary>It could not be written.</summary>
    /// <param name="message">What happened, whole sentences.</param>
    public void Failed(string message)
    {
        if (_failed++ == 0)
            warn($"{message} The training goes on; further failures are counted and reported together.");
    }

    /// <summary>It was written.</summary>
    public void Written()
    {
        if (_failed > 0)
            warn(InvariantText.Of($"{what} can be written again. Failed before: {_failed}."));
        _failed = 0;
    }

    /// <summary>All is over.</summary>
    public void End()
    {
        if (_failed > 0)
            warn(InvariantText.Of($"{what} could not be written to the end of the training. Failed: {_failed}."));
        _failed = 0;
    }
}
