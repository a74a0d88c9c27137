using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Training.Devices;

/// <summary>Any network on any device: flat tensors there, autograd over the whole network, and as few words with the host as can be.</summary>
/// <remarks>
/// The host's buffers are a mirror: <see cref="Download"/> brings them up to date where they are read. A layer-wise rule exchanges forward and feedback weights for
/// the duration of the backward pass; a direct rule cuts the graph at the input of every weighted layer but the first. Losses add up on the device until they are asked for.
/// </remarks>
internal sealed class DeviceNetwork : TrainingNetwork
{
    private readonly Device _device;
    private readonly DeviceForward _forward;
    private readonly DeviceRows _rows;
    private readonly DeviceOptimizer _optimizer;
    private readonly Tensor _weights, _statistics, _gradient, _feedback, _totals;
    private readonly List<(int Layer, Tensor Input)> _cuts = [];
    private readonly Augmenter? _augmenter;
    private readonly float[] _means;
    private (Tensor Features, Tensor Labels, Tensor Coefficients)? _last;
    private int _count;

    public DeviceNetwork(NetworkLayout layout, DeviceForward forward, FeedbackRule rule, float initialWeightScale, float feedbackScale, OptimizerOptions optimizer, int seed, Device device,
        Augmentation? augmentation = null, Action<TrainingNetwork>? initialize = null, RandomGenerator? dropout = null)
        : base(layout, rule, initialWeightScale, feedbackScale, optimizer, seed, dropout)
    {
        initialize?.Invoke(this);
        _device = device;
        _forward = forward;
        _rows = new DeviceRows(device);
        ImageShape? image = layout switch { GraphLayout graph => graph.Image, CustomLayout { Shape.Input: [int channels, int height, int width] } => new(channels, height, width), _ => null };
        _augmenter = augmentation == null || image == null ? null : new Augmenter(augmentation, image, seed);
        _means = new float[image?.Channels ?? 0];
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor Flat(int length) => zeros(Math.Max(1, length), ScalarType.Float32, device).DetachFromDisposeScope();
        (_weights, _statistics, _gradient, _feedback) = (Flat(Weights.Length), Flat(Statistics.Length), Flat(Gradient.Length), Flat(Feedback.Buffer.Length));
        _totals = zeros(3, ScalarType.Float64, device).DetachFromDisposeScope();
        _optimizer = new DeviceOptimizer(optimizer, [.. Optimizer.State.Select(values => Flat(values.Length))]);
        Upload();
        forward.Attach(layout, _weights, _statistics);
        PointGradientsTo(_gradient);
    }

    public override RandomGenerator? AugmentationRandom => _augmenter?.Random;

