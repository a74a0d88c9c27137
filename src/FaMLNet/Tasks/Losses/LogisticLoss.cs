namespace FaMLNet.Tasks.Losses;

/// <summary>The cross-entropy of a logit: ln(1 + e^z) − y·z, y being 1 for true.</summary>
internal sealed class LogisticLoss : SingleOutputLoss
{
    internal override RowLoss At(float z, int label, float smoothing)
    {
        double y = label * (1 - (double)smoothing) + smoothing / 2.0;
        // Of −|z|, so that neither exponential nor logarithm runs out of numbers.
        double tail = Math.Exp(-Math.Abs((double)z)), loss = Math.Max(z, 0) + Math.Log(1 + tail) - y * z;
        double probability = z >= 0 ? 1 / (1 + tail) : tail / (1 + tail);
        return new RowLoss(loss, double.IsNaN(z) ? double.NaN : probability - y, z > 0 == (label == 1), 0);
    }
}
