using FaMLNet.Tasks.Labels;

namespace FaMLNet.Tasks.Losses;

/// <summary>A regression's loss: labels are the bits of numbers (<see cref="LabelKind.Number"/>).</summary>
internal sealed class TargetLoss(RegressionLoss loss, TargetScale scale) : SingleOutputLoss
{
    internal override RowLoss At(float z, int label, float smoothing)
    {
        float target = LabelBits.ToNumber(label);
        double t = scale.Standardize(target), distance = (double)scale.Restore(z) - target;
        return new RowLoss(loss.At(z, t), loss.SlopeAt(z, t), false, distance * distance);
    }
}
