namespace FaMLNet;

/// <summary>
/// What the open bases share: <see cref="LayerwiseFeedbackRule"/>, <see cref="DirectFeedbackRule"/> and <see cref="InputModulationRule"/>. They
/// differ in the shape of the feedback weights and in what the weights carry; how weights are drawn and how they change is told here.
/// </summary>
/// <remarks>
/// A rule of one's own derives from one of the three. For its models to be trained further or described by name after loading, put
/// <see cref="CustomFeedbackRuleAttribute"/> on it, give it a public parameterless constructor and call
/// <c>mlContext.ComponentCatalog.RegisterAssembly</c>. Keep no state of a training in it, one object serves many trainings:
/// store state between calls in <see cref="FeedbackLayer.Feedback"/> and <see cref="FeedbackLayer.Memory"/>, which checkpoints and
/// models keep.
/// </remarks>
public abstract class RuleWithFeedbackWeights : FeedbackRule
{
    private bool? _refreshes, _works;

    private protected RuleWithFeedbackWeights() { }

    /// <summary>Draws a layer's feedback weights, once, after the initial weights are drawn and before the first step.</summary>
    /// <param name="layer">The layer; write <see cref="FeedbackLayer.Feedback"/>.</param>
    protected abstract void Draw(FeedbackLayer layer);

    /// <summary>Adapts a layer's feedback weights after an update of the forward weights. The default leaves them as they are.</summary>
    /// <param name="layer">The layer; <see cref="FeedbackLayer.Feedback"/> holds what the last call left there.</param>
    protected virtual void Refresh(FeedbackLayer layer) { }

    /// <summary>
    /// Adapts a layer's feedback weights after the last step of an epoch, while no data is seen. The default leaves them as they are.
    /// </summary>
    /// <param name="layer">The layer; without what belongs to a step: <see cref="FeedbackLayer.Update"/> and the activations are empty.</param>
    protected virtual void EndEpoch(FeedbackLayer layer) { }

    /// <summary>What <see cref="Refresh"/> wants to see of the step; each costs a pass over memory.</summary>
    /// <value>Default: <see cref="StepSignals.None"/>.</value>
    protected internal virtual StepSignals Signals => StepSignals.None;

    /// <summary>How many numbers the rule keeps for a layer beside its feedback weights, as <see cref="FeedbackLayer.Memory"/>.</summary>
    /// <param name="shape">The shape of the layer's feedback weights.</param>
    /// <returns>0 or more. The default is 0.</returns>
    protected internal virtual int MemoryLength(IReadOnlyList<int> shape) => 0;

    internal sealed override bool Refreshes => _refreshes ??= Overrides(nameof(Refresh));

    /// <summary>Whether the feedback weights change between epochs.</summary>
    internal bool WorksBetweenEpochs => _works ??= Overrides(nameof(EndEpoch));

    internal sealed override void Update(FeedbackLayer layer, FeedbackMoment moment)
    {
        switch (moment)
        {
            case FeedbackMoment.Start:
                Draw(layer);
                break;
            case FeedbackMoment.Step:
                Refresh(layer);
                break;
            default:
                EndEpoch(layer);
                break;
        }
    }

    private bool Overrides(string method) =>
        GetType().GetMethod(method, System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic,
            [typeof(FeedbackLayer)])!.DeclaringType != typeof(RuleWithFeedbackWeights);
}

/// <summary>When a rule is asked for feedback weights.</summary>
internal enum FeedbackMoment
{
    /// <summary>Before the first step.</summary>
    Start,

    /// <summary>After an update.</summary>
    Step,

    /// <summary>After an epoch.</summary>
    Epoch,
}
