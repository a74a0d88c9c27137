using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>The mini-batch at hand: its rows, and the loss that follows from them.</summary>
internal abstract class AutogradBatch(NetworkLayout layout, FloatBuffer statistics, Augmenter? augmenter) : IDisposable
{
    private readonly float[] _black = new float[layout.ImageInput?.Channels ?? 0];

    public RandomGenerator? AugmentationRandom => augmenter?.Random;

    protected NetworkLayout Layout => layout;

    protected Augmenter? Augmenter => augmenter;

    /// <summary>Rows × features; owned by the batch.</summary>
    public abstract Tensor Input { get; }

    /// <summary>What the last <see cref="Error"/> that counts has found.</summary>
    public abstract BatchResult Result { get; }

    public abstract void Load(TrainingData data, ReadOnlySpan<int> rows, bool augment);

    /// <summary>The error of the mean loss at the outputs: for classes (softmax − target) · coefficient.</summary>
    /// <param name="loss">What is minimised.</param>
    /// <param name="logits">Rows × classes, without a graph.</param>
    /// <param name="smoothing">Share of the target that goes to all classes alike.</param>
    /// <param name="counts">Whether loss and hits are counted.</param>
    public abstract Tensor Error(TrainingLoss loss, Tensor logits, float smoothing, bool counts);

    public abstract EvaluationResult Evaluate(TrainingLoss loss, Tensor logits, int k);

    /// <summary>The targets in the error's place, rows × outputs.</summary>
    public abstract Tensor Targets(TrainingLoss loss);

    /// <summary>What has added up on a device since this was last asked.</summary>
    public virtual BatchResult TakeTotals() => default;

    public abstract void Dispose();

    /// <summary>A row as it is trained on.</summary>
    protected void Gather(TrainingData data, int row, Span<float> destination, bool augment)
    {
        data.CopyRow(row, destination);
        if (!augment || augmenter == null)
            return;
        ReadOnlySpan<float> means = layout is GraphLayout graph ? graph.InputMean.In((ReadOnlySpan<float>)statistics.Span) : _black;
        augmenter.Change(destination, means).CopyTo(destination);
    }
}

/// <summary>On the host: the loss is computed by managed code over the tensors' memory.</summary>
internal sealed class HostBatch(NetworkLayout layout, FloatBuffer statistics, Augmenter? augmenter) : AutogradBatch(layout, statistics, augmenter)
{
    private readonly BatchLabels _labels = new();
    private FloatBuffer? _input;
    private Tensor? _view;
    private BatchResult _result;

    public override Tensor Input => _view!;

    public override BatchResult Result => _result;

    public override void Load(TrainingData data, ReadOnlySpan<int> rows, bool augment)
    {
        int width = Layout.Inputs;
        if (_input == null || _input.Length < rows.Length * width)
        {
            _input?.Dispose();
            _input = new FloatBuffer((long)rows.Length * width);
        }
        for (int i = 0; i < rows.Length; i++)
            Gather(data, rows[i], _input.Span.Slice(i * width, width), augment);
        _labels.Load(data, rows);
        _view?.Dispose();
        _view = _input.Fresh(0, rows.Length, width).DetachFromDisposeScope();
    }

    public override Tensor Error(TrainingLoss loss, Tensor logits, float smoothing, bool counts)
    {
        Tensor error = logits.contiguous().clone();
        BatchResult result = _labels.ReplaceLogitsByError(loss, error, Layout.Outputs, smoothing);
        if (counts)
            _result = result;
        return error;
    }

    public override EvaluationResult Evaluate(TrainingLoss loss, Tensor logits, int k) =>
        _labels.Evaluate(loss, logits.contiguous(), Layout.Outputs, k);

    public override Tensor Targets(TrainingLoss loss) => _labels.Targets(loss, Layout.Outputs);

    public override void Dispose()
    {
        _view?.Dispose();
        _input?.Dispose();
    }
}

/// <summary>On another device: rows move there once, and losses add up there until they are asked for.</summary>
internal sealed class DeviceBatch : AutogradBatch
{
    private readonly Device _device;
    private readonly DeviceRows _rows;
    private readonly Tensor _totals;
    private Tensor? _features, _labels, _weights, _coefficients;
    private BatchResult _result;
    private int _count;

