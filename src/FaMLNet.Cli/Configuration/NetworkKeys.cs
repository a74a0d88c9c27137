using FaMLNet.Cli.Naming;

namespace FaMLNet.Cli.Configuration;

/// <summary>The keys of a configuration that say what network it is, and how its weights are drawn.</summary>
internal static class NetworkKeys
{
    /// <summary>The network; null where the configuration names none.</summary>
    /// <exception cref="FormatException">It is not known.</exception>
    public static NetworkDefinition? Read(ConfigurationKeys keys, string dataset)
    {
        if (keys.Text("model.architecture") is not { } name)
            return null;
        NetworkDefinition network = NetworkNames.Find(name)
            ?? throw keys.Error("model.architecture", $"the network '{name}' is not known. Take {NetworkNames.Known}.");
        if (Initialization(keys.Text("model.mode.options.init")) is { } initialization)
        {
            network = network switch
            {
                MlpDefinition mlp => mlp with { Initialization = initialization },
                SequentialDefinition sequential => sequential with { Initialization = initialization },
                _ => network,
            };
        }
        // Image files are brought to their size while they are decoded; images of that size already need nothing.
        int? own = dataset switch
        {
            "mnist" or "fashion-mnist" or "fashion_mnist" or "kmnist" or "emnist" => 28,
            "cifar10" or "cifar10_benchmark" or "cifar100" => 32,
            _ => null,
        };
        return keys.Int("data.target_size") is { } size && own is { } known && size != known && network is SequentialDefinition layers
            ? layers.Resized(size) : network;
    }

    /// <summary>How weights are drawn, by the name in a configuration; null for none.</summary>
    public static WeightInitialization? Initialization(string? name) => name switch
    {
        "xavier" => WeightInitialization.XavierUniform,
        "xavier_normal" => WeightInitialization.XavierNormal,
        "kaiming" => WeightInitialization.KaimingUniform,
        "kaiming_normal" => WeightInitialization.KaimingNormal,
        "pytorch" => WeightInitialization.PyTorchDefault,
        _ => null,
    };
}
