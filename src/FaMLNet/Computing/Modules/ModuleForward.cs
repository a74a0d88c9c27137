using FaMLNet.Interop;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>A module of the user's own, which it owns.</summary>
internal sealed class ModuleForward : ForwardPass
{
    private readonly CustomLayout _layout;
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly List<Action> _hooks = [];
    private Cut? _cut;

    /// <param name="layout">The module's layout.</param>
    /// <param name="module">The module; owned.</param>
    /// <param name="device">Where it will run; null for the host.</param>
    /// <param name="checkCancelled">Called while the module is tried, which may take long; throws to stop. Null for nothing.</param>
    public ModuleForward(CustomLayout layout, nn.Module<Tensor, Tensor> module, Device? device = null, Action? checkCancelled = null) : base(layout)
    {
        _layout = layout;
        _module = module;
        RunsWithoutOneDnn = device is null && ModuleGuard.NeedsOneDnnOff(layout, module, checkCancelled);
    }

    public override bool RunsWithoutOneDnn { get; }

    /// <summary>Statistics, parameters of layers that do not follow the rule, and all weights where the definition keeps them.</summary>
    public override void TakeInitialValues(TrainingNetwork network)
    {
        (Dictionary<string, Parameter> parameters, Dictionary<string, Tensor> buffers) = ByName();
        HashSet<string> drawn = _layout.Network.KeepInitialWeights ? []
            : [.. _layout.WeightedLayers.SelectMany(layer => new[] { layer.Weight.Name, $"{layer.Name}.bias" })];
        foreach (ParameterSlice slice in _layout.Parameters.Where(slice => !drawn.Contains(slice.Name)))
            parameters[slice.Name].data<float>().CopyTo(slice.In(network.Weights.Span));
        foreach (ParameterSlice slice in _layout.Statistics)
            buffers[slice.Name].data<float>().CopyTo(slice.In(network.Statistics.Span));
        if (_layout.Network.KeepInitialWeights)
            network.Feedback.Draw(network.Weights); // once more: the signs are those of the weights that were kept
    }

    public override void Attach(Tensor weights, Tensor statistics)
    {
        _module.to(weights.device);
        (Dictionary<string, Parameter> parameters, Dictionary<string, Tensor> buffers) = ByName();
        using IDisposable grad = no_grad();
        foreach (ParameterSlice slice in _layout.Parameters)
        {
            Parameter parameter = parameters[slice.Name];
            parameter.set_(FlatTensors.View(weights, slice));
            parameter.requires_grad = true;
            Leaves.Add((parameter, slice));
        }
        foreach (ParameterSlice slice in _layout.Statistics)
            buffers[slice.Name].set_(FlatTensors.View(statistics, slice));
        Dictionary<string, nn.Module<Tensor, Tensor>> modules = CustomLayout.WeightedModules(_module);
        for (int i = _layout.FirstWithFeedback; i < _layout.WeightedLayers.Count; i++)
        {
            int index = i;
            _hooks.Add(modules[_layout.WeightedLayers[i].Name].register_forward_pre_hook((_, input) => _cut == null ? input
                : _cut(index, input)).remove);
        }
        foreach ((string name, nn.Module part) in _module.named_modules())
        {
            if (part is ReLU or ReLU6)
                _hooks.Add(((nn.Module<Tensor, Tensor>)part).register_forward_hook((_, _, output) => Watch(name, output)).remove);
        }
    }

    public override Tensor Run(Tensor x, bool training, Cut cut, Tensor? modulation = null)
    {
        if (modulation is not null)
            x = x.add(modulation, Scalars.One);
        _module.train(training);
        _cut = cut;
        return _module.call(x.view([-1, .. _layout.Shape.Input.Select(size => (long)size)]));
    }

    public override void Dispose()
    {
        _hooks.ForEach(remove => remove());
        CleanUp.Dispose(_module);
    }

    private Tensor Watch(string name, Tensor output)
    {
        if (_module.training && output.shape.Length > 1)
            Activity?.Observe(name, output);
        return output;
    }

    private (Dictionary<string, Parameter> Parameters, Dictionary<string, Tensor> Buffers) ByName() =>
        (_module.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter),
            _module.named_buffers().ToDictionary(pair => pair.name, pair => pair.buffer));
}
