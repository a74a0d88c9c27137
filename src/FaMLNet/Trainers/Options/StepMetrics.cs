namespace FaMLNet;

/// <summary>What one step of training showed: a point within an epoch, handed to <c>Options.StepCallback</c>.</summary>
public sealed record StepMetrics : LayerMetrics
{
    /// <inheritdoc/>
    public override string ToString() => base.ToString();

    /// <summary>Number of the epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Number of the step, from 1, counted through all epochs.</summary>
    public required long Step { get; init; }

    /// <summary>Weighted mean of the loss (<see cref="EpochMetrics.Loss"/>) over the step's mini-batch, before the update and with dropout.</summary>
    public required double Loss { get; init; }

    /// <summary>
    /// Share of the mini-batch's rows classified right, between 0 and 1. Null for a regression, whose rows are neither right nor wrong.
    /// </summary>
    public double? Accuracy { get; init; }

    /// <summary>Learning rate of the step.</summary>
    public required double LearningRate { get; init; }
}
