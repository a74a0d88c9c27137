namespace FaMLNet.Robustness;

/// <summary>
/// A network of one output z as one of two classes, whose logits are the threshold, a constant, and z: attacks and their losses know classes
/// alone. Softmax of the two is the logistic function of z − threshold, and the error of z that of the second logit.
/// </summary>
/// <param name="network">The way back from z; owned.</param>
/// <param name="threshold">The score above which the network's word is true.</param>
internal sealed class BinaryInputGradient(InputGradient network, float threshold) : InputGradient
{
    public const int Classes = 2;

    private float[] _logits = [], _errors = [];

    /// <summary>From scores to the logits of both classes.</summary>
    public static void ToLogits(ReadOnlySpan<float> scores, float threshold, Span<float> logits)
    {
        for (int row = 0; row < scores.Length; row++)
            (logits[row * Classes], logits[row * Classes + 1]) = (threshold, scores[row]);
    }

    public override void Run(ReadOnlySpan<float> x, int count, OutputErrors errors, Span<float> gradients) => network.Run(x, count,
        (scores, errorsOfScores) =>
        {
            int length = scores.Length * Classes;
            if (_logits.Length < length)
                (_logits, _errors) = (new float[length], new float[length]);
            ToLogits(scores, threshold, _logits);
            errors(_logits.AsSpan(0, length), _errors.AsSpan(0, length));
            for (int row = 0; row < scores.Length; row++)
                errorsOfScores[row] = _errors[row * Classes + 1];
        }, gradients);

    public override void Dispose() => network.Dispose();
}
