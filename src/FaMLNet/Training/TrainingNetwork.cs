using FaMLNet.Diagnostics;
using FaMLNet.Training.Losses;
using FaMLNet.Training.Optimizers;

namespace FaMLNet.Training;

/// <summary>
/// What a step reports: Σ weight·loss, Σ weight, correct rows and rows of its batch, and for a regression Σ weight·(prediction − label)².
/// </summary>
internal readonly record struct BatchResult(double Loss, double Weight, int Correct, int Count, double Squares = 0)
{
    public static BatchResult operator +(BatchResult a, BatchResult b) =>
        new(a.Loss + b.Loss, a.Weight + b.Weight, a.Correct + b.Correct, a.Count + b.Count, a.Squares + b.Squares);
}

/// <summary>
/// What rows showed that were not trained on: Σ weight·loss, Σ weight, rows right, rows whose class is among the k likeliest, all rows, and for a
/// regression Σ weight·(prediction − label)².
/// </summary>
internal readonly record struct EvaluationResult(double Loss, double Weight, int Correct, int AmongTop, int Count, double Squares = 0)
{
    public static EvaluationResult operator +(EvaluationResult a, EvaluationResult b) =>
        new(a.Loss + b.Loss, a.Weight + b.Weight, a.Correct + b.Correct, a.AmongTop + b.AmongTop, a.Count + b.Count, a.Squares + b.Squares);
}

/// <summary>
/// A network in training: flat parameters, gradient and feedback weights, and a step. How the gradient comes about is the derived class's
/// affair: <see cref="Dense.DenseChain"/> without autograd for dense chains, <see cref="Graph.GraphNetwork"/> for layers as data,
/// <see cref="Autograd.AutogradNetwork"/> for modules of the user's own and for other devices.
/// </summary>
internal abstract class TrainingNetwork : IDisposable, IMeasuredTraining
{
    private readonly OptimizerOptions _options;
    private FloatBuffer? _comparison;

    protected TrainingNetwork(NetworkLayout layout, FeedbackRule rule, float initialWeightScale, float feedbackScale, OptimizerOptions optimizer,
        int seed, RandomGenerator? dropout = null, WeightInitialization feedbackInitialization = WeightInitialization.XavierUniform)
    {
        Layout = layout;
        Dropout = dropout ?? new RandomGenerator(seed, "dropout");
        Weights = new FloatBuffer(layout.ParameterLength);
        Statistics = new FloatBuffer(layout.StatisticsLength);
        Gradient = new FloatBuffer(layout.ParameterLength);
        _options = optimizer;
        Optimizer = Optimizer.Create(optimizer, layout.ParameterLength);
        WeightDraw.Fill(layout, Weights.Span, Statistics.Span, initialWeightScale, new RandomGenerator(seed, "initial weights"));
        Feedback = new FeedbackWeights(rule, layout, feedbackScale, new RandomGenerator(seed, "feedback weights"), feedbackInitialization);
        Feedback.Draw(Weights);
    }

    public NetworkLayout Layout { get; }

    public FloatBuffer Weights { get; }

    /// <summary>Running mean and variance of batch normalisation.</summary>
    public FloatBuffer Statistics { get; }

    /// <summary>The rule's gradient of the last batch.</summary>
    public FloatBuffer Gradient { get; }

    public FeedbackWeights Feedback { get; }

    public Optimizer Optimizer { get; }

    public RandomGenerator Dropout { get; }

    /// <summary>The stream for augmentation; null without any.</summary>
    public virtual RandomGenerator? AugmentationRandom => null;

    /// <summary>What the training minimises.</summary>
    public TrainingLoss Loss { get; set; } = new CrossEntropyLoss();

    /// <summary>Share of the target that goes to all classes alike (Szegedy et al. 2016).</summary>
    public float LabelSmoothing { get; set; }

    /// <summary>Bound on the gradient of each update; null for none.</summary>
    public GradientClipping? Clipping { get; set; }

    /// <summary>The norms to which weights are scaled back after each update; null for none.</summary>
    public WeightNorms? Norms { get; set; }

    /// <summary>Watches the activations of the gradients that are computed; null where no one asks.</summary>
    public virtual UnitActivity? Activity { get; set; }

    /// <summary>Told when each phase of a step ends; null outside benchmarks.</summary>
    public StepClock? Clock { get; set; }

    /// <summary>The features of the batch at hand, where only their weights have a gradient; null where all weights have.</summary>
    protected virtual ActiveFeatures? Active => null;

    /// <summary>Whether libtorch's own way is wrong for the whole network on this machine, so that it takes a slower one.</summary>
    public virtual bool IsRerouted => false;

    IReadOnlyList<string> IMeasuredTraining.LayerNames => Layout.WeightedLayers.ConvertAll(layer => layer.Name);

    FeedbackKind IMeasuredTraining.Feedback => Feedback.Kind;

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

    /// <summary>One training step: forward, backward by the rule, update, and the rule's refresh of its feedback weights.</summary>
    public BatchResult Step(TrainingData data, ReadOnlySpan<int> rows, float learningRate)
    {
        Clock?.Start();
        BatchResult result = ComputeGradient(data, rows);
        Update(learningRate);
        return result;
    }

    /// <summary>Forward and backward by the rule, leaving the gradient in <see cref="Gradient"/>.</summary>
    public abstract BatchResult ComputeGradient(TrainingData data, ReadOnlySpan<int> rows);

    /// <summary>
    /// Loss and accuracy on rows as prediction sees them: running statistics, no dropout, no augmentation, no smoothing. Changes nothing.
    /// </summary>
    /// <param name="data">Holds the rows.</param>
    /// <param name="rows">At most a mini-batch of them.</param>
    /// <param name="k">How many of the likeliest classes count as a hit for the top-k accuracy.</param>
    public abstract EvaluationResult Evaluate(TrainingData data, ReadOnlySpan<int> rows, int k);

    /// <summary>The update by the gradient at hand.</summary>
    public virtual void Update(float learningRate)
    {
        Clipping?.Apply(Gradient.Span, Active);
        Span<float> change = Feedback.Trace?.Update;
        Optimizer.Step(Weights.Span, Gradient.Span, learningRate, change, Active);
        Norms?.Apply(Weights.Span, change);
        TraceRates(learningRate);
        Feedback.Refresh(Weights);
        Clock?.End(StepPhase.Update);
    }

    /// <summary>An epoch is over: rules that work between epochs do so.</summary>
    public void EndEpoch()
    {
        if (!Feedback.WorksBetweenEpochs)
            return;
        Download();
        Feedback.EndEpoch(Weights);
        Upload();
    }

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

    protected abstract void ComputeBackpropagationGradient(FloatBuffer gradient);

    /// <summary>Tells the rule how long a step was, if it asks.</summary>
    protected void TraceRates(float learningRate)
    {
        if (Feedback.Trace is { } trace)
            (trace.LearningRate, trace.Decay) = (learningRate, _options.DecayOfStep(learningRate));
    }

    /// <summary>Frees what the derived class holds.</summary>
    protected abstract void DisposeNetwork();
}
