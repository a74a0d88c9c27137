using System.Globalization;

namespace FaMLNet.Cli;

/// <summary>Networks by name, as options give them.</summary>
internal static class NetworkNames
{
    /// <summary>What to write in help and errors.</summary>
    public const string Known =
        "mlp:128,64 (dense layers of that many units), lenet, lenet-cifar, resnet20, resnet32, resnet44, resnet56, resnet110 or resnet18";

    /// <exception cref="FormatException">No such name.</exception>
    public static NetworkDefinition Parse(string name)
    {
        try
        {
            return name.ToLowerInvariant().Split(':') switch
            {
                ["mlp", var units] => NetworkDefinition.Mlp(
                    [.. units.Split(',').Select(unit => int.Parse(unit, NumberStyles.None, CultureInfo.InvariantCulture))]),
                ["lenet"] => NetworkDefinition.LeNet(),
                ["lenet-cifar"] => NetworkDefinition.LeNetCifar(),
                ["resnet18"] => NetworkDefinition.ResNet18(),
                ["resnet20" or "resnet32" or "resnet44" or "resnet56" or "resnet110"] =>
                    NetworkDefinition.ResNet(int.Parse(name.AsSpan("resnet".Length), NumberStyles.None, CultureInfo.InvariantCulture)),
                _ => throw new FormatException("unknown"),
            };
        }
        catch (Exception failure) when (failure is FormatException or OverflowException or ArgumentException)
        {
            throw new FormatException($"--network '{name}' is not known. Take {Known}.", failure);
        }
    }
}
