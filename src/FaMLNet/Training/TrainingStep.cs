using FaMLNet.Computing;
using FaMLNet.Computing.Modules;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using FaMLNet.Training.Optimizers;

namespace FaMLNet.Training;

/// <summary>What an update needs beside the gradient.</summary>
/// <param name="Optimizer">The optimiser.</param>
/// <param name="Clipping">Bound on the gradient of each update; null for none.</param>
/// <param name="KeepsNorms">Whether the weights of each layer keep the norm that they have now.</param>
internal sealed record UpdatePlan(OptimizerOptions Optimizer, GradientClipping? Clipping = null, bool KeepsNorms = false);

/// <summary>
/// A training step: the network's gradient, the optimiser's update, and the rule's refresh of its feedback weights. On the host here, on another
/// device in <see cref="DeviceStep"/>.
/// </summary>
internal class TrainingStep : IDisposable
{
    /// <param name="network">The network, its weights as the training starts with them; owned by the caller.</param>
    /// <param name="plan">What an update needs.</param>
    protected TrainingStep(TrainingNetwork network, UpdatePlan plan)
    {
        Network = network;
        Plan = plan;
        Optimizer = Optimizer.Create(plan.Optimizer, network.Layout.ParameterLength);
        Norms = plan.KeepsNorms ? new WeightNorms(network.Layout, network.Weights.Span) : null;
    }

    public TrainingNetwork Network { get; }

    /// <summary>The optimiser and what it remembers.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>The norms to which weights are scaled back after each update; null for none.</summary>
    public WeightNorms? Norms { get; }

    protected UpdatePlan Plan { get; }

    /// <summary>The step that suits where the network computes.</summary>
    /// <inheritdoc cref="TrainingStep(TrainingNetwork, UpdatePlan)"/>
    public static TrainingStep Create(TrainingNetwork network, UpdatePlan plan) =>
        network is AutogradNetwork { Device: not null } elsewhere ? new DeviceStep(elsewhere, plan) : new TrainingStep(network, plan);

    /// <summary>Forward, backward by the rule, update, and the rule's refresh of its feedback weights.</summary>
    public BatchResult Take(TrainingData data, ReadOnlySpan<int> rows, float learningRate)
    {
        Network.Clock?.Start();
        BatchResult result = Network.ComputeGradient(data, rows);
        Update(learningRate);
        return result;
    }

    /// <summary>The update by the gradient at hand.</summary>
    public virtual void Update(float learningRate)
    {
        Plan.Clipping?.Apply(Network.Gradient.Span, Network.Active);
        Span<float> change = Network.Feedback.Trace?.Update;
        Optimizer.Step(Network.Weights.Span, Network.Gradient.Span, learningRate, change, Network.Active);
        Norms?.Apply(Network.Weights.Span, change);
        TraceRates(learningRate);
        Network.Feedback.Refresh(Network.Weights);
        Network.Clock?.End(StepPhase.Update);
    }

    /// <summary>Ends an epoch: rules that change their weights between epochs do so.</summary>
    public void EndEpoch()
    {
        if (!Network.Feedback.WorksBetweenEpochs)
            return;
        Download();
        Network.Feedback.EndEpoch(Network.Weights);
        Upload();
    }

    /// <summary>Brings the host's buffers up to date, where the network computes on another device.</summary>
    public virtual void Download() => Network.Download();

    /// <summary>Brings the other device up to date after the host's buffers have been written to.</summary>
    public virtual void Upload() => Network.Upload();

    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Tells the rule how long the step was, if it asks.</summary>
    protected void TraceRates(float learningRate)
    {
        if (Network.Feedback.Trace is { } trace)
            (trace.LearningRate, trace.Decay) = (learningRate, Plan.Optimizer.DecayOfStep(learningRate));
    }
}
