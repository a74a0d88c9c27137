using FaMLNet.Computing.Kernels;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>The general way: any network on any device, by autograd over the whole network.</summary>
/// <remarks>
/// A layer-wise rule puts its feedback weights in the place of the forward weights for the duration of the backward pass, which is then the
/// rule. A direct rule cuts the graph at the input of every weighted layer that an error passes and starts backward at all those tensors at once
/// with the projected output error, and at the output with the error itself. On the host the flat tensors are the host's buffers; on another
/// device those are a mirror (<see cref="FlatTensors"/>).
/// </remarks>
internal sealed class AutogradNetwork : TrainingNetwork
{
    private readonly ForwardPass _forward;
    private readonly FlatTensors _flat;
    private readonly AutogradBatch _batch;
    private readonly GraphCuts _cuts = new();
    private uint[] _dropoutBefore = [];

    /// <param name="forward">The forward pass; owned.</param>
    /// <param name="plan">Decides weights and gradient.</param>
    public AutogradNetwork(ForwardPass forward, GradientPlan plan) : base(forward.Layout, plan, forward.Dropout)
    {
        _forward = forward;
        forward.TakeInitialValues(this);
        Augmenter? augmenter = plan.Augmentation is not { } augmentation || forward.Layout.ImageInput is not { } image ? null
            : new Augmenter(augmentation, image, plan.Seed);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        _flat = new FlatTensors(this, plan.Device);
        _batch = plan.Device is not { } device ? new HostBatch(Layout, Statistics, augmenter) : new DeviceBatch(Layout, Statistics, augmenter,
            device);
        Upload();
        forward.Attach(_flat.Weights, _flat.Statistics);
        PointGradientsTo(_flat.Gradient);
    }

    /// <summary>Whether oneDNN is wrong for the network on this machine, and switched off while it runs.</summary>
    public override bool IsRerouted => _forward.RunsWithoutOneDnn;

    public override UnitActivity? Activity
    {
        get => _forward.Activity;
        set => _forward.Activity = value;
    }

    public override RandomGenerator? AugmentationRandom => _batch.AugmentationRandom;

    public override BatchResult ComputeGradient(TrainingData data, ReadOnlySpan<int> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        _batch.Load(data, rows, augment: true);
        Clock?.End(StepPhase.Data);
        _dropoutBefore = Dropout.GetState();
        return Run(_flat.Gradient, byRule: true);
    }

    public override BatchResult TakeTotals() => _batch.TakeTotals();

