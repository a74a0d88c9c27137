
namespace FaMLNet;

/// <summary>What a rule sees of one layer when it draws or adapts the feedback weights by which the error passes that layer.</summary>
/// <remarks>
/// The spans are windows into the training buffers: use them within the call only. A unit test of a rule makes a layer of its own by the public
/// constructor and hands it to the rule by <see cref="Draw"/>, <see cref="Refresh"/> and <see cref="EndEpoch"/>.
/// </remarks>
public readonly ref struct FeedbackLayer
{
    /// <summary>Makes a layer for a test of a rule. In a training, FaMLNet makes them.</summary>
    /// <param name="name">The layer's name, for example <c>dense2</c>.</param>
    /// <param name="shape">The shape of <paramref name="feedback"/>: outputs × inputs, and the kernel's sizes for a convolution; each at least 1.
    /// </param>
    /// <param name="weights">The forward weights; for a layer-wise rule as many as <paramref name="feedback"/>.</param>
    /// <param name="feedback">The feedback weights, row by row: as many as <paramref name="shape"/> says. The rule writes them.</param>
    /// <param name="random">The random numbers, for example <c>new RandomGenerator(seed: 1, "feedback")</c>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The shape has fewer than two numbers or one below 1, or <paramref name="feedback"/> has another length.
    /// </exception>
    /// <example><code>
    /// FeedbackLayer layer = new("dense2", [2, 3], weights, feedback, new RandomGenerator(1, "feedback"));
    /// layer.Draw(new TernaryFeedback());
    /// </code></example>
    public FeedbackLayer(string name, IReadOnlyList<int> shape, ReadOnlySpan<float> weights, Span<float> feedback, RandomGenerator random)
        : this(name, shape, DeviationOf(name, shape, feedback.Length), weights, feedback, random)
    {
        ArgumentNullException.ThrowIfNull(random);
        Scale = 1;
    }

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
    public WeightInitialization Initialization { get; init; }

    /// <summary>
    /// σ: the standard deviation of <see cref="Initialization"/> for this layer, by default √(2/(fan-in + fan-out)), times the feedback scale
    /// chosen.
    /// </summary>
    public float StandardDeviation { get; init; }

    /// <summary>The feedback scale chosen, which <see cref="StandardDeviation"/> already contains.</summary>
    public float Scale { get; init; }

    /// <summary>The layer's forward weights as they are now; in the layout of <see cref="Feedback"/> for a layer-wise rule.</summary>
    public ReadOnlySpan<float> Weights { get; }

    /// <summary>The feedback weights, to be written.</summary>
    public Span<float> Feedback { get; }

    /// <summary>
    /// What the rule keeps for this layer from call to call, to be written; 0 at first. As long as
    /// <see cref="RuleWithFeedbackWeights.MemoryLength"/> says.
    /// </summary>
    public Span<float> Memory { get; init; }

    /// <summary>
    /// What the step added to <see cref="Weights"/>, the optimiser's decay included; empty unless <see cref="StepSignals.Update"/> was asked for.
    /// </summary>
    public ReadOnlySpan<float> Update { get; init; }

    /// <summary>The share of themselves that the step's decay took from the weights: rate × weight decay (with momentum over 1 − momentum).</summary>
    public float Decay { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public float LearningRate { get; init; }

    /// <summary>Examples in the step's mini-batch.</summary>
    public int Rows { get; init; }

    /// <summary>
    /// What the layer was given, <see cref="Rows"/> × its inputs (of a layer that is used more than once, the sum); empty unless
    /// <see cref="StepSignals.Activations"/> was asked for.
    /// </summary>
    public ReadOnlySpan<float> Activations { get; init; }

    /// <summary>
    /// ∂L/∂(output) of the mean loss, <see cref="Rows"/> × outputs of the network; empty unless <see cref="StepSignals.Activations"/> was asked for.
    /// </summary>
    public ReadOnlySpan<float> OutputErrors { get; init; }

    /// <summary>The stream of random numbers for feedback weights, derived from the training's seed.</summary>
    public RandomGenerator Random { get; }

    /// <summary>Lets a rule draw <see cref="Feedback"/>, as a training does before its first step. For tests of rules.</summary>
    /// <param name="rule">The rule.</param>
    /// <exception cref="ArgumentNullException"><paramref name="rule"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The layer lacks what the rule uses: it says which property must be set.</exception>
    public void Draw(RuleWithFeedbackWeights rule) => Tell(rule, FeedbackMoment.Start);

    /// <summary>Lets a rule refresh <see cref="Feedback"/>, as a training does after each update. For tests of rules.</summary>
    /// <inheritdoc cref="Draw"/>
    public void Refresh(RuleWithFeedbackWeights rule) => Tell(rule, FeedbackMoment.Step);

    /// <summary>Lets a rule adapt <see cref="Feedback"/>, as a training does after each epoch. For tests of rules.</summary>
    /// <inheritdoc cref="Draw"/>
    public void EndEpoch(RuleWithFeedbackWeights rule) => Tell(rule, FeedbackMoment.Epoch);

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

    private void Tell(RuleWithFeedbackWeights rule, FeedbackMoment moment)
    {
        ArgumentNullException.ThrowIfNull(rule);
        if (rule is LayerwiseFeedbackRule && Weights.Length != Feedback.Length)
            throw Lacks(nameof(Weights), Feedback.Length, Weights.Length);
        if (rule.MemoryLength(Shape) is var memory && Memory.Length != memory)
            throw Lacks(nameof(Memory), memory, Memory.Length);
        bool isStep = moment == FeedbackMoment.Step;
        if (isStep && rule.Signals.HasFlag(StepSignals.Update) && Update.Length != Weights.Length)
            throw Lacks(nameof(Update), Weights.Length, Update.Length);
        if (isStep && rule.Signals.HasFlag(StepSignals.Activations) && (Rows < 1 || Activations.Length == 0 || OutputErrors.Length == 0
            || Activations.Length % Rows != 0 || OutputErrors.Length % Rows != 0))
            throw new InvalidOperationException($"The rule '{rule.ShortName}' asks for activations. Set Rows, Activations and OutputErrors of the "
                + $"layer '{Name}': rows × inputs and rows × outputs; found {Rows} rows, {Activations.Length} and {OutputErrors.Length} numbers.");
        rule.Update(this, moment);
    }

    private InvalidOperationException Lacks(string property, int expected, int found) =>
        new($"The layer '{Name}' must have {expected} numbers in {property} for this rule; found {found}. Set {property}.");

    private static float DeviationOf(string name, IReadOnlyList<int> shape, int length)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(shape);
        if (shape.Count < 2 || shape.Any(size => size < 1))
            throw new ArgumentException($"Argument shape: must have two numbers or more, each at least 1; found [{string.Join(", ", shape)}].",
                nameof(shape));
        long expected = shape.Aggregate(1L, (product, size) => product * size), kernel = expected / shape[0] / shape[1];
        if (expected != length)
            throw OptionError.Argument("feedback", $"must have {expected} numbers, {string.Join(" × ", shape)}; found {length}.");
        return MathF.Sqrt(2f / (kernel * ((long)shape[0] + shape[1])));
    }
}
