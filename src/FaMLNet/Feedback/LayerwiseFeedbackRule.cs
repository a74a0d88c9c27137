namespace FaMLNet;

/// <summary>
/// A rule that sends the error from each layer to the one below through weights B of the shape of the forward weights W:
/// δ_i = B_{i+1}ᵀ δ_{i+1} ⊙ f′. Derive from it for a rule of your own.
/// </summary>
/// <remarks>
/// A derived class says how B is drawn and, if it changes in training, how it is refreshed. For its models to be trained further or
/// described by name after loading, put <see cref="CustomFeedbackRuleAttribute"/> on it, give it a public parameterless constructor
/// and call <c>mlContext.ComponentCatalog.RegisterAssembly</c>. Keep no state of a training in it: one object serves many trainings.
/// </remarks>
public abstract class LayerwiseFeedbackRule : FeedbackRule
{
    private bool? _refreshes;

    /// <summary>Draws a layer's feedback weights, once, after the initial weights are drawn and before the first step.</summary>
    /// <param name="layer">The layer; write <see cref="FeedbackLayer.Feedback"/>.</param>
    protected abstract void Draw(FeedbackLayer layer);

    /// <summary>Adapts a layer's feedback weights after an update of the forward weights. The default leaves them as they are.</summary>
    /// <param name="layer">The layer; <see cref="FeedbackLayer.Feedback"/> holds what the last call left there.</param>
    protected virtual void Refresh(FeedbackLayer layer) { }

    internal sealed override bool Refreshes => _refreshes ??= OverridesRefresh(typeof(LayerwiseFeedbackRule));

    internal sealed override void Update(FeedbackLayer layer, bool first)
    {
        if (first)
            Draw(layer);
        else
            Refresh(layer);
    }
}
