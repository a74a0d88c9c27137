using System.Text;
using System.Text.Json.Serialization;

namespace FaMLNet;

/// <summary>
/// What was measured of each layer at one point of a training, by the layer's name; empty where <see cref="LayerDiagnostics"/> does not ask
/// for it. Formulas and sources are in docs/diagnostics.md.
/// </summary>
public abstract record LayerMetrics
{
    /// <inheritdoc/>
    public override string ToString() => InvariantText.OfRecord(GetType().Name, PrintMembers);

    /// <summary>
    /// Degrees between 0 and 180 between a layer's forward weights and what the rule's feedback weights put in their place; 90 is chance. For
    /// rules that send the error layer by layer, B itself (Lillicrap et al. 2016). For direct rules, which have no matrix of W's shape, the
    /// product B′ᵀB of the layer's and the next layer's feedback weights, of dense layers that follow each other, and B itself for the last
    /// layer (weight alignment, Refinetti et al. 2021). 0 for backpropagation. Layers that no error passes are left out.
    /// </summary>
    public IReadOnlyDictionary<string, double> AlignmentAngle { get; init; } = Empty;

    /// <summary>
    /// ‖B‖/‖W‖ (Frobenius norms) by the layer to which the feedback weights belong. 1 for backpropagation.
    /// </summary>
    public IReadOnlyDictionary<string, double> NormRatio { get; init; } = Empty;

    /// <summary>‖W‖, the Frobenius norm of a layer's weights, biases left out, before the update.</summary>
    public IReadOnlyDictionary<string, double> WeightNorm { get; init; } = Empty;

    /// <summary>‖∂L/∂W‖ as the rule has it on the mini-batch at hand, before clipping.</summary>
    public IReadOnlyDictionary<string, double> GradientNorm { get; init; } = Empty;

    /// <summary>‖ΔW‖/‖W‖ of the step at hand: how far the optimiser moves a layer's weights, over how large they were.</summary>
    public IReadOnlyDictionary<string, double> UpdateRatio { get; init; } = Empty;

    /// <summary>
    /// Share, between 0 and 1, of a layer's units that were 0 for every row of the last mini-batches, 1,024 rows or more of them together, of
    /// an activation that can die (ReLU). A unit of an image is a channel. By the layer whose output is activated; in a module of the user's
    /// own by the name of its ReLU.
    /// </summary>
    public IReadOnlyDictionary<string, double> DeadUnits { get; init; } = Empty;

    /// <summary>
    /// Degrees between 0 and 180 between the rule's gradient of a layer's weights and the one that backpropagation would have on the same
    /// mini-batch, both before the optimiser. 0 for backpropagation.
    /// </summary>
    public IReadOnlyDictionary<string, double> UpdateAngle { get; init; } = Empty;

    /// <summary>As <see cref="UpdateAngle"/>, of all parameters as one vector, biases included; null where it was not measured.</summary>
    public double? TotalUpdateAngle { get; init; }

    /// <summary>Weights, feedback weights and gradients as histograms; null where they were not asked for, and in a model's history.</summary>
    [JsonIgnore]
    public LayerHistograms? Histograms { get; init; }

    /// <summary>
    /// Tells a training with a <c>CheckpointFolder</c> from others: the same whenever it goes on from its checkpoints, in another process too, and
    /// another for other data, options or seed, or another model to go on from. Logs of several trainings go by it. Null without a
    /// <c>CheckpointFolder</c>, and in a model's history.
    /// </summary>
    public string? TrainingId { get; init; }

    internal static IReadOnlyDictionary<string, double> Empty { get; } = new Dictionary<string, double>();

    /// <summary>Leaves the layers out of the text.</summary>
    protected virtual bool PrintMembers(StringBuilder builder) => false;
}
