using FaMLNet.Training;

namespace FaMLNet;

/// <summary>What the trainers of classifiers have to choose beside what all have.</summary>
public abstract class FeedbackAlignmentClassifierOptions : FeedbackAlignmentOptions
{
    private protected FeedbackAlignmentClassifierOptions() { }

    /// <summary>
    /// Share of the target that goes to all classes alike instead of the label's (Szegedy et al. 2016, "Rethinking the Inception
    /// architecture").
    /// </summary>
    /// <value>Range: 0 or more and below 1. Default: 0.</value>
    public float LabelSmoothing { get; set; }

    /// <summary>How much each class counts, beside example weights.</summary>
    /// <value>Default: null, every row alike.</value>
    public ClassWeights? ClassWeights { get; set; }

    internal override void Validate()
    {
        base.Validate();
        Check(LabelSmoothing >= 0 && LabelSmoothing < 1, nameof(LabelSmoothing), LabelSmoothing, "0 or more and below 1, for example 0.1");
        ClassWeights?.Validate();
    }

    private protected override TrainingRequest Fill(TrainingRequest request) =>
        base.Fill(request) with { LabelSmoothing = LabelSmoothing, ClassWeights = ClassWeights };
}
