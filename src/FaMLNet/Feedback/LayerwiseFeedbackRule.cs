namespace FaMLNet;

/// <summary>
/// A rule that sends the error from each layer to the one below through weights B of the shape of the forward weights W:
/// δ_i = B_{i+1}ᵀ δ_{i+1} ⊙ f′. Derive from it for a rule of your own.
/// </summary>
/// <inheritdoc cref="RuleWithFeedbackWeights" path="/remarks"/>
public abstract class LayerwiseFeedbackRule : RuleWithFeedbackWeights
{
    internal override ErrorRoute Route => ErrorRoute.Layerwise;
}
