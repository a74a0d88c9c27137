using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Modules;
using FaMLNet.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>A step of a network on another device. Rules that know the host alone refresh their feedback weights there.</summary>
internal sealed class DeviceStep : TrainingStep
{
    private readonly FlatTensors _flat;
    private readonly DeviceOptimizer _optimizer;

    public DeviceStep(AutogradNetwork network, UpdatePlan plan) : base(network, plan)
    {
        _flat = network.Flat;
        _optimizer = new DeviceOptimizer(plan.Optimizer, [.. Optimizer.State.Select(values =>
            zeros(Math.Max(1, values.Length), ScalarType.Float32, network.Device).DetachFromDisposeScope())]);
    }

    public override void Update(float learningRate)
    {
        FeedbackWeights rule = Network.Feedback;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Plan.Clipping?.Apply(_flat.Gradient);
        Tensor? before = rule.Trace?.Update == null ? null : _flat.Weights.clone();
        _optimizer.Step(_flat.Weights, _flat.Gradient, learningRate, ++Optimizer.Steps);
        Norms?.Apply(_flat.Weights);
        TraceRates(learningRate);
        if (!rule.Rule.Refreshes)
            return;
        Tensor? change = before is null ? null : _flat.Weights.sub(before);
        if (rule.Slices.Select((slice, i) => slice == null || rule.Rule.TryRefreshOnDevice(rule.OnDevice(i,
            FlatTensors.View(_flat.Weights, Network.Layout.WeightedLayers[i].Weight), FlatTensors.View(_flat.Feedback, slice),
            change is null ? null : FlatTensors.View(change, Network.Layout.WeightedLayers[i].Weight)))).All(done => done))
            return;
        if (change is not null)
            FlatTensors.CopyTo(change, rule.Trace!.Update);
        FlatTensors.CopyTo(_flat.Weights, Network.Weights.Span);
        rule.Refresh(Network.Weights);
        FlatTensors.CopyFrom(rule.Buffer.Span, _flat.Feedback);
    }

    public override void Download()
    {
        base.Download();
        for (int i = 0; i < _optimizer.State.Count; i++)
            FlatTensors.CopyTo(_optimizer.State[i], Optimizer.State[i]);
    }

    public override void Upload()
    {
        base.Upload();
        for (int i = 0; i < _optimizer.State.Count; i++)
            FlatTensors.CopyFrom(Optimizer.State[i], _optimizer.State[i]);
    }

    public override void Dispose()
    {
        foreach (Tensor state in _optimizer.State)
            state.Dispose();
        base.Dispose();
    }
}
