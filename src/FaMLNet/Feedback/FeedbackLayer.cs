
namespace FaMLNet;

/// <summary>What a rule sees of one layer when it draws or adapts the feedback weights by which the error passes that layer.</summary>
/// <remarks>The spans are windows into the training buffers: use them within the call only.</remarks>
public readonly ref struct FeedbackLayer
{
    internal FeedbackLayer(string name, IReadOnlyList<int> shape, float standardDeviation, ReadOnlySpan<float> weights, Span<float> feedback,
        RandomGenerator random)
    {
        Name = name;
        Shape = shape;
        StandardDeviation = standardDeviation;
        Weights = weights;
        Feedback = feedback;
        Random = random;
    }

    /// <summary>The layer's name, for example <c>dense2</c>. No error passes below the first, which has feedback weights only by an
    /// <see cref="InputModulationRule"/>.</summary>
    public string Name { get; }

    /// <summary>
    /// The shape of <see cref="Feedback"/>, row by row: that of the layer's forward weights for a <see cref="LayerwiseFeedbackRule"/>,
    /// outputs of the network × inputs of the layer (for an image channels · height · width) for a <see cref="DirectFeedbackRule"/>, outputs ×
    /// inputs of the network for an <see cref="InputModulationRule"/>.
    /// </summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>The distribution chosen for feedback weights.</summary>
    /// <value>Default: <see cref="WeightInitialization.XavierUniform"/>.</value>
    public WeightInitialization Initialization { get; internal init; }

    /// <summary>
    /// σ: the standard deviation of <see cref="Initialization"/> for this layer, by default √(2/(fan-in + fan-out)), times the feedback scale
    /// chosen.
    /// </summary>
    public float StandardDeviation { get; }

    /// <summary>The feedback scale chosen, which <see cref="StandardDeviation"/> already contains.</summary>
    public float Scale { get; internal init; }

    /// <summary>The layer's forward weights as they are now; in the layout of <see cref="Feedback"/> for a layer-wise rule.</summary>
    public ReadOnlySpan<float> Weights { get; }

    /// <summary>The feedback weights, to be written.</summary>
    public Span<float> Feedback { get; }

    /// <summary>
    /// What the rule keeps for this layer from call to call, to be written; 0 at first. As long as
    /// <see cref="RuleWithFeedbackWeights.MemoryLength"/> says.
    /// </summary>
    public Span<float> Memory { get; internal init; }

    /// <summary>
    /// What the step added to <see cref="Weights"/>, the optimiser's decay included; empty unless <see cref="StepSignals.Update"/> was asked for.
    /// </summary>
    public ReadOnlySpan<float> Update { get; internal init; }

    /// <summary>The share of themselves that the step's decay took from the weights: rate × weight decay (with momentum over 1 − momentum).</summary>
    public float Decay { get; internal init; }

    /// <summary>The learning rate of the step.</summary>
    public float LearningRate { get; internal init; }

    /// <summary>Examples in the step's mini-batch.</summary>
    public int Rows { get; internal init; }

    /// <summary>
    /// What the layer was given, <see cref="Rows"/> × its inputs (of a layer that is used more than once, the sum); empty unless
    /// <see cref="StepSignals.Activations"/> was asked for.
    /// </summary>
    public ReadOnlySpan<float> Activations { get; internal init; }

    /// <summary>
    /// ∂L/∂(output) of the mean loss, <see cref="Rows"/> × outputs of the network; empty unless <see cref="StepSignals.Activations"/> was asked for.
    /// </summary>
    public ReadOnlySpan<float> OutputErrors { get; internal init; }

    /// <summary>The stream of random numbers for feedback weights, derived from the training's seed.</summary>
    public RandomGenerator Random { get; }

    /// <summary>Fills <see cref="Feedback"/> with random numbers of <see cref="Initialization"/>: by default uniform in ±√3·σ.</summary>
    public void DrawRandom() => WeightDraw.Draw(Initialization, StandardDeviation, Feedback, Random);

    /// <summary>
    /// Fills <see cref="Feedback"/> with numbers uniform in ±√3·σ, whatever distribution is chosen (Xavier uniform; Glorot and Bengio 2010).
    /// </summary>
    public void DrawXavierUniform()
    {
        float bound = MathF.Sqrt(3) * StandardDeviation;
        Random.FillUniform(Feedback, -bound, bound);
    }

    /// <summary>Gives every feedback weight the sign bit of its forward weight (0 counts as positive), keeping its magnitude.</summary>
    public void TakeSignsOfWeights() => SignConcordance.CopySign(Feedback, Weights, Feedback);
}
