using FaMLNet.Computing.Backward;

namespace FaMLNet.Robustness;

/// <summary>From the logits of rows to the gradients of their losses at the logits, both rows × classes.</summary>
internal delegate void OutputErrors(ReadOnlySpan<float> logits, Span<float> errors);

/// <summary>
/// A network and the way from a loss at its logits to its input, as prediction sees it: running statistics, no dropout. For one thread. A row's
/// result does not depend on the rows beside it, nor on how many they are.
/// </summary>
internal abstract class InputGradient : IDisposable
{
    /// <summary>Forward, then backward.</summary>
    /// <param name="x">Rows × features, as the model gets them.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="errors">Called once or more, each time for some of the rows in their order.</param>
    /// <param name="gradients">Receives rows × features.</param>
    public abstract void Run(ReadOnlySpan<float> x, int count, OutputErrors errors, Span<float> gradients);

    public abstract void Dispose();
}

/// <summary>Feedback weights through which an attacker differentiates.</summary>
/// <param name="Rule">Whose they are.</param>
/// <param name="Slices">Where each layer's lie; null for layers without.</param>
/// <param name="Values">All of them.</param>
internal sealed record FeedbackPath(FeedbackRule Rule, IReadOnlyList<ParameterSlice?> Slices, float[] Values)
{
    /// <summary>The same in native memory; the caller's.</summary>
    public FeedbackWeights Open(NetworkLayout layout)
    {
        FeedbackWeights weights = new(Rule, layout, scale: 1, new RandomGenerator(0, "unused"));
        Values.CopyTo(weights.Buffer.Span);
        return weights;
    }
}
