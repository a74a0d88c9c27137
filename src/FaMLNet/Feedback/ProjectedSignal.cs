namespace FaMLNet;

/// <summary>What a <see cref="DirectFeedbackRule"/> sends to the layers.</summary>
public enum ProjectedSignal
{
    /// <summary>e = ∂L/∂(output), of the mean over the mini-batch.</summary>
    OutputError,

    /// <summary>
    /// The target in the error's place, which is known before the forward pass: −1 at the example's class and 0 elsewhere, for a single output −1 for
    /// true and 1 for false, over the number of examples and times the example's weight. Classifiers only.
    /// </summary>
    Target,
}
