using FaMLNet.Tasks.Labels;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Tasks;

/// <summary>A number.</summary>
/// <param name="loss">What is minimised.</param>
/// <param name="target">Between the network's output and the label.</param>
internal sealed class RegressionTask(RegressionLoss loss, TargetScale? target = null) : LearningTask
{
    public override LabelKind Label => LabelKind.Number;

    // The logarithm of a rate predicts counts.
    public override float LeastLabel => loss.IsLogarithmic ? 0 : float.NegativeInfinity;

    public override IReadOnlyList<TargetScale> Targets { get; } = [target ?? TargetScale.None];

    public override string Measure => "RMSE";

    public override TrainingLoss CreateLoss() => new TargetLoss(loss, Targets[0]);

    public override LearningTask For(TargetMoments targets) => new RegressionTask(loss, targets.Scale(0, loss.IsLogarithmic));

    public override LearningTask Continuing(IReadOnlyList<TargetScale> targets) =>
        targets[0].IsLogarithmic == loss.IsLogarithmic ? new RegressionTask(loss, targets[0])
            : targets[0].IsLogarithmic ? throw OptionError.Invalid("Loss",
                $"the model to continue predicts logarithms of rates; {loss} takes them for numbers. Set RegressionLoss.Poisson.")
            : throw OptionError.Invalid("Loss",
                $"the model to continue predicts numbers; Poisson takes them for logarithms of rates. Set the loss that it was trained by.");

    public override string DescribeLabel(int outputs) => $"a number to predict by the loss {loss}";

    public override double? AccuracyOf(long correct, long count) => null;

    public override double? ErrorOf(double squares, double weight) => Math.Sqrt(weight > 0 ? squares / weight : squares);

    public override double MeasureOf(EpochMetrics metrics) => metrics.RootMeanSquaredError ?? double.NaN;
}
