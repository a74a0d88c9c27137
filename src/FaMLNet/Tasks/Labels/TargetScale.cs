namespace FaMLNet.Tasks.Labels;

/// <summary>Between a regression's labels and what its network learns: (label − mean)/deviation, or, for counts, ln(rate/mean).</summary>
/// <param name="Mean">Of the labels of the training rows.</param>
/// <param name="Deviation">Their standard deviation; 1 where they are all alike.</param>
/// <param name="IsLogarithmic">Whether the network's output is a logarithm.</param>
internal sealed record TargetScale(double Mean, double Deviation, bool IsLogarithmic)
{
    /// <summary>For networks whose outputs are what they are: classifiers.</summary>
    public static TargetScale None { get; } = new(0, 1, false);

    /// <summary>For such networks, where a list is asked for.</summary>
    public static IReadOnlyList<TargetScale> Unscaled { get; } = [None];

    /// <summary>A label as the loss sees it.</summary>
    public double Standardize(float label) => IsLogarithmic ? label / Mean : (label - Mean) / Deviation;

    /// <summary>A network's output in the label's units.</summary>
    public float Restore(float output) => (float)(IsLogarithmic ? Mean * Math.Exp(output) : Mean + Deviation * output);
}
