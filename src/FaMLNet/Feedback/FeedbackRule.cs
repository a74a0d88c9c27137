namespace FaMLNet;

/// <summary>How the error of the output travels back to the layers below.</summary>
/// <remarks>
/// The six rules of the literature are static members. A rule of one's own derives from <see cref="LayerwiseFeedbackRule"/> or
/// <see cref="DirectFeedbackRule"/>. Rules hold no state of a training and can be shared freely between trainings and threads.
/// </remarks>
public abstract class FeedbackRule
{
    private protected FeedbackRule() { }

    /// <summary>Error through the transposed forward weights: plain backpropagation (BP), for comparison.</summary>
    public static FeedbackRule Backpropagation { get; } = new BackpropagationRule();

    /// <summary>Error through fixed random weights, layer by layer (FA; Lillicrap et al. 2016).</summary>
    public static FeedbackRule FeedbackAlignment { get; } = new FeedbackAlignmentRule();

    /// <summary>Error of the output straight to every layer through fixed random weights (DFA; Nøkland 2016).</summary>
    public static FeedbackRule DirectFeedbackAlignment { get; } = new DirectFeedbackAlignmentRule();

    /// <summary>Error through weights of one magnitude and the forward weights' signs (uSF; Liao et al. 2016).</summary>
    public static FeedbackRule UniformSignConcordant { get; } = new UniformSignConcordantRule();

    /// <summary>Error through the forward weights' signs with magnitudes redrawn after every update (brSF; Liao et al. 2016).</summary>
    public static FeedbackRule BatchwiseRandomSignConcordant { get; } = new BatchwiseRandomSignConcordantRule();

    /// <summary>Error through the forward weights' signs with fixed random magnitudes (frSF; Liao et al. 2016).</summary>
    public static FeedbackRule FixedRandomSignConcordant { get; } = new FixedRandomSignConcordantRule();

    /// <summary>The six rules that come with the library: BP, FA, DFA, uSF, brSF, frSF.</summary>
    public static IReadOnlyList<FeedbackRule> All { get; } =
    [
        Backpropagation, FeedbackAlignment, DirectFeedbackAlignment, UniformSignConcordant, BatchwiseRandomSignConcordant, FixedRandomSignConcordant,
    ];

    /// <summary>The name in full, for people.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// The short name by which the rule is parsed and saved: <c>bp</c>, <c>fa</c>, <c>dfa</c>, <c>usf</c>, <c>brsf</c>, <c>frsf</c>, or, for
    /// a rule of one's own, the name in its <see cref="CustomFeedbackRuleAttribute"/>.
    /// </summary>
    public abstract string ShortName { get; }

    /// <summary>The settings with which the rule learns well when the user chooses nothing.</summary>
    public virtual RuleDefaults Defaults { get; } = new();

    /// <summary>Finds one of the six rules by its short name.</summary>
    /// <param name="shortName"><c>bp</c>, <c>fa</c>, <c>dfa</c>, <c>usf</c>, <c>brsf</c> or <c>frsf</c>, in any case.</param>
    /// <exception cref="ArgumentNullException"><paramref name="shortName"/> is null.</exception>
    /// <exception cref="ArgumentException">No rule has that name.</exception>
    public static FeedbackRule Parse(string shortName)
    {
        ArgumentNullException.ThrowIfNull(shortName);
        return All.FirstOrDefault(rule => rule.ShortName.Equals(shortName.Trim(), StringComparison.OrdinalIgnoreCase))
            ?? throw new ArgumentException(
                $"Unknown feedback rule '{shortName}'. Expected one of: {string.Join(", ", All.Select(rule => rule.ShortName))}. "
                + "A rule of your own is passed as an object, not by name.", nameof(shortName));
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Whether the feedback weights change after they are drawn.</summary>
    internal virtual bool Refreshes => false;

    /// <summary>Refreshes a layer's feedback weights where they are, on a device; false if the rule can only do so on the host.</summary>
    /// <param name="weights">The layer's forward weights.</param>
    /// <param name="feedback">Its feedback weights, of the same shape; written to.</param>
    /// <param name="standardDeviation">σ, the scale included.</param>
    internal virtual bool TryRefreshOnDevice(TorchSharp.torch.Tensor weights, TorchSharp.torch.Tensor feedback, float standardDeviation) => false;

    /// <summary>Whether a class overrides the Refresh of the base that it derives from.</summary>
    private protected bool OverridesRefresh(Type @base) =>
        GetType().GetMethod("Refresh", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic,
            [typeof(FeedbackLayer)])!.DeclaringType != @base;

    /// <summary>Draws (first) or refreshes a layer's feedback weights; nothing for a rule that has none.</summary>
    internal virtual void Update(FeedbackLayer layer, bool first) { }
}
