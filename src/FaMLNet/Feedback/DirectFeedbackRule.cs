namespace FaMLNet;

/// <summary>
/// A rule that sends the output's error e = ∂L/∂(output) straight to each layer through weights B_i (outputs × inputs of the
/// layer above): δ_i = B_iᵀ e ⊙ f′. Derive from it for a rule of your own.
/// </summary>
/// <remarks>What <see cref="LayerwiseFeedbackRule"/> says about rules of one's own holds here too.</remarks>
public abstract class DirectFeedbackRule : FeedbackRule
{
    private bool? _refreshes;

    /// <summary>Draws the feedback weights for the input of one layer, once, after the initial weights are drawn and before the first step.</summary>
    /// <param name="layer">The layer whose input receives the error; write <see cref="FeedbackLayer.Feedback"/>.</param>
    protected abstract void Draw(FeedbackLayer layer);

    /// <summary>Adapts the feedback weights after an update of the forward weights. The default leaves them as they are.</summary>
    /// <param name="layer">The layer; <see cref="FeedbackLayer.Feedback"/> holds what the last call left there.</param>
    protected virtual void Refresh(FeedbackLayer layer) { }

    internal sealed override bool Refreshes => _refreshes ??= OverridesRefresh(typeof(DirectFeedbackRule));

    internal sealed override void Update(FeedbackLayer layer, bool first)
    {
        if (first)
            Draw(layer);
        else
            Refresh(layer);
    }
}
