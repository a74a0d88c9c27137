using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>
/// A scorer with native memory, which threads share. It is made when it is first needed. Disposing frees it as soon as no thread is scoring and
/// no lease is open. Whoever scores after that makes it again for the call and frees it: ML.NET tells nobody that a <c>PredictionEngine</c> is
/// gone, so memory that waited for the last one would wait for the garbage collector.
/// </summary>
/// <typeparam name="TNative">What holds the memory.</typeparam>
/// <param name="env">For a warning.</param>
/// <param name="native">What holds the memory, where it is there already; null to make it when it is needed.</param>
internal abstract class NativeScorer<TNative>(IHostEnvironment env, TNative? native) : NetworkScorer where TNative : class, IDisposable
{
    /// <summary>Calls after the model was disposed that a pool of engines has when it exchanges a model; more are a mistake.</summary>
    private const int LateCallsToWarn = 100;

    private readonly object _gate = new();
    private TNative? _native = native;
    private int _users, _lateCalls;
    private bool _disposed;

    public sealed override bool GainsFromBatches => true;

    public sealed override IScoringSession Open() => new Session(this);

    public sealed override IDisposable Lease()
    {
        lock (_gate)
            _users++;
        return new OpenLease(this);
    }

    public sealed override void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            FreeIfUnused();
        }
    }

    /// <summary>Takes the native memory.</summary>
    protected abstract TNative Create();

    /// <summary>Computes outputs, as <see cref="IScoringSession.ComputeLogits"/> says. Called by several threads at once.</summary>
    protected abstract void ComputeLogits(TNative native, ReadOnlySpan<float> features, int count, Span<float> logits);

    private TNative Enter()
    {
        lock (_gate)
        {
            if (_native == null)
            {
                _native = Create();
                if (_disposed && ++_lateCalls == LateCallsToWarn)
                    WarnOfLateCalls();
            }
            _users++;
            return _native;
        }
    }

    private void WarnOfLateCalls()
    {
        using IChannel channel = env.Start("Scoring");
        channel.Warning($"The model has been disposed, and prediction engines still use it: its network is built anew for each prediction, which is "
            + $"slow ({LateCallsToWarn} times by now). Dispose the model after its engines; where an engine that was disposed took it along, make "
            + $"engines with PredictionEngineOptions {{ OwnsTransformer = false }}.");
    }

    private void Exit()
    {
        lock (_gate)
        {
            _users--;
            FreeIfUnused();
        }
    }

    private void FreeIfUnused()
    {
        if (!_disposed || _users > 0)
            return;
        CleanUp.Dispose(_native); // it may be a module of the user's own
        _native = null;
    }

    private sealed class Session(NativeScorer<TNative> owner) : IScoringSession
    {
        public void ComputeLogits(ReadOnlySpan<float> features, int count, Span<float> logits)
        {
            TNative native = owner.Enter();
            try
            {
                owner.ComputeLogits(native, features, count, logits);
            }
            finally
            {
                owner.Exit();
            }
        }
    }

    private sealed class OpenLease(NativeScorer<TNative> owner) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
                owner.Exit();
        }
    }
}
