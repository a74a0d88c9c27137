
namespace FaMLNet;

/// <summary>What a rule wants to see of a training step when it adapts its feedback weights.</summary>
[Flags]
public enum StepSignals
{
    /// <summary>Nothing but weights and feedback weights.</summary>
    None = 0,

    /// <summary>The update of the layer's weights: <see cref="FeedbackLayer.Update"/>.</summary>
    Update = 1,

    /// <summary>
    /// What the layer was given and the error of the output, a row an example: <see cref="FeedbackLayer.Activations"/> and
    /// <see cref="FeedbackLayer.OutputErrors"/>.
    /// </summary>
    Activations = 2,
}
