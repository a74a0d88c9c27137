using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Kernels;
using FaMLNet.Diagnostics;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Computing;

/// <summary>
/// A network in training: flat parameters, feedback weights, and the gradient of a mini-batch. Derived classes compute the gradient:
/// <see cref="Dense.DenseChain"/> without autograd for dense chains, <see cref="Graph.GraphNetwork"/> for layers as data,
/// <see cref="Modules.AutogradNetwork"/> for modules of the user's own and for other devices. The update is a training's.
/// </summary>
internal abstract class TrainingNetwork : IDisposable, IMeasuredTraining
{
    private FloatBuffer? _comparison;

    /// <param name="layout">The network.</param>
    /// <param name="plan">Decides weights and gradient.</param>
    /// <param name="dropout">The stream of its dropout; null for one of its own.</param>
    protected TrainingNetwork(NetworkLayout layout, GradientPlan plan, RandomGenerator? dropout = null)
    {
        Layout = layout;
        Plan = plan;
        Loss = plan.Task.CreateLoss();
        Dropout = dropout ?? new RandomGenerator(plan.Seed, "dropout");
        Weights = new FloatBuffer(layout.ParameterLength);
        Statistics = new FloatBuffer(layout.StatisticsLength);
        Gradient = new FloatBuffer(layout.ParameterLength);
        WeightDraw.Fill(layout, Weights.Span, Statistics.Span, plan.InitialWeightScale, new RandomGenerator(plan.Seed, "initial weights"));
        Feedback = new FeedbackWeights(plan.Rule, layout, plan.FeedbackScale, new RandomGenerator(plan.Seed, "feedback weights"),
            plan.FeedbackInitialization);
        Feedback.Draw(Weights);
    }

    public NetworkLayout Layout { get; }

    public FloatBuffer Weights { get; }

    /// <summary>Running mean and variance of batch normalisation.</summary>
    public FloatBuffer Statistics { get; }

    /// <summary>The rule's gradient of the last batch.</summary>
    public FloatBuffer Gradient { get; }

    public FeedbackWeights Feedback { get; }

    public RandomGenerator Dropout { get; }

    /// <summary>The stream for augmentation; null without any.</summary>
    public virtual RandomGenerator? AugmentationRandom => null;

    /// <summary>What the training minimises.</summary>
    public TrainingLoss Loss { get; }

    /// <summary>What the gradient depends on.</summary>
    protected GradientPlan Plan { get; }

    /// <summary>Watches the activations of the gradients that are computed; null where no one asks.</summary>
    public virtual UnitActivity? Activity { get; set; }

    /// <summary>Told when each phase of a step ends; null outside benchmarks.</summary>
    public StepClock? Clock { get; set; }

    /// <summary>The features of the batch at hand, where only their weights have a gradient; null where all weights have.</summary>
    public virtual ActiveFeatures? Active => null;

    /// <summary>Whether libtorch's own way is wrong for the whole network on this machine, so that it takes a slower one.</summary>
    public virtual bool IsRerouted => false;

    IReadOnlyList<string> IMeasuredTraining.LayerNames => Layout.WeightedLayers.ConvertAll(layer => layer.Name);

    ErrorRoute IMeasuredTraining.Route => Feedback.Route;

    (int Outputs, int Inputs)? IMeasuredTraining.MatrixOf(int layer) => Layout.MatrixOf(layer);

    ReadOnlySpan<float> IMeasuredTraining.WholeGradient => Gradient.Span;

    ReadOnlySpan<float> IMeasuredTraining.WholeBackpropagationGradient => _comparison is { } comparison ? comparison.Span : [];

    ReadOnlySpan<float> IMeasuredTraining.WeightsOf(int layer) => Layout.LayerOf(layer, Weights.Span);

    ReadOnlySpan<float> IMeasuredTraining.FeedbackOf(int layer) => Feedback.Slices[layer] is { } slice
        ? slice.In((ReadOnlySpan<float>)Feedback.Buffer.Span) : [];

    ReadOnlySpan<float> IMeasuredTraining.GradientOf(int layer) => Layout.LayerOf(layer, Gradient.Span);

    void IMeasuredTraining.ComputeBackpropagationGradient() => ComputeBackpropagationGradient();

    ReadOnlySpan<float> IMeasuredTraining.BackpropagationGradientOf(int layer) =>
        _comparison is { } comparison ? Layout.LayerOf(layer, comparison.Span) : [];

    /// <summary>Forward and backward by the rule, leaving the gradient in <see cref="Gradient"/>.</summary>
    public abstract BatchResult ComputeGradient(TrainingData data, ReadOnlySpan<int> rows);

    /// <summary>
    /// Loss and accuracy on rows as prediction sees them: running statistics, no dropout, no augmentation, no smoothing. Changes nothing.
    /// </summary>
    /// <param name="data">Holds the rows.</param>
    /// <param name="rows">At most a mini-batch of them.</param>
    /// <param name="k">How many of the likeliest classes count as a hit for the top-k accuracy.</param>
    public abstract EvaluationResult Evaluate(TrainingData data, ReadOnlySpan<int> rows, int k);

    /// <summary>What steps have added up elsewhere than in their results since this was last asked: nothing on the host.</summary>
    public virtual BatchResult TakeTotals() => default;

    /// <summary>Brings the host's buffers up to date, where the network lives on another device.</summary>
    public virtual void Download() { }

    /// <summary>Brings the network up to date after the host's buffers have been written to, where it lives on another device.</summary>
    public virtual void Upload() { }

    /// <summary>What backpropagation's gradient for the batch of the last <see cref="ComputeGradient"/> would be.</summary>
    public FloatBuffer ComputeBackpropagationGradient()
    {
        _comparison ??= new FloatBuffer(Layout.ParameterLength);
        ComputeBackpropagationGradient(_comparison);
        return _comparison;
    }

    public void Dispose()
    {
        DisposeNetwork();
        _comparison?.Dispose();
        Feedback.Dispose();
        Gradient.Dispose();
        Statistics.Dispose();
        Weights.Dispose();
    }

    /// <summary>Copies what a forward pass changes beside dropout's stream.</summary>
    /// <returns>Puts it back.</returns>
    internal virtual Action KeepStatistics()
    {
        float[] statistics = Statistics.Span.ToArray();
        return () => statistics.CopyTo(Statistics.Span);
    }

    protected abstract void ComputeBackpropagationGradient(FloatBuffer gradient);

    /// <summary>Frees what the derived class holds.</summary>
    protected abstract void DisposeNetwork();
}
