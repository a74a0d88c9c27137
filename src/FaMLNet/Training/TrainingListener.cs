namespace FaMLNet.Training;

/// <summary>Who hears of a training.</summary>
/// <param name="EpochDone">Called after each epoch.</param>
/// <param name="CheckCancelled">Called before each step; throws to stop the training.</param>
/// <param name="Info">Receives what is good to know.</param>
/// <param name="Warn">Receives what the user should know.</param>
internal sealed record TrainingListener(Action<EpochMetrics> EpochDone, Action CheckCancelled, Action<string> Info, Action<string> Warn)
{
    /// <summary>Nobody.</summary>
    public static TrainingListener None { get; } = new(_ => { }, () => { }, _ => { }, _ => { });

    /// <summary>Whether to end the training after an epoch.</summary>
    public Func<EpochMetrics, bool> StopWhen { get; init; } = _ => false;

    /// <summary>Called after steps that are measured within an epoch.</summary>
    public Action<StepMetrics> StepDone { get; init; } = _ => { };

    /// <summary>Called when the training is over, however it ends.</summary>
    public Action Over { get; init; } = () => { };
}
