namespace FaMLNet;

/// <summary>Backpropagation: δ_i = W_{i+1}ᵀ δ_{i+1} ⊙ f′ (Rumelhart, Hinton and Williams 1986).</summary>
internal sealed class BackpropagationRule : FeedbackRule
{
    public override string Name => "Backpropagation";

    public override string ShortName => "bp";
}
