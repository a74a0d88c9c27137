using FaMLNet.Tasks.Labels;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Tasks;

/// <summary>One of several classes.</summary>
internal sealed class MulticlassTask : LearningTask
{
    public override LabelKind Label => LabelKind.Class;

    public override TrainingLoss CreateLoss() => new CrossEntropyLoss();

    public override string DescribeLabel(int outputs) => $"{outputs} classes";
}
