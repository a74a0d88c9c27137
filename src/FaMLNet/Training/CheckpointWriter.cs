using System.Diagnostics;
using FaMLNet.Training.Checkpoints;

namespace FaMLNet.Training;

/// <summary>Saves a training's state as often as its options say. Without a folder it does nothing.</summary>
internal sealed class CheckpointWriter(TrainingPlan plan, TrainingState state, CheckpointFolder? folder, TrainingListener listener,
    FailedWrites failed)
{
    private readonly Stopwatch _sinceLast = Stopwatch.StartNew();

    /// <summary>Saves after an epoch, if it is time.</summary>
    /// <param name="epoch">The epoch, from 1.</param>
    /// <param name="complete">Whether the training is over.</param>
    /// <param name="isBest">Whether the epoch is the best so far.</param>
    public void AfterEpoch(int epoch, bool complete, bool isBest)
    {
        if (folder != null && (complete || epoch % plan.Checkpoints!.EveryEpochs == 0 || IsTime()))
            Save(complete, isBest);
    }

    /// <summary>Saves within an epoch, if the minutes of the options are over.</summary>
    public void AfterStep()
    {
        if (folder != null && IsTime())
            Save(complete: false, isBest: false);
    }

    /// <summary>Throws if the training is to stop, and saves before.</summary>
    public void CheckCancelled()
    {
        try
        {
            listener.CheckCancelled();
        }
        catch (OperationCanceledException) when (folder != null)
        {
            CleanUp.Run(() => Save(complete: false, isBest: false), "Saving a checkpoint on cancellation", listener.Warn);
            throw;
        }
    }

    private bool IsTime() => plan.Checkpoints?.EveryMinutes is { } minutes && _sinceLast.Elapsed.TotalMinutes >= minutes;

    /// <summary>Saves a checkpoint. One that cannot be written is no reason to lose the training: it is said, and the next one is tried.</summary>
    private void Save(bool complete, bool isBest)
    {
        Checkpoint checkpoint = state.Save(complete);
        try
        {
            folder!.Save(checkpoint, isBest);
            failed.Written();
        }
        catch (IOException failure)
        {
            failed.Failed(failure.Message);
        }
        _sinceLast.Restart();
    }
}
