namespace FaMLNet;

/// <summary>
/// Fixed random sign-concordant feedback: B = |R| ⊙ sign(W), R fixed; only the signs follow W. Liao, Leibo and Poggio (2016), "How
/// important is weight symmetry in backpropagation?", AAAI 30.
/// </summary>
internal sealed class FixedRandomSignConcordantRule : LayerwiseFeedbackRule
{
    public override string Name => "Fixed random sign-concordant feedback";

    public override string ShortName => "frsf";

    protected override void Draw(FeedbackLayer layer)
    {
        layer.DrawRandom();
        layer.TakeSignsOfWeights();
    }

    protected override void Refresh(FeedbackLayer layer) => layer.TakeSignsOfWeights();

    internal override bool TryRefreshOnDevice(in DeviceLayer layer)
    {
        layer.Feedback.copysign_(layer.Weights);
        return true;
    }
}
