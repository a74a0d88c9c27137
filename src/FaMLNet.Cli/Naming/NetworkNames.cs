using System.Globalization;

namespace FaMLNet.Cli.Naming;

/// <summary>Networks by name, as options give them.</summary>
internal static class NetworkNames
{
    /// <summary>What to write in help and errors.</summary>
    public const string Known =
        "mlp:128,64 (dense layers of that many units; mlp: for none; mlp:128,64+skip with a linear path beside them), lenet, lenet-cifar, "
        + "resnet20, resnet32, resnet44, resnet56, resnet110, resnet18, resnet34, resnet50, resnet101, resnet152, alexnet, densenet121, "
        + "densenet169, densenet201 or mnasnet; each with another activation behind a plus, for example lenet+tanh";

    private static readonly Dictionary<string, Func<NetworkDefinition>> ByName = new()
    {
        ["lenet"] = NetworkDefinition.LeNet,
        ["le_net"] = NetworkDefinition.LeNet,
        ["le_net_mnist"] = NetworkDefinition.LeNet,
        ["lenet-cifar"] = NetworkDefinition.LeNetCifar,
        ["le_net_cifar"] = NetworkDefinition.LeNetCifar,
        ["resnet18"] = NetworkDefinition.ResNet18,
        ["resnet34"] = NetworkDefinition.ResNet34,
        ["resnet50"] = NetworkDefinition.ResNet50,
        ["resnet101"] = NetworkDefinition.ResNet101,
        ["resnet152"] = NetworkDefinition.ResNet152,
        ["resnext50_32x4d"] = NetworkDefinition.ResNeXt50_32x4d,
        ["wide_resnet50_2"] = NetworkDefinition.WideResNet50_2,
        ["alexnet"] = NetworkDefinition.AlexNet,
        ["densenet121"] = NetworkDefinition.DenseNet121,
        ["densenet169"] = NetworkDefinition.DenseNet169,
        ["densenet201"] = NetworkDefinition.DenseNet201,
        ["mnasnet"] = () => NetworkDefinition.MnasNet(),
        ["mnasnet1_0"] = () => NetworkDefinition.MnasNet(),
        ["mnasnet0_5"] = () => NetworkDefinition.MnasNet(0.5),
        ["mnasnet0_75"] = () => NetworkDefinition.MnasNet(0.75),
        ["mnasnet1_3"] = () => NetworkDefinition.MnasNet(1.3),
    };

    /// <summary>The network of a name on the command line.</summary>
    /// <exception cref="FormatException">No such name.</exception>
    public static NetworkDefinition Parse(string name) => Find(name) ?? throw new FormatException($"--network '{name}' is not known. Take {Known}.");

    /// <summary>The network of a name; null if there is none.</summary>
    public static NetworkDefinition? Find(string name)
    {
        string[] parts = name.ToLowerInvariant().Split('+');
        try
        {
            NetworkDefinition? network = parts[1..].Aggregate(Plain(parts[0]), With);
            network?.Validate();
            return network;
        }
        catch (Exception failure) when (failure is FormatException or OverflowException or ArgumentException)
        {
            return null; // units that are no numbers, or too many; a linear path past nothing
        }
    }

    private static NetworkDefinition? Plain(string name)
    {
        if (ByName.TryGetValue(name, out Func<NetworkDefinition>? known))
            return known();
        return name.Split(':') switch
        {
            ["mlp", var units] => NetworkDefinition.Mlp([.. units.Split(',', StringSplitOptions.RemoveEmptyEntries)
                .Select(unit => int.Parse(unit, NumberStyles.None, CultureInfo.InvariantCulture))]),
            ["resnet20" or "resnet32" or "resnet44" or "resnet56" or "resnet110"] =>
                NetworkDefinition.ResNet(int.Parse(name.AsSpan("resnet".Length), NumberStyles.None, CultureInfo.InvariantCulture)),
            _ => null,
        };
    }

    private static NetworkDefinition? With(NetworkDefinition? network, string extra) => (network, extra) switch
    {
        (MlpDefinition mlp, "skip") => mlp with { LinearSkip = true },
        (MlpDefinition mlp, _) when EnumNames.Find<Activation>(extra) is { } activation => mlp with { Activation = activation },
        (SequentialDefinition layers, _) when EnumNames.Find<Activation>(extra) is { } activation => layers with { Activation = activation },
        _ => null,
    };
}
