namespace FaMLNet;

/// <summary>
/// A rule without a backward path: the error e of the output is added to the input, x′ = x + F e, and the network runs again. What a layer is given
/// in the first pass less what it is given in the second takes the error's place there: the layer below learns from
/// δ_i = (h_i − h′_i) ⊙ f′ and its input in the second pass, the output layer from e. Derive from it for a rule of your own.
/// </summary>
/// <remarks>
/// F (outputs × inputs of the network, <see cref="FeedbackLayer.Feedback"/> of the first layer) is all that there is to draw; for images the inputs
/// are standardised pixels. Both passes share a dropout mask; running statistics follow the first.
/// </remarks>
public abstract class InputModulationRule : RuleWithFeedbackWeights
{
    internal override ErrorRoute Route => ErrorRoute.Modulation;
}
