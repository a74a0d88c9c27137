using FaMLNet;

namespace OwnRule;

/// <summary>A layer-wise rule of one's own: the feedback weights trail the forward weights, B ← (1 − τ) B + τ W. How stale may they be?</summary>
[CustomFeedbackRule("lagged")]
public sealed class LaggedTransportRule : LayerwiseFeedbackRule
{
    private const float Share = 0.002f;

    public override string Name => "Lagged weight transport";

    public override string ShortName => "lagged";

    protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();

    protected override void Refresh(FeedbackLayer layer)
    {
        for (int i = 0; i < layer.Feedback.Length; i++)
            layer.Feedback[i] += Share * (layer.Weights[i] - layer.Feedback[i]);
    }
}