    public override BatchResult ComputeGradient(TrainingData data, ReadOnlySpan<int> rows)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor features, Tensor labels, Tensor weights) = _rows.Take(data, rows);
        if (_augmenter != null)
            features = Augment(data, rows);
        _count = rows.Length;
        Tensor coefficients = weights.Times(1f / _count);
        Keep(features, labels, coefficients);
        Run(_gradient, byRule: true, _totals);
        return new BatchResult(0, 0, 0, _count);
    }

    public override BatchResult TakeTotals()
    {
        // Operations in place return another handle of the same tensor: a scope frees it.
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        double[] totals = _totals.cpu().data<double>().ToArray();
        _totals.zero_();
        return new BatchResult(totals[0], totals[1], (int)totals[2], 0);
    }

    public override void Update(float learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Clipping?.Apply(_gradient);
        _optimizer.Step(_weights, _gradient, learningRate, ++Optimizer.Steps);
        if (!Feedback.Rule.Refreshes)
            return;
        if (Feedback.Slices.Select((slice, i) => slice == null || Feedback.Rule.TryRefreshOnDevice(View(_weights, Layout.WeightedLayers[i].Weight), View(_feedback, slice), Feedback.StandardDeviation(i))).All(done => done))
            return;
        // A rule of the user's own knows the host only.
        CopyTo(_weights, Weights.Span);
        Feedback.Refresh(Weights);
        CopyFrom(Feedback.Buffer.Span, _feedback);
    }

    public override EvaluationResult Evaluate(TrainingData data, ReadOnlySpan<int> rows, int k)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        (Tensor features, Tensor labels, Tensor weights) = _rows.Take(data, rows);
        Tensor logits = _forward.Run(features, training: false, (_, input) => input).cpu().contiguous();
        return SoftmaxCrossEntropy.Evaluate(logits.data<float>().ToArray(), [.. labels.cpu().data<long>().ToArray().Select(label => (int)label)], weights.cpu().data<float>().ToArray(), Layout.Outputs, k);
    }

    public override void Download()
    {
        CopyTo(_weights, Weights.Span);
        CopyTo(_statistics, Statistics.Span);
        CopyTo(_gradient, Gradient.Span);
        CopyTo(_feedback, Feedback.Buffer.Span);
        for (int i = 0; i < Optimizer.State.Count; i++)
            CopyTo(_optimizer.State[i], Optimizer.State[i]);
    }

    public override void Upload()
    {
        using IDisposable grad = no_grad();
        CopyFrom(Weights.Span, _weights);
        CopyFrom(Statistics.Span, _statistics);
        CopyFrom(Feedback.Buffer.Span, _feedback);
        for (int i = 0; i < Optimizer.State.Count; i++)
            CopyFrom(Optimizer.State[i], _optimizer.State[i]);
    }

    protected override void ComputeBackpropagationGradient(FloatBuffer gradient)
    {
        // A second pass over the batch at hand, without its side effects.
        using DisposeScope scope = NewDisposeScope();
        Tensor flat = zeros(gradient.Length, ScalarType.Float32, _device), statistics = _statistics.clone();
        PointGradientsTo(flat);
        try
        {
            Run(flat, byRule: false, totals: null);
        }
        finally
        {
            PointGradientsTo(_gradient);
            using (no_grad())
                _statistics.copy_(statistics);
        }
        CopyTo(flat, gradient.Span);
    }

    protected override void DisposeNetwork()
    {
        Keep(null, null, null);
        _forward.Dispose();
        _rows.Dispose();
        foreach (Tensor tensor in new[] { _weights, _statistics, _gradient, _feedback, _totals }.Concat(_optimizer.State))
            tensor.Dispose();
    }

    private void Run(Tensor gradient, bool byRule, Tensor? totals)
    {
        (Tensor features, Tensor labels, Tensor coefficients) = _last ?? throw new InvalidOperationException("No batch has been computed.");
        using (no_grad())
            gradient.zero_();
        _cuts.Clear();
        bool cuts = byRule && Feedback.IsDirect, substitutes = byRule && !Feedback.IsDirect && Feedback.Buffer.Length > 0;
        Tensor output = _forward.Run(features, training: true, (layer, input) =>
        {
            if (!cuts || !input.requires_grad)
                return input;
            _cuts.Add((layer, input.alias()));
            return input.detach();
        });
        Tensor error = Error(output.detach(), labels, coefficients, totals);
        List<Tensor> roots = [output], gradients = [error];
        foreach ((int layer, Tensor input) in _cuts)
        {
            roots.Add(input);
            gradients.Add(error.mm(View(_feedback, Feedback.Slices[layer]!)).reshape(input.shape));
        }
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
            _cuts.Clear();
        }
    }

    /// <summary>(softmax − target) · coefficient; the loss, the weights and the rows right are added to the totals.</summary>
    private Tensor Error(Tensor logits, Tensor labels, Tensor coefficients, Tensor? totals)
    {
        using IDisposable grad = no_grad();
        float share = LabelSmoothing / Layout.Outputs;
        Tensor log = nn.functional.log_softmax(logits, 1), column = labels.unsqueeze(1), scale = coefficients.unsqueeze(1);
        if (totals is not null)
        {
            Tensor loss = log.gather(1, column).Scale(LabelSmoothing - 1);
            if (share > 0)
                loss.AddScaled(log.sum(1, keepdim: true), -share);
            Tensor weights = coefficients.Times(_count), right = logits.argmax(1).eq(labels);
            totals.add_(stack([loss.squeeze(1).mul(weights).sum(), weights.sum(), right.to(ScalarType.Float32).sum()], 0), Scalars.One);
        }
        Tensor error = log.exp();
        if (share > 0)
            error.Shift(-share);
        error.scatter_add_(1, column, Scalars.With(LabelSmoothing - 1, scalar => full_like(column, scalar, ScalarType.Float32)));
        return error.mul_(scale);
    }

    /// <summary>Forward and feedback weights change places, through flat tensors whose version counters the leaves do not share.</summary>
    private void Exchange()
    {
        using IDisposable grad = no_grad();
        for (int i = 1; i < Layout.WeightedLayers.Count; i++)
        {
            if (Feedback.Slices[i] is not { } slice)
                continue;
            using Tensor weights = View(_weights, Layout.WeightedLayers[i].Weight), feedback = View(_feedback, slice), kept = weights.clone();
            weights.copy_(feedback);
            feedback.copy_(kept);
        }
    }

    private Tensor Augment(TrainingData data, ReadOnlySpan<int> rows)
    {
        float[] images = new float[rows.Length * Layout.Inputs];
        for (int i = 0; i < rows.Length; i++)
        {
            Span<float> image = images.AsSpan(i * Layout.Inputs, Layout.Inputs);
            data.CopyRow(rows[i], image);
            if (Layout is GraphLayout graph)
                graph.InputMean.In(Statistics.Span).CopyTo(_means);
            _augmenter!.Change(image, _means).CopyTo(image);
        }
        return tensor(images, [rows.Length, Layout.Inputs]).to(_device);
    }

    private void Keep(Tensor? features, Tensor? labels, Tensor? coefficients)
    {
        if (_last is { } last)
        {
            last.Features.Dispose();
            last.Labels.Dispose();
            last.Coefficients.Dispose();
        }
        _last = features is null ? null : (features.DetachFromDisposeScope(), labels!.DetachFromDisposeScope(), coefficients!.DetachFromDisposeScope());
    }

    private void PointGradientsTo(Tensor flat)
    {
        foreach ((Tensor leaf, ParameterSlice slice) in _forward.Leaves)
        {
            using Tensor view = View(flat, slice);
            leaf.grad = view;
        }
    }

    private static Tensor View(Tensor flat, ParameterSlice slice) => DeviceForward.View(flat, slice);

    private static void CopyTo(Tensor source, Span<float> destination)
    {
        using Tensor host = source.cpu();
        host.data<float>().ToArray().AsSpan(0, destination.Length).CopyTo(destination);
    }

    private static void CopyFrom(ReadOnlySpan<float> source, Tensor destination)
    {
        if (source.IsEmpty)
            return;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        destination.copy_(tensor(source.ToArray()));
    }
}
