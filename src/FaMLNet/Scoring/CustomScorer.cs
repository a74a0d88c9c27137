using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using Microsoft.ML.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaMLNet.Scoring;

/// <summary>Scores rows by a module of the user's own.</summary>
internal sealed class CustomScorer : NativeScorer<CustomScorer.NativeModule>
{
    private readonly IHostEnvironment _env;
    private readonly CustomLayout _layout;
    private readonly float[] _parameters, _statistics;

    /// <param name="env">Finds the module's factory.</param>
    /// <param name="layout">The network.</param>
    /// <param name="parameters">All parameters.</param>
    /// <param name="statistics">All statistics.</param>
    /// <exception cref="InvalidOperationException">No such factory is registered: it is built at once, to find that out.</exception>
    public CustomScorer(IHostEnvironment env, CustomLayout layout, float[] parameters, float[] statistics)
        : base(env, new NativeModule(env, layout, parameters, statistics))
    {
        (_env, _layout, _parameters, _statistics) = (env, layout, parameters, statistics);
    }

    protected override NativeModule Create() => new(_env, _layout, _parameters, _statistics);

    protected override void ComputeLogits(NativeModule native, ReadOnlySpan<float> features, int count, Span<float> logits) =>
        native.ComputeLogits(features, count, logits);

    /// <summary>The module with the model's parameters. Threads take turns: nothing is known of its safety.</summary>
    internal sealed class NativeModule : IDisposable
    {
        private readonly object _turn = new();
        private readonly CustomLayout _layout;
        private readonly nn.Module<Tensor, Tensor> _module;
        private readonly bool _withoutOneDnn;

        public NativeModule(IHostEnvironment env, CustomLayout layout, float[] parameters, float[] statistics)
        {
            _layout = layout;
            _module = layout.Network.Build(env, layout.Shape);
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = no_grad();
            Dictionary<string, Parameter> byName = _module.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
            Dictionary<string, Tensor> buffers = _module.named_buffers().ToDictionary(pair => pair.name, pair => pair.buffer);
            foreach (ParameterSlice slice in layout.Parameters)
                Copy(slice, parameters, byName[slice.Name]);
            foreach (ParameterSlice slice in layout.Statistics)
                Copy(slice, statistics, buffers[slice.Name]);
            _module.eval();
            _withoutOneDnn = ModuleGuard.NeedsOneDnnOff(layout, _module);
        }

        public void ComputeLogits(ReadOnlySpan<float> features, int count, Span<float> logits)
        {
            lock (_turn)
            {
                using IDisposable? oneDnn = OneDnn.Off(_withoutOneDnn);
                using DisposeScope scope = NewDisposeScope();
                using IDisposable grad = no_grad();
                Tensor input = tensor(features[..(count * _layout.Inputs)].ToArray(),
                    [count, .. _layout.Shape.Input.Select(size => (long)size)]);
                Tensor dense = _module.call(input).contiguous();
                TensorMemory.Read(dense).CopyTo(logits);
                GC.KeepAlive(dense);
            }
        }

        public void Dispose() => _module.Dispose();

        private static void Copy(ParameterSlice slice, float[] source, Tensor target)
        {
            using Tensor values = tensor(slice.In((ReadOnlySpan<float>)source).ToArray(), target.shape);
            target.copy_(values);
        }
    }
}
