using System.Diagnostics.CodeAnalysis;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaMLNet;

/// <summary>
/// The layout of a module of the user's own: its parameters and buffers by name, its weighted layers in the order in which a row meets
/// them.
/// </summary>
internal sealed class CustomLayout : NetworkLayout
{
    /// <summary>With which the module is tried.</summary>
    private const int Rows = 2;

    private long _work;
    private bool _firstPassesError;

    /// <param name="network">The definition.</param>
    /// <param name="shape">The sizes that the module was built for.</param>
    /// <param name="module">The module; tried on two rows of zeros.</param>
    /// <exception cref="InvalidOperationException">The module cannot be trained.</exception>
    [SetsRequiredMembers]
    public CustomLayout(CustomDefinition network, NetworkShape shape, nn.Module<Tensor, Tensor> module)
    {
        Network = network;
        Shape = shape;
        Inputs = shape.Input.Aggregate(1, (product, size) => checked(product * size));
        Outputs = shape.Outputs;
        foreach ((string name, Parameter parameter) in module.named_parameters())
        {
            CheckType(name, parameter);
            AddParameter(name, ShapeOf(parameter));
        }
        foreach ((string name, Tensor buffer) in module.named_buffers())
        {
            // Counters (batch normalisation's num_batches_tracked) are not part of what prediction computes.
            if (buffer.dtype == ScalarType.Float32)
                AddStatistic(name, ShapeOf(buffer));
        }
        IsNormalized = Statistics.Count > 0 || module.modules()
            .Any(part => part is LayerNorm or GroupNorm or InstanceNorm1d or InstanceNorm2d or InstanceNorm3d);
        FindWeightedLayers(module);
    }

    public CustomDefinition Network { get; }

    public NetworkShape Shape { get; }

    public override NetworkDefinition Definition => Network;

    public override int FirstWithFeedback => _firstPassesError ? 0 : 1;

    public override ImageShape? ImageInput => Shape.Input is [int channels, int height, int width] ? new ImageShape(channels, height, width) : null;

    public override WeightInitialization Initialization => Network.Initialization;

    public override long WorkPerRow => _work;

    public override bool IsNormalized { get; }

    public override bool NeedsTwoRows => Statistics.Count > 0;

    /// <summary>The modules that follow the rule, by name.</summary>
    public static Dictionary<string, nn.Module<Tensor, Tensor>> WeightedModules(nn.Module module) =>
        module.named_modules().Where(pair => pair.module is Linear or Conv1d or Conv2d or Conv3d)
            .ToDictionary(pair => pair.name, pair => (nn.Module<Tensor, Tensor>)pair.module);

    private void FindWeightedLayers(nn.Module<Tensor, Tensor> module)
    {
        Dictionary<string, nn.Module<Tensor, Tensor>> modules = WeightedModules(module);
        List<(string Name, int InputLength)> met = [];
        List<Action> hooks = [];
        foreach ((string name, nn.Module<Tensor, Tensor> layer) in modules)
        {
            hooks.Add(layer.register_forward_pre_hook((_, input) =>
            {
                if (met.All(other => other.Name != name))
                    met.Add((name, (int)(input.numel() / Rows)));
                // Something below it learns (an embedding), or it is met again.
                _firstPassesError |= name == met[0].Name && input.requires_grad;
                return input;
            }).remove);
        }
        using DisposeScope scope = NewDisposeScope();
        bool training = module.training;
        try
        {
            module.eval();
            using IDisposable grad = enable_grad();
            Tensor output = module.call(zeros([Rows, .. Shape.Input.Select(size => (long)size)]));
            if (output.shape is not [Rows, var outputs] || outputs != Outputs)
                throw new InvalidOperationException(
                    $"Option Network: {Network} must give rows × {Outputs} (one logit a class); for {Rows} rows of "
                        + $"{string.Join(" × ", Shape.Input)} it gives {string.Join(" × ", output.shape)}.");
        }
        catch (Exception failure) when (failure is System.Runtime.InteropServices.ExternalException or ArgumentException)
        {
            throw new InvalidOperationException(
                $"Option Network: {Network} cannot take rows of {string.Join(" × ", Shape.Input)}: {failure.Message.Split('\n')[0]}. Set "
                    + $"Options.ImageShape if the features are an image, or mend the factory.", failure);
        }
        finally
        {
            module.train(training);
            hooks.ForEach(remove => remove());
        }
        foreach ((string name, int length) in met)
        {
            ParameterSlice weight = Parameters.Single(slice => slice.Name == $"{name}.weight");
            int receptive = weight.Shape.Skip(2).Aggregate(1, (product, size) => product * size);
            WeightedLayers.Add(new WeightedLayer(name, weight, weight.Shape[1] * receptive, weight.Shape[0] * receptive, length));
            _work += 3L * weight.Length;
        }
        if (WeightedLayers.Count == 0 && modules.Count > 0)
        {
            string layers = (modules.Count == 1 ? "layer " : "layers ") + string.Join(", ", modules.Keys.Take(10).Select(name => $"'{name}'"))
                + (modules.Count > 10 ? ", …" : "");
            throw new InvalidOperationException($"Option Network: {Network} never invokes call(x) on its {layers}, and training acts there. In "
                + $"the module's forward, write layer.call(x) instead of layer.forward(x), and use each layer that is registered.");
        }
        if (WeightedLayers.Count == 0)
            throw new InvalidOperationException(
                $"Option Network: {Network} has no Linear, Conv1d, Conv2d or Conv3d layer in use: there is nothing that a rule could train.");
    }

    private void CheckType(string name, Tensor parameter)
    {
        if (parameter.dtype != ScalarType.Float32)
            throw new InvalidOperationException($"Option Network: parameter '{name}' of {Network} is of type {parameter.dtype}; expected Float32.");
    }

    private static int[] ShapeOf(Tensor tensor) => tensor.shape.Length == 0 ? [1] : [.. tensor.shape.Select(size => (int)size)];
}
