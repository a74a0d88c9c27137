using System.Numerics.Tensors;

namespace FaMLNet;

/// <summary>
/// Direct Kolen–Pollack: direct feedback whose weights learn from what meets at them, the output's error and the layer's activations:
/// B_i ← (1 − d) B_i − η_B eᵀ a_i. For the last layer that is W's own direction by gradient descent. Webster, Choi and Ahn (2021), "Learning the
/// connections in direct feedback alignment".
/// </summary>
/// <remarks>
/// η_B is a fifth of the step's learning rate, as in the authors' code. At the rate itself B outgrows what it learns from, since the error that moves
/// it is the network's and not its own: training diverges on CIFAR-10.
/// </remarks>
internal sealed class DirectKolenPollackRule : DirectFeedbackRule
{
    /// <summary>The learning rate of feedback weights beside that of the weights.</summary>
    private const float RateFactor = 0.2f;

    public override string Name => "Direct Kolen-Pollack";

    public override string ShortName => "dkp";

    public override RuleDefaults Defaults { get; } = RuleDefaults.DirectFeedback;

    protected internal override StepSignals Signals => StepSignals.Activations;

    protected override void Draw(FeedbackLayer layer) => layer.DrawRandom();

    protected override void Refresh(FeedbackLayer layer)
    {
        // Read once: the layer is passed by reference, and its spans would be loaded anew in the innermost loop.
        int outputs = layer.Shape[0], inputs = layer.Shape[1], rows = layer.Rows;
        float rate = -RateFactor * layer.LearningRate;
        ReadOnlySpan<float> errors = layer.OutputErrors, activations = layer.Activations;
        Span<float> feedback = layer.Feedback;
        TensorPrimitives.Multiply(feedback, 1 - layer.Decay, feedback);
        for (int output = 0; output < outputs; output++)
        {
            Span<float> weights = feedback.Slice(output * inputs, inputs);
            for (int row = 0; row < rows; row++)
                TensorPrimitives.MultiplyAdd(activations.Slice(row * inputs, inputs), rate * errors[row * outputs + output], weights, weights);
        }
    }
}
