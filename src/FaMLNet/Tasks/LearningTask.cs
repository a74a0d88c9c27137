using FaMLNet.Tasks.Labels;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Tasks;

/// <summary>
/// Carries all that tells one task from another: the kind of label, the loss, the scale of the target and the measures. Immutable. Rows, loop, state
/// and measurements ask it instead of asking which task it is.
/// </summary>
internal abstract class LearningTask
{
    /// <summary>The kind of label.</summary>
    public abstract LabelKind Label { get; }

    /// <summary>The least number that a label may be.</summary>
    public virtual float LeastLabel => float.NegativeInfinity;

    /// <summary>Between the network's outputs and the labels: one per output of a regression, else one that changes nothing.</summary>
    public virtual IReadOnlyList<TargetScale> Targets => TargetScale.Unscaled;

    /// <summary>The name of the measure that users follow beside the loss.</summary>
    public virtual string Measure => "accuracy";

    /// <summary>A new loss. It keeps buffers, so each network has its own.</summary>
    public abstract TrainingLoss CreateLoss();

    /// <summary>This task for a training from random weights.</summary>
    /// <param name="targets">Mean and deviation of the training rows' labels, as many as a label has values.</param>
    public virtual LearningTask For(TargetMoments targets) => this;

    /// <summary>This task for a training that goes on from a model.</summary>
    /// <param name="targets">The model's.</param>
    /// <exception cref="ArgumentException">The model's outputs mean something else.</exception>
    public virtual LearningTask Continuing(IReadOnlyList<TargetScale> targets) => this;

    /// <summary>The label in words, as checkpoints compare it.</summary>
    /// <param name="outputs">Outputs of the network: the number of classes, of numbers or of labels.</param>
    public abstract string DescribeLabel(int outputs);

    /// <summary>Share of rows (of several labels: of labels) that were right, between 0 and 1; null where they are not right or wrong.</summary>
    /// <param name="correct">Rows, or labels, that were right.</param>
    /// <param name="count">Rows.</param>
    public virtual double? AccuracyOf(long correct, long count) => (double)correct / count;

    /// <summary>Root of the mean squared distance in the label's units (of several numbers: in standard deviations); null for classes.</summary>
    /// <param name="squares">Σ weight·(prediction − label)².</param>
    /// <param name="weight">Σ weight.</param>
    public virtual double? ErrorOf(double squares, double weight) => null;

    /// <summary>The measure named by <see cref="Measure"/>.</summary>
    public virtual double MeasureOf(EpochMetrics metrics) => metrics.Accuracy ?? double.NaN;
}
