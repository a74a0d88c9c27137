using System.Runtime.InteropServices;

namespace FaMLNet.Cli.Terminal;

/// <summary>Ctrl+C, and the signal by which schedulers end a job, as a token: work stops within a mini-batch and saves its state.
/// The first is answered by a line on standard error. A second signal ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _isAsked;

    /// <param name="cancellationToken">Stops as well.</param>
    public StopSignals(CancellationToken cancellationToken)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        foreach (PosixSignal signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                // Who asks again does not want to wait: the system ends the process.
                if (Interlocked.Exchange(ref _isAsked, 1) != 0)
                    return;
                context.Cancel = true;
                Messages.Tell("Stopping. What has a checkpoint folder goes on from there. Ctrl+C again ends at once.");
                Cancel();
            }));
        }
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _source.Dispose();
    }

    private void Cancel()
    {
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work has ended in the same moment.
        }
    }
}
