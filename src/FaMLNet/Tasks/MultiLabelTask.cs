using FaMLNet.Tasks.Labels;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Tasks;

/// <summary>Several labels at once, each true or false. The loss of a row is the sum of its labels' cross-entropies.</summary>
/// <param name="labels">How many; 0 before the rows are known.</param>
internal sealed class MultiLabelTask(int labels = 0) : LearningTask
{
    public override LabelKind Label => LabelKind.Booleans;

    public override IReadOnlyList<TargetScale> Targets { get; } = [.. Enumerable.Repeat(TargetScale.None, labels)];

    public override TrainingLoss CreateLoss() => ManyOutputsLoss.OfLabels(labels);

    public override LearningTask For(TargetMoments targets) => new MultiLabelTask(targets.Width);

    public override LearningTask Continuing(IReadOnlyList<TargetScale> targets) => new MultiLabelTask(targets.Count);

    public override string DescribeLabel(int outputs) => $"{outputs} labels";

    public override double? AccuracyOf(long correct, long count) => (double)correct / count / labels;
}
