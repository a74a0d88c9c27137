namespace FaMLNet;

/// <summary>
/// A rule that sends a signal of the output, by default its error e = ∂L/∂(output), straight to each layer through weights B_i (outputs × inputs of
/// the layer above): δ_i = B_iᵀ e ⊙ f′. Derive from it for a rule of your own.
/// </summary>
/// <remarks>
/// Where the weights of every column (all that one input of a layer hears of the outputs) have one number at most that is not 0, and the rule never
/// changes them, the projection costs a copy instead of a product.
/// </remarks>
public abstract class DirectFeedbackRule : RuleWithFeedbackWeights
{
    /// <summary>What is projected. The output layer itself always learns from the error.</summary>
    /// <value>Default: <see cref="ProjectedSignal.OutputError"/>.</value>
    protected internal virtual ProjectedSignal Projects => ProjectedSignal.OutputError;

    internal override ErrorRoute Route => ErrorRoute.Direct;

    internal override bool SendsTarget => Projects == ProjectedSignal.Target;
}
