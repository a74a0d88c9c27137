namespace FaMLNet;

/// <summary>What the attacker of a white-box attack differentiates.</summary>
public enum ThreatModel
{
    /// <summary>The network itself: the attacker knows its weights and has the true gradient of its input.</summary>
    TrueGradient,

    /// <summary>
    /// The network as it learnt: the error travels down through the rule's feedback weights, for direct rules by their projection to the first
    /// hidden layer. It is not the gradient of anything; a network that withstands it is not robust for that. By backpropagation both are the
    /// same. The first layer has no feedback weights, since learning needs none there: the error passes its forward weights.
    /// </summary>
    FeedbackGradient,
}
