namespace FaMLNet;

/// <summary>How the error of the output travels back to the layers below.</summary>
/// <remarks>
/// The rules of the literature are static members. A rule of one's own derives from <see cref="LayerwiseFeedbackRule"/>,
/// <see cref="DirectFeedbackRule"/> or <see cref="InputModulationRule"/>. Rules hold no state of a training and can be shared freely between
/// trainings and threads.
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

    /// <summary>Error through the forward weights' signs, with the norm of the forward weights (NSS; Xiao et al. 2019).</summary>
    public static FeedbackRule NormalizedSignSymmetry { get; } = new NormalizedSignSymmetryRule();

    /// <summary>Feedback weights that get the forward weights' own updates, both decaying (KP; Akrout et al. 2019).</summary>
    public static FeedbackRule KolenPollack { get; } = new KolenPollackRule();

    /// <summary>Feedback weights that learn from noise between epochs (WM; Akrout et al. 2019).</summary>
    public static FeedbackRule WeightMirror { get; } = new WeightMirrorRule();

    /// <summary>Error through a product of two matrices, with which the forward weights come into line (PFA; Li and Benna 2024).</summary>
    public static FeedbackRule ProductFeedbackAlignment { get; } = new ProductFeedbackAlignmentRule();

    /// <summary>DFA whose weights learn from the output's error and the layer's activations (DKP; Webster et al. 2021).</summary>
    public static FeedbackRule DirectKolenPollack { get; } = new DirectKolenPollackRule();

    /// <summary>The target in the place of the error, through fixed random weights (DRTP; Frenkel et al. 2021).</summary>
    public static FeedbackRule DirectRandomTargetProjection { get; } = new DirectRandomTargetProjectionRule();

    /// <summary>DFA with one output a unit (SDFA; Crafton et al. 2019).</summary>
    public static FeedbackRule SparseDirectFeedbackAlignment { get; } = new SparseDirectFeedbackAlignmentRule();

    /// <summary>A second forward pass of an input that the error has modulated (PEPITA; Dellaferrera and Kreiman 2022).</summary>
    public static FeedbackRule Pepita { get; } = new PepitaRule();

    /// <summary>The rules that come with the library: BP, FA, DFA, uSF, brSF, frSF, NSS, KP, WM, PFA, DKP, DRTP, SDFA, PEPITA.</summary>
    public static IReadOnlyList<FeedbackRule> All { get; } =
    [
        Backpropagation, FeedbackAlignment, DirectFeedbackAlignment, UniformSignConcordant, BatchwiseRandomSignConcordant, FixedRandomSignConcordant,
        NormalizedSignSymmetry, KolenPollack, WeightMirror, ProductFeedbackAlignment, DirectKolenPollack, DirectRandomTargetProjection,
        SparseDirectFeedbackAlignment, Pepita,
    ];

    /// <summary>The name in full, for people.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// The short name by which the rule is parsed and saved: <c>bp</c>, <c>fa</c>, <c>dfa</c>, <c>usf</c>, <c>brsf</c>, <c>frsf</c>, <c>nss</c>,
    /// <c>kp</c>, <c>wm</c>, <c>pfa</c>, <c>dkp</c>, <c>drtp</c>, <c>sdfa</c>, <c>pepita</c>, or, for a rule of one's own, the name in its
    /// <see cref="CustomFeedbackRuleAttribute"/>.
    /// </summary>
    public abstract string ShortName { get; }

    /// <summary>The settings with which the rule learns well when the user chooses nothing.</summary>
    public virtual RuleDefaults Defaults { get; } = new();

    /// <summary>
    /// Factor on the initial weights of every layer but the first, where the user has chosen none. Where activations are normalised, small weights
    /// change nothing on the way up, and on the way down a normalisation magnifies the error by as much as the weights are small: through a
    /// layer-wise rule's feedback weights, where these are not as small, it would grow with every layer. And weights that keep their norms would
    /// stay small for ever.
    /// </summary>
    /// <param name="isNormalized">Whether the network normalises activations.</param>
    /// <param name="feedbackScale">Factor on the feedback weights.</param>
    /// <param name="keepsNorms">Whether weights keep the norms that they start with.</param>
    internal float InitialWeightScaleFor(bool isNormalized, float feedbackScale, bool keepsNorms) => keepsNorms ? 1
        : isNormalized && Route.ReplacesWeights ? Math.Max(Defaults.InitialWeightScale, Math.Min(1, feedbackScale))
        : Defaults.InitialWeightScale;

    /// <summary>Finds one of the library's rules by its short name.</summary>
    /// <param name="shortName">For example <c>dfa</c>, in any case.</param>
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

    /// <summary>How the error reaches a layer.</summary>
    internal virtual ErrorRoute Route => ErrorRoute.Backpropagation;

    /// <summary>Whether the target is sent in the error's place.</summary>
    internal virtual bool SendsTarget => false;

    /// <summary>Whether the feedback weights change after they are drawn.</summary>
    internal virtual bool Refreshes => false;

    /// <summary>Refreshes a layer's feedback weights where they are, on a device; false if the rule can only do so on the host.</summary>
    /// <param name="layer">The layer, on the device.</param>
    internal virtual bool TryRefreshOnDevice(in DeviceLayer layer) => false;

    /// <summary>Draws or adapts a layer's feedback weights; nothing for a rule that has none.</summary>
    internal virtual void Update(FeedbackLayer layer, FeedbackMoment moment) { }
}
