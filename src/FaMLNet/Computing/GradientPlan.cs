using FaMLNet.Tasks;
using static TorchSharp.torch;

namespace FaMLNet.Computing;

/// <summary>All that decides a network's initial weights and its gradient. Nothing of it changes during a training.</summary>
/// <param name="Task">What the network learns.</param>
/// <param name="Rule">How the error travels back.</param>
internal sealed record GradientPlan(LearningTask Task, FeedbackRule Rule)
{
    /// <summary>Factor on the initial weights of every layer but the first.</summary>
    public float InitialWeightScale { get; init; } = 1;

    /// <summary>Factor on the feedback weights.</summary>
    public float FeedbackScale { get; init; } = 1;

    /// <summary>The distribution of the feedback weights.</summary>
    public WeightInitialization FeedbackInitialization { get; init; } = WeightInitialization.XavierUniform;

    /// <summary>Of initial weights, feedback weights, dropout and augmentation.</summary>
    public int Seed { get; init; }

    /// <summary>Share of the target that goes to all classes alike (Szegedy et al. 2016).</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>Bound on every value of the error at every layer; null for none.</summary>
    public float? ErrorLimit { get; init; }

    /// <summary>How images are changed while training; null for not at all.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>The device that computes; null for the host's processor.</summary>
    public Device? Device { get; init; }

    /// <summary>Called while a network is prepared, which may take long; throws to stop.</summary>
    public Action CheckCancelled { get; init; } = () => { };
}
