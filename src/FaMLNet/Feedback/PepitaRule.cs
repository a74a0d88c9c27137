namespace FaMLNet;

/// <summary>
/// PEPITA: present the error to perturb the input to modulate activity. Dellaferrera and Kreiman (2022), "Error-driven input modulation: solving the
/// credit assignment problem without a backward pass", ICML (PMLR 162).
/// </summary>
/// <remarks>
/// F is drawn with √(2/inputs) · 0.05 as in the paper. The paper's networks leave the activation's derivative f′ out; here it stays, since between a
/// layer's weights and the next there may be a pool or a normalisation as well.
/// </remarks>
internal sealed class PepitaRule : InputModulationRule
{
    public override string Name => "PEPITA";

    public override string ShortName => "pepita";

    public override RuleDefaults Defaults { get; } = new()
    {
        Optimizer = new OptimizerOptions.Sgd { LearningRate = 0.001f },
        DenseOptimizer = new OptimizerOptions.Sgd { LearningRate = 0.3f },
        FeedbackScale = 0.05f,
    };

    protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();
}
