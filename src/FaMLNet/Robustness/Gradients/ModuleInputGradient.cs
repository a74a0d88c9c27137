using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Kernels;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Robustness;

/// <summary>A module of the user's own, by autograd. It always computes as many rows at once, as <see cref="GraphInputGradient"/> does.</summary>
internal sealed class ModuleInputGradient : InputGradient
{
    private readonly CustomLayout _layout;
    private readonly ForwardPass _forward;
    private readonly FloatBuffer _weights, _statistics;
    private readonly Tensor _flatWeights, _flatStatistics;
    private readonly FeedbackWeights? _feedback;
    private readonly float[] _rows, _errors;
    private readonly int _block;
    private readonly GraphCuts _cuts = new();

    /// <param name="layout">The network.</param>
    /// <param name="module">Its module; owned.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="statistics">Its buffers.</param>
    /// <param name="feedback">The way back; null for the forward weights.</param>
    /// <param name="block">Rows computed at once.</param>
    public ModuleInputGradient(CustomLayout layout, nn.Module<Tensor, Tensor> module, float[] parameters, float[] statistics, FeedbackPath? feedback,
        int block)
    {
        (_layout, _block) = (layout, block);
        _forward = new ModuleForward(layout, module);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        _weights = new FloatBuffer(parameters.Length);
        _statistics = new FloatBuffer(statistics.Length);
        parameters.CopyTo(_weights.Span);
        statistics.CopyTo(_statistics.Span);
        _feedback = feedback?.Open(layout);
        _flatWeights = _weights.Fresh(0, _weights.Length).DetachFromDisposeScope();
        _flatStatistics = _statistics.Fresh(0, _statistics.Length).DetachFromDisposeScope();
        _forward.Attach(_flatWeights, _flatStatistics);
        _rows = new float[block * layout.Inputs];
        _errors = new float[block * layout.Outputs];
    }

    public override void Run(ReadOnlySpan<float> x, int count, OutputErrors errors, Span<float> gradients)
    {
        for (int first = 0; first < count; first += _block)
        {
            int start = first * _layout.Inputs, length = Math.Min(_block, count - first) * _layout.Inputs;
            RunBlock(x.Slice(start, length), errors, gradients.Slice(start, length));
        }
    }

    public override void Dispose()
    {
        _forward.Dispose();
        _feedback?.Dispose();
        _flatWeights.Dispose();
        _flatStatistics.Dispose();
        _weights.Dispose();
        _statistics.Dispose();
    }

    private void RunBlock(ReadOnlySpan<float> x, OutputErrors errors, Span<float> gradients)
    {
        using IDisposable? oneDnn = OneDnn.Off(_forward.RunsWithoutOneDnn);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = enable_grad();
        x.CopyTo(_rows);
        _rows.AsSpan(x.Length).Clear();
        int logitsLength = x.Length / _layout.Inputs * _layout.Outputs;
        bool direct = _feedback is { Rule.Route.StartsAtOutput: true };
        try
        {
            Tensor input = tensor(_rows, [_block, _layout.Inputs]).requires_grad_();
            Tensor output = _forward.Run(input, training: false, direct ? _cuts.Cut : (_, tensor) => tensor);
            using (Tensor logits = output.detach().contiguous())
            {
                Array.Clear(_errors);
                errors(TensorMemory.Read(logits)[..logitsLength], _errors.AsSpan(0, logitsLength));
                GC.KeepAlive(logits);
            }
            using Tensor found = Differentiate(input, output).contiguous();
            TensorMemory.Read(found)[..x.Length].CopyTo(gradients);
            GC.KeepAlive(found);
        }
        finally
        {
            _cuts.Clear();
        }
    }

    private Tensor Differentiate(Tensor input, Tensor output)
    {
        Tensor error = tensor(_errors, [_block, _layout.Outputs]);
        List<Tensor> roots = [output], gradients = [error];
        _cuts.Project(error, layer => _feedback!.View(layer)!, roots, gradients);
        float[][] kept = [];
        bool substitutes = _feedback is { Rule.Route.StartsAtOutput: false };
        try
        {
            // Autograd reads the weights where they lie: other values there change the way back, and nothing else.
            kept = substitutes ? Substitute() : [];
            if (!output.requires_grad)
                throw NoGradient();
            Tensor? found = autograd.grad([.. roots.Where(root => root.requires_grad)],
                [input], [.. gradients.Where((_, i) => roots[i].requires_grad)], allow_unused: true)[0];
            return found is null || found.IsInvalid ? throw NoGradient() : found;
        }
        finally
        {
            Restore(kept);
        }
    }

    private float[][] Substitute() => [.. _layout.WeightedLayers.Select((layer, i) =>
    {
        if (_feedback!.Slices[i] is not { } slice)
            return [];
        Span<float> weights = layer.Weight.In(_weights.Span);
        float[] kept = weights.ToArray();
        slice.In(_feedback.Buffer.Span).CopyTo(weights);
        return kept;
    })];

    private void Restore(float[][] kept)
    {
        for (int i = 0; i < kept.Length; i++)
            kept[i].CopyTo(_layout.WeightedLayers[i].Weight.In(_weights.Span));
    }

    private InvalidOperationException NoGradient() => new(
        $"Option Network: {_layout.Network} has no gradient at its input: its module computes its output apart from autograd (by detach(), in "
        + "no_grad(), or in operations without a gradient such as argmax or a lookup), so an attack that needs gradients cannot run. Attack it by "
        + "Attack.Square, Attack.FewPixel or Attack.Noise, or through a surrogate.");
}
