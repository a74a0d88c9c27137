using Microsoft.ML.Runtime;
using TorchSharp;

namespace FaMLNet;

/// <summary>
/// A TorchSharp network of the user's own, found by the name on its factory. Its Linear, Conv1d, Conv2d and Conv3d layers follow the rule,
/// everything else backpropagates locally.
/// </summary>
public sealed record CustomDefinition : NetworkDefinition
{
    internal CustomDefinition(string contractName) => ContractName = contractName;

    /// <summary>The name in the factory's <see cref="CustomNetworkAttribute"/>, or that of a delegate.</summary>
    public string ContractName { get; }

    /// <summary>
    /// Whether training starts from the weights that the factory's network has, instead of drawing those of the layers that follow the rule
    /// anew.
    /// </summary>
    /// <value>Default: false. Parameters of other layers always start as the factory's network has them.</value>
    public bool KeepInitialWeights { get; init; }

    /// <summary>How the initial weights are drawn.</summary>
    /// <value>Default: <see cref="WeightInitialization.XavierUniform"/>.</value>
    public WeightInitialization Initialization { get; init; } = WeightInitialization.XavierUniform;

    /// <inheritdoc/>
    public override string ToString() => $"Custom(\"{ContractName}\")";

    internal override void Validate()
    {
        if (!Enum.IsDefined(Initialization))
            throw OptionError.OutOfRange("Network",
                $"Initialization must be one of {string.Join(", ", Enum.GetNames<WeightInitialization>())}; found {Initialization}.");
    }

    /// <summary>Builds the module through the registered factory.</summary>
    /// <exception cref="InvalidOperationException">No factory of that name is registered in this process, or two are, or it gives no usable network.
    /// </exception>
    internal torch.nn.Module<torch.Tensor, torch.Tensor> Build(IHostEnvironment env, NetworkShape shape)
    {
        Func<NetworkShape, torch.nn.Module<torch.Tensor, torch.Tensor>>? registered = CustomNetworkRegistry.Find(ContractName);
        object? factory = Factory(env, isRequired: registered == null);
        if (registered != null && factory != null)
            throw new InvalidOperationException($"Option Network: '{ContractName}' is the name of a delegate, registered by "
                + $"NetworkDefinition.Custom, and of {factory.GetType().FullName}. Give one of them another name.");
        if (factory != null && factory is not ICustomNetworkFactory)
            throw new InvalidOperationException(
                $"Option Network: {factory.GetType().FullName}, named '{ContractName}', must implement ICustomNetworkFactory.");
        return (registered != null ? registered(shape) : ((ICustomNetworkFactory)factory!).Create(shape)) ?? throw new InvalidOperationException(
            $"Option Network: the {(factory == null ? $"delegate of '{ContractName}'" : $"factory {factory.GetType().FullName}")} gave no network "
            + $"for an input of {string.Join(" × ", shape.Input)} and {shape.Outputs} outputs.");
    }

    /// <summary>The factory of an assembly that the context knows; null if there is none and none is required.</summary>
    private object? Factory(IHostEnvironment env, bool isRequired)
    {
        try
        {
            return env.ComponentCatalog.GetExtensionValue(env, typeof(CustomNetworkAttribute), ContractName);
        }
        catch (InvalidOperationException failure)
        {
            return !isRequired ? null : throw new InvalidOperationException(
                $"Option Network: no factory of the network '{ContractName}' is registered in this process. Before training and before loading such "
                + $"a model, call NetworkDefinition.Custom(\"{ContractName}\", shape => …) with the delegate that builds it; or put "
                + $"[CustomNetwork(\"{ContractName}\")] on the class that implements ICustomNetworkFactory and call "
                + "mlContext.ComponentCatalog.RegisterAssembly with its assembly.",
                failure);
        }
    }
}
