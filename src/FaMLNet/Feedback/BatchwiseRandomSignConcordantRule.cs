namespace FaMLNet;

/// <summary>
/// Batch-wise random sign-concordant feedback: B = |R| ⊙ sign(W), R redrawn after every update. Liao, Leibo and Poggio (2016), "How
/// important is weight symmetry in backpropagation?", AAAI 30.
/// </summary>
internal sealed class BatchwiseRandomSignConcordantRule : LayerwiseFeedbackRule
{
    public override string Name => "Batch-wise random sign-concordant feedback";

    public override string ShortName => "brsf";

    protected override void Draw(FeedbackLayer layer) => Refresh(layer);

    protected override void Refresh(FeedbackLayer layer)
    {
        layer.DrawRandom();
        layer.TakeSignsOfWeights();
    }

    internal override bool TryRefreshOnDevice(in DeviceLayer layer)
    {
        layer.Feedback.uniform_(0, MathF.Sqrt(3) * layer.StandardDeviation).copysign_(layer.Weights);
        return true;
    }
}
