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

    /// <summary>The name in the factory's <see cref="CustomNetworkAttribute"/>.</summary>
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
    /// <exception cref="InvalidOperationException">No factory of that name is registered in this process, or it gives no usable network.</exception>
    internal torch.nn.Module<torch.Tensor, torch.Tensor> Build(IHostEnvironment env, NetworkShape shape)
    {
        object factory;
        try
        {
            factory = env.ComponentCatalog.GetExtensionValue(env, typeof(CustomNetworkAttribute), ContractName);
        }
        catch (InvalidOperationException failure)
        {
            throw new InvalidOperationException(
                $"Option Network: no factory of the network '{ContractName}' is registered in this process. Put "
                    + $"[CustomNetwork(\"{ContractName}\")] on the class that implements ICustomNetworkFactory "
                + "and call mlContext.ComponentCatalog.RegisterAssembly with its assembly, before training and before loading such a model.",
                failure);
        }
        if (factory is not ICustomNetworkFactory custom)
            throw new InvalidOperationException(
                $"Option Network: {factory.GetType().FullName}, named '{ContractName}', must implement ICustomNetworkFactory.");
        return custom.Create(shape) ?? throw new InvalidOperationException($"Option Network: the factory {factory.GetType().FullName} gave no "
            + $"network for an input of {string.Join(" × ", shape.Input)} and {shape.Outputs} outputs.");
    }
}
