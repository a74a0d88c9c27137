using FaMLNet.Tasks.Labels;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Tasks;

/// <summary>Several numbers at once. The loss of a row is the sum of its outputs' losses; a number that is not known adds nothing.</summary>
/// <param name="loss">What is minimised of each output; not logarithmic.</param>
/// <param name="targets">Between each output and its number; null before the rows are known.</param>
internal sealed class VectorRegressionTask(RegressionLoss loss, IReadOnlyList<TargetScale>? targets = null) : LearningTask
{
    public override LabelKind Label => LabelKind.Numbers;

    public override IReadOnlyList<TargetScale> Targets { get; } = targets ?? TargetScale.Unscaled;

    public override string Measure => "RMSE";

    public override TrainingLoss CreateLoss() => ManyOutputsLoss.OfNumbers(loss, Targets);

    public override LearningTask For(TargetMoments targets) =>
        new VectorRegressionTask(loss, [.. Enumerable.Range(0, targets.Width).Select(target => targets.Scale(target, isLogarithmic: false))]);

    public override LearningTask Continuing(IReadOnlyList<TargetScale> targets) => new VectorRegressionTask(loss, targets);

    public override string DescribeLabel(int outputs) => $"{outputs} numbers to predict by the loss {loss}";

    public override double? AccuracyOf(long correct, long count) => null;

    public override double? ErrorOf(double squares, double weight) => Math.Sqrt(weight > 0 ? squares / weight : squares);

    public override double MeasureOf(EpochMetrics metrics) => metrics.RootMeanSquaredError ?? double.NaN;
}
