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

    // The target does not go away as an error does: only units that saturate, as its authors' do, stop learning from the examples that they already
    // tell apart. Where they do not, the decay alone keeps weights from growing for ever.
    public override RuleDefaults Defaults { get; } = RuleDefaults.DirectFeedback with
    {
        Optimizer = new OptimizerOptions.AdamW { LearningRate = 0.001f, WeightDecay = 0.3f },
        Activation = Activation.Tanh,
        DenseOptimizer = new OptimizerOptions.AdamW { LearningRate = 0.004f, WeightDecay = 0.1f },
    };

    protected internal override ProjectedSignal Projects => ProjectedSignal.Target;

    protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();
}
