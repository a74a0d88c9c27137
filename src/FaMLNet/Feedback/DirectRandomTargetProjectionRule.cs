namespace FaMLNet;

/// <summary>
/// Direct random target projection: the target is sent to the layers in the error's place, through fixed random weights. It is known before the
/// forward pass, so a layer could learn before the layers above it have computed. Frenkel, Lefebvre and Bol (2021), "Learning without feedback: fixed
/// random learning signals allow for feedforward training of deep neural networks", Frontiers in Neuroscience 15:629892. Classifiers only.
/// </summary>
internal sealed class DirectRandomTargetProjectionRule : DirectFeedbackRule
{
    public override string Name => "Direct random target projection";

    public override string ShortName => "drtp";

    // The target does not go away as an error does: only a strong decay keeps the weights from growing for ever.
    public override RuleDefaults Defaults { get; } = RuleDefaults.DirectFeedback with
    {
        Optimizer = new OptimizerOptions.AdamW { LearningRate = 0.0003f, WeightDecay = 1 },
        DenseOptimizer = new OptimizerOptions.AdamW { LearningRate = 0.002f, WeightDecay = 1 },
    };

    protected internal override ProjectedSignal Projects => ProjectedSignal.Target;

    protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();
}
