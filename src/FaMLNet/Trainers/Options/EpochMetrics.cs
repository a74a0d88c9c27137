namespace FaMLNet;

/// <summary>What one epoch of training showed.</summary>
public sealed record EpochMetrics : LayerMetrics
{
    /// <inheritdoc/>
    public override string ToString() => base.ToString();

    /// <summary>Number of the epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>
    /// Weighted mean of the loss over the rows of the epoch, each as its mini-batch saw it, before the update and with dropout: the cross-entropy
    /// (natural logarithm), or a regression's (<see cref="RegressionLoss"/>, of the standardised target).
    /// Of several numbers or labels at once, the sum over them.
    /// </summary>
    public required double Loss { get; init; }

    /// <summary>
    /// Share of the epoch's rows classified right, counted as <see cref="Loss"/> is; between 0 and 1. Of several labels at once, the share of labels
    /// that are right (1 less the Hamming loss). Null for a regression, whose rows are neither right nor wrong.
    /// </summary>
    public double? Accuracy
    {
        get;
        // Histories of before say NaN.
        init => field = value is double.NaN ? null : value;
    }

    /// <summary>
    /// How far a regression's predictions were off, counted as <see cref="Loss"/> is, in the label's units; null for a classifier. Of several
    /// numbers at once, whose units differ, in standard deviations of each: the root of the mean over rows of the mean squared
    /// distance of their known numbers.
    /// </summary>
    public double? RootMeanSquaredError { get; init; }

    /// <summary>Loss on the validation set; null without one.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Accuracy on the validation set, between 0 and 1; null without one and for a regression.</summary>
    public double? ValidationAccuracy { get; init; }

    /// <summary>
    /// How far a regression's predictions are off on the validation set, in the units of <see cref="RootMeanSquaredError"/>; null without one.
    /// </summary>
    public double? ValidationRootMeanSquaredError { get; init; }

    /// <summary>
    /// Share of the validation set's rows whose class is among the k likeliest (<c>Options.TopK</c>), between 0 and 1; null without either.
    /// </summary>
    public double? ValidationTopKAccuracy { get; init; }

    /// <summary>Learning rate of the epoch's last step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Rows trained on per second.</summary>
    public required double SamplesPerSecond { get; init; }
}
