namespace FaMLNet;

/// <summary>
/// How the error reaches a layer, and so what a rule's feedback weights connect. Everything that follows from the kind of a rule is said here; the
/// networks ask it and never ask for a rule's class.
/// </summary>
internal sealed class ErrorRoute
{
    private ErrorRoute(FeedbackKind kind) => Kind = kind;

    /// <summary>From layer to layer through the forward weights: backpropagation.</summary>
    public static ErrorRoute Backpropagation { get; } = new(FeedbackKind.None);

    /// <summary>From layer to layer through feedback weights.</summary>
    public static ErrorRoute Layerwise { get; } = new(FeedbackKind.Layerwise) { ReplacesWeights = true };

    /// <summary>From the output straight to each layer.</summary>
    public static ErrorRoute Direct { get; } = new(FeedbackKind.Direct) { StartsAtOutput = true };

    /// <summary>Not at all: a second forward pass of a changed input takes its place.</summary>
    public static ErrorRoute Modulation { get; } = new(FeedbackKind.Modulation) { RunsTwice = true };

    /// <summary>The kind, as files and measurements name it.</summary>
    public FeedbackKind Kind { get; }

    /// <summary>Whether feedback weights stand in for the forward weights on the way down.</summary>
    public bool ReplacesWeights { get; private init; }

    /// <summary>Whether the output's signal is projected to every layer.</summary>
    public bool StartsAtOutput { get; private init; }

    /// <summary>Whether the network runs a second time, of an input that the error has changed.</summary>
    public bool RunsTwice { get; private init; }

    /// <summary>Whether an error passes from a layer to the one below.</summary>
    public bool PassesLayers => !StartsAtOutput && !RunsTwice;

    /// <summary>Whether rows may stay sparse: a changed input has no zeros.</summary>
    public bool TakesSparseRows => !RunsTwice;

    /// <summary>The route of a kind.</summary>
    public static ErrorRoute Of(FeedbackKind kind) => kind switch
    {
        FeedbackKind.Layerwise => Layerwise,
        FeedbackKind.Direct => Direct,
        FeedbackKind.Modulation => Modulation,
        _ => Backpropagation,
    };

    /// <summary>The shape of a layer's feedback weights; null if it has none.</summary>
    /// <param name="layout">The network.</param>
    /// <param name="layer">The layer's number among those with weights.</param>
    public int[]? ShapeOf(NetworkLayout layout, int layer) => Kind switch
    {
        FeedbackKind.Layerwise when layer >= layout.FirstWithFeedback => layout.WeightedLayers[layer].Weight.Shape,
        FeedbackKind.Direct when layer >= layout.FirstWithFeedback => [layout.Outputs, layout.WeightedLayers[layer].InputLength],
        FeedbackKind.Modulation when layer == 0 => [layout.Outputs, layout.SeenInputs],
        _ => null,
    };

    /// <summary>σ of a layer's feedback weights before any scale.</summary>
    /// <param name="initialization">Their distribution.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="shape">The shape of its feedback weights.</param>
    public float DeviationOf(WeightInitialization initialization, WeightedLayer layer, IReadOnlyList<int> shape) => Kind switch
    {
        FeedbackKind.Layerwise => WeightDraw.StandardDeviation(initialization, layer.FanIn, layer.FanOut),
        FeedbackKind.Direct => WeightDraw.StandardDeviation(initialization, shape[1], shape[0]),
        // They feed the network: as wide as its input is what they come from, not what they go to.
        _ => MathF.Sqrt(2f / shape[1]),
    };
}