    public override EvaluationResult Evaluate(TrainingData data, ReadOnlySpan<int> rows, int k)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        using IDisposable? oneDnn = OneDnn.Off(_forward.RunsWithoutOneDnn);
        _batch.Load(data, rows, augment: false);
        return _batch.Evaluate(Loss, _forward.Run(_batch.Input, training: false, (_, input) => input), k);
    }

    /// <summary>The device that computes; null for the host's processor.</summary>
    public Device? Device => Plan.Device;

    /// <summary>The network's parameters where they are computed on.</summary>
    public FlatTensors Flat => _flat;

    public override void Download() => _flat.Download();

    public override void Upload() => _flat.Upload();

    internal override Action KeepStatistics()
    {
        // libtorch's stream as well: a module's own dropout draws from it.
        Tensor statistics = _flat.Statistics.clone(), random = torch.random.get_rng_state();
        return () =>
        {
            torch.random.set_rng_state(random);
            using (no_grad())
                _flat.Statistics.copy_(statistics);
        };
    }

    protected override void ComputeBackpropagationGradient(FloatBuffer gradient)
    {
        // A module's own dropout draws anew, and the comparison contains that.
        using DisposeScope scope = NewDisposeScope();
        using SecondPass pass = new(this, _dropoutBefore);
        Tensor flat = zeros(gradient.Length, ScalarType.Float32, _flat.Weights.device);
        PointGradientsTo(flat);
        try
        {
            Run(flat, byRule: false);
        }
        finally
        {
            PointGradientsTo(_flat.Gradient);
        }
        FlatTensors.CopyTo(flat, gradient.Span);
    }

    protected override void DisposeNetwork()
    {
        _forward.Dispose();
        _batch.Dispose();
        _flat.Dispose();
    }

    private BatchResult Run(Tensor gradient, bool byRule)
    {
        using IDisposable? oneDnn = OneDnn.Off(_forward.RunsWithoutOneDnn);
        using (no_grad())
            gradient.zero_();
        LayerInputs? seen = byRule && Feedback.Trace is { WantsActivations: true } ? new LayerInputs(Layout.WeightedLayers.Count) : null;
        bool cuts = byRule && Feedback.Route.StartsAtOutput, substitutes = byRule && Feedback.Route.ReplacesWeights;
        try
        {
            float? limit = byRule ? Plan.ErrorLimit : null;
            if (byRule && Feedback.Route.RunsTwice)
            {
                RunModulated(limit);
                return _batch.Result;
            }
            Tensor output = _forward.Run(_batch.Input, training: true, Seen(seen, cuts ? _cuts.Cut : limit is { } most
                ? (_, input) => ClippedError.At(input, most) : (_, input) => input));
            Tensor error = _batch.Error(Loss, output.detach(), Plan.LabelSmoothing, counts: byRule);
            Clock?.End(StepPhase.Forward);
            List<Tensor> roots = [output], gradients = [error];
            Tensor signal = cuts && Feedback.Rule.SendsTarget ? _batch.Targets(Loss) : error;
            _cuts.Project(signal, layer => View(_flat.Feedback, Feedback.Slices[layer]!), roots, gradients, limit);
            Backward(roots, gradients, substitutes);
            if (seen != null)
                Feedback.Trace!.Take(error, seen.Sums);
        }
        finally
        {
            _cuts.Clear();
            seen?.Clear();
        }
        Clock?.End(StepPhase.Backward);
        return _batch.Result;
    }

    /// <summary>
    /// Two passes: what each layer is given in the first less what it is given in the second, of an input that the error has modulated, takes the
    /// error's place there. Both have the same dropout, a module's own too, and running statistics are those of the first.
    /// </summary>
    private void RunModulated(float? limit)
    {
        Tensor random = torch.random.get_rng_state();
        List<Tensor> first = [];
        Tensor error;
        using (no_grad())
        {
            Tensor output = _forward.Run(_batch.Input, training: true, (_, input) =>
            {
                first.Add(input.clone().DetachFromDisposeScope());
                return input;
            });
            error = _batch.Error(Loss, output.detach(), Plan.LabelSmoothing, counts: true);
        }
        // Statistics are put back when the way back is over: batch normalisation looks whether they have been touched.
        using SecondPass pass = new(this, _dropoutBefore);
        try
        {
            Tensor modulation = error.mm(View(_flat.Feedback, Feedback.Slices[0]!)).Scale(error.shape[0]);
            torch.random.set_rng_state(random);
            Tensor second = _forward.Run(_batch.Input, training: true, _cuts.Cut, modulation);
            Clock?.End(StepPhase.Forward);
            List<Tensor> roots = [second], gradients = [error];
            _cuts.Subtract(first, 1f / error.shape[0], roots, gradients, limit);
            Backward(roots, gradients, substitutes: false);
            Clock?.End(StepPhase.Backward);
        }
        finally
        {
            first.ForEach(input => input.Dispose());
        }
    }

    private static ForwardPass.Cut Seen(LayerInputs? seen, ForwardPass.Cut cut) => seen == null ? cut : (layer, input) =>
    {
        seen.Add(layer, input);
        return cut(layer, input);
    };

    private void Backward(List<Tensor> roots, List<Tensor> gradients, bool substitutes)
    {
        if (substitutes)
            Exchange();
        try
        {
            autograd.backward(roots, gradients);
        }
        finally
        {
            if (substitutes)
                Exchange();
        }
    }

    /// <summary>Forward and feedback weights change places, through flat tensors whose version counters the leaves do not share.</summary>
    private void Exchange()
    {
        using IDisposable grad = no_grad();
        for (int i = Layout.FirstWithFeedback; i < Layout.WeightedLayers.Count; i++)
        {
            if (Feedback.Slices[i] is not { } slice)
                continue;
            using Tensor weights = View(_flat.Weights, Layout.WeightedLayers[i].Weight), feedback = View(_flat.Feedback, slice),
                kept = weights.clone();
            weights.copy_(feedback);
            feedback.copy_(kept);
        }
    }

    private void PointGradientsTo(Tensor flat)
    {
        foreach ((Tensor leaf, ParameterSlice slice) in _forward.Leaves)
        {
            using Tensor view = View(flat, slice);
            leaf.grad = view;
        }
    }

    private static Tensor View(Tensor flat, ParameterSlice slice) => FlatTensors.View(flat, slice);
}
