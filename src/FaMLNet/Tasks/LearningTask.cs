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

    /// <summary>Between the network's output and the label.</summary>
    public virtual TargetScale Target => TargetScale.None;

    /// <summary>The name of the measure that users follow beside the loss.</summary>
    public virtual string Measure => "accuracy";

    /// <summary>A new loss. It keeps buffers, so each network has its own.</summary>
    public abstract TrainingLoss CreateLoss();

    /// <summary>This task for a training from random weights.</summary>
    /// <param name="targets">Mean and deviation of the training rows' labels.</param>
    public virtual LearningTask For(TargetMoments targets) => this;

    /// <summary>This task for a training that goes on from a model.</summary>
    /// <param name="target">The model's.</param>
    /// <exception cref="ArgumentException">The model's outputs mean something else.</exception>
    public virtual LearningTask Continuing(TargetScale target) => this;

    /// <summary>The label in words, as checkpoints compare it.</summary>
    /// <param name="classes">The number of classes.</param>
    public abstract string DescribeLabel(int classes);

    /// <summary>Share of rows that were right, between 0 and 1; null where a row is not right or wrong.</summary>
    public virtual double? AccuracyOf(long correct, long count) => (double)correct / count;

    /// <summary>Root of the mean squared distance in the label's units; null for classes.</summary>
    /// <param name="squares">Σ weight·(prediction − label)².</param>
    /// <param name="weight">Σ weight.</param>
    public virtual double? ErrorOf(double squares, double weight) => null;

    /// <summary>The measure named by <see cref="Measure"/>.</summary>
    public virtual double MeasureOf(EpochMetrics metrics) => metrics.Accuracy ?? double.NaN;
}
