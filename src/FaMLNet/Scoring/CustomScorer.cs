using FaMLNet.Interop;
using FaMLNet.Training.Autograd;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaMLNet.Scoring;

/// <summary>Scores rows by a module of the user's own. Threads take turns: nothing is known of the module's safety.</summary>
internal sealed class CustomScorer : NetworkScorer
{
    private readonly object _gate = new();
    private readonly CustomLayout _layout;
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly bool _withoutOneDnn;
    private bool _disposed;

    public CustomScorer(CustomLayout layout, nn.Module<Tensor, Tensor> module, float[] parameters, float[] statistics)
    {
        _layout = layout;
        _module = module;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Dictionary<string, Parameter> byName = module.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        Dictionary<string, Tensor> buffers = module.named_buffers().ToDictionary(pair => pair.name, pair => pair.buffer);
        foreach (ParameterSlice slice in layout.Parameters)
            Copy(slice, parameters, byName[slice.Name]);
        foreach (ParameterSlice slice in layout.Statistics)
            Copy(slice, statistics, buffers[slice.Name]);
        module.eval();
        _withoutOneDnn = ModuleGuard.NeedsOneDnnOff(layout, module);
    }

    public override bool GainsFromBatches => true;

    public override IScoringSession Open() => new Session(this);

    public override void Dispose()
    {
        lock (_gate)
        {
            if (!_disposed)
                CleanUp.Dispose(_module);
            _disposed = true;
        }
    }

    private static void Copy(ParameterSlice slice, float[] source, Tensor target)
    {
        using Tensor values = tensor(slice.In((ReadOnlySpan<float>)source).ToArray(), target.shape);
        target.copy_(values);
    }

    private void ComputeLogits(ReadOnlySpan<float> features, int count, Span<float> logits)
    {
        lock (_gate)
        {
            if (_disposed)
                throw Disposed();
            using IDisposable? oneDnn = OneDnn.Off(_withoutOneDnn);
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = no_grad();
            Tensor input = tensor(features[..(count * _layout.Inputs)].ToArray(), [count, .. _layout.Shape.Input.Select(size => (long)size)]);
            Tensor dense = _module.call(input).contiguous();
            TensorMemory.Read(dense).CopyTo(logits);
            GC.KeepAlive(dense);
        }
    }

    private sealed class Session(CustomScorer owner) : IScoringSession
    {
        public void ComputeLogits(ReadOnlySpan<float> features, int count, Span<float> logits) => owner.ComputeLogits(features, count, logits);
    }
}
