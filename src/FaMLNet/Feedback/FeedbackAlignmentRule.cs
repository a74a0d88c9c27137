namespace FaMLNet;

/// <summary>
/// Feedback alignment: B = R, fixed. Lillicrap, Cownden, Tweed and Akerman (2016), "Random synaptic feedback weights support error
/// backpropagation for deep learning", Nature Communications 7:13276.
/// </summary>
internal sealed class FeedbackAlignmentRule : LayerwiseFeedbackRule
{
    public override string Name => "Feedback alignment";

    public override string ShortName => "fa";

    public override RuleDefaults Defaults { get; } = RuleDefaults.RandomFeedback
        with
    { Optimizer = new OptimizerOptions.AdamW { LearningRate = 0.0012f, WeightDecay = 0.1f } };

    protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();
}