    public DeviceBatch(NetworkLayout layout, FloatBuffer statistics, Augmenter? augmenter, Device device) : base(layout, statistics, augmenter)
    {
        _device = device;
        _rows = new DeviceRows(device);
        _totals = zeros(3, ScalarType.Float64, device).DetachFromDisposeScope();
    }

    public override Tensor Input => _features!;

    // Of classes, all but the count adds up on the device.
    public override BatchResult Result => _result with { Count = _count };

    public override void Load(TrainingData data, ReadOnlySpan<int> rows, bool augment)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        (Tensor features, Tensor labels, Tensor weights) = _rows.Take(data, rows);
        if (augment && Augmenter != null)
        {
            float[] images = new float[rows.Length * Layout.Inputs];
            for (int i = 0; i < rows.Length; i++)
                Gather(data, rows[i], images.AsSpan(i * Layout.Inputs, Layout.Inputs), augment);
            features = tensor(images, [rows.Length, Layout.Inputs]).to(_device);
        }
        _count = rows.Length;
        Free();
        (_features, _labels, _weights, _coefficients) =
            (features.DetachFromDisposeScope(), labels.DetachFromDisposeScope(), weights.DetachFromDisposeScope(),
            weights.Times(1f / _count).DetachFromDisposeScope());
    }

    public override Tensor Error(TrainingLoss loss, Tensor logits, float smoothing, bool counts)
    {
        using IDisposable grad = no_grad();
        if (loss is not CrossEntropyLoss)
            return ErrorByHost(loss, logits, smoothing, counts);
        float share = smoothing / Layout.Outputs;
        Tensor log = nn.functional.log_softmax(logits, 1), column = _labels!.unsqueeze(1), scale = _coefficients!.unsqueeze(1);
        if (counts)
        {
            Tensor losses = log.gather(1, column).Scale(smoothing - 1);
            if (share > 0)
                losses.AddScaled(log.sum(1, keepdim: true), -share);
            Tensor right = logits.argmax(1).eq(_labels);
            _totals.add_(stack([losses.squeeze(1).mul(_weights!).sum(), _weights!.sum(), right.to(ScalarType.Float32).sum()], 0), Scalars.One);
        }
        Tensor error = log.exp();
        if (share > 0)
            error.Shift(-share);
        error.scatter_add_(1, column, Scalars.With(smoothing - 1, scalar => full_like(column, scalar, ScalarType.Float32)));
        return error.mul_(scale);
    }

    public override EvaluationResult Evaluate(TrainingLoss loss, Tensor logits, int k)
    {
        return loss.Evaluate(logits.cpu().contiguous().data<float>().ToArray(), HostLabels(), _weights!.cpu().data<float>().ToArray(),
            Layout.Outputs, k);
    }

    public override Tensor Targets(TrainingLoss loss)
    {
        using DisposeScope scope = NewDisposeScope();
        float[] targets = new float[_count * Layout.Outputs], coefficients = _coefficients!.cpu().data<float>().ToArray();
        loss.WriteTargets(targets, HostLabels(), coefficients, Layout.Outputs, Layout.Outputs, 1);
        return tensor(targets, [_count, Layout.Outputs]).to(_device).MoveToOuterDisposeScope();
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

    public override void Dispose()
    {
        Free();
        _rows.Dispose();
        _totals.Dispose();
    }

    /// <summary>Labels that are no classes: few outputs to move, and the host's own code, so that there is one of it.</summary>
    private Tensor ErrorByHost(TrainingLoss loss, Tensor logits, float smoothing, bool counts)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor error = logits.cpu().contiguous().clone();
        float[] coefficients = _coefficients!.cpu().data<float>().ToArray(), weights = _weights!.cpu().data<float>().ToArray();
        LossSums sums = loss.ReplaceRowsByError(error, HostLabels(), coefficients, Layout.Outputs, smoothing);
        if (counts)
            _result = new BatchResult(sums.Loss * _count, weights.Sum(weight => (double)weight), sums.Correct, _count, sums.Squares * _count);
        return error.to(_device).MoveToOuterDisposeScope();
    }

    private int[] HostLabels() => [.. _labels!.cpu().data<long>().ToArray().Select(label => (int)label)];

    private void Free()
    {
        foreach (Tensor? tensor in new[] { _features, _labels, _weights, _coefficients })
            tensor?.Dispose();
    }
}
