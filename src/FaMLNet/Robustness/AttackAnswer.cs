namespace FaMLNet;

/// <summary>What the network says of an input that an attack has asked about. Valid until the row's next question.</summary>
public sealed class AttackAnswer
{
    private readonly float[] _logits, _gradient;

    internal AttackAnswer(int classes, int features) => (_logits, _gradient) = (new float[classes], new float[features]);

    /// <summary>
    /// One per class. Of a model of another kind than FaMLNet's the logarithms of its scores where those are probabilities, else its scores.
    /// </summary>
    public ReadOnlySpan<float> Logits => _logits;

    /// <summary>
    /// ∂loss/∂input by the threat model, one per feature, up to a positive factor (<see cref="AttackLoss"/>); 0 where the network has no number
    /// for it. Only after <see cref="AttackedRow.Differentiate"/>.
    /// </summary>
    public ReadOnlySpan<float> Gradient => _gradient;

    /// <summary>The loss; only after <see cref="AttackedRow.Differentiate"/>.</summary>
    public double Loss { get; internal set; }

    /// <summary>The class that the model sees, from 0.</summary>
    public int Predicted { get; internal set; }

    /// <summary>
    /// Whether the model is fooled: it sees another class than the row's, by its own scores. Within bound and range if what was asked about is.
    /// With a surrogate: whether the surrogate is.
    /// </summary>
    public bool Fools { get; internal set; }

    internal Span<float> LogitsToWrite => _logits;

    internal Span<float> GradientToWrite => _gradient;
}
