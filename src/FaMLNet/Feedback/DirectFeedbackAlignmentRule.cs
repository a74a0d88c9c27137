namespace FaMLNet;

/// <summary>
/// Direct feedback alignment: B_i = R_i, fixed, from the output to every layer. Nøkland (2016), "Direct feedback alignment provides
/// learning in deep neural networks", NeurIPS 29.
/// </summary>
internal sealed class DirectFeedbackAlignmentRule : DirectFeedbackRule
{
    public override string Name => "Direct feedback alignment";

    public override string ShortName => "dfa";

    public override RuleDefaults Defaults { get; } = RuleDefaults.DirectFeedback;

    protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();
}
