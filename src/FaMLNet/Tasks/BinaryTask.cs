using FaMLNet.Tasks.Labels;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Tasks;

/// <summary>True or false.</summary>
internal sealed class BinaryTask : LearningTask
{
    public override LabelKind Label => LabelKind.Boolean;

    public override TrainingLoss CreateLoss() => new LogisticLoss();

    public override string DescribeLabel(int outputs) => "a Boolean label";
}
