using System.Collections.Concurrent;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FaMLNet;

/// <summary>The delegates that <see cref="NetworkDefinition"/>.<c>Custom(name, create)</c> registers for this process.</summary>
internal static class CustomNetworkRegistry
{
    private static readonly ConcurrentDictionary<string, Func<NetworkShape, Module<Tensor, Tensor>>> Networks = new(StringComparer.Ordinal);

    /// <summary>Registers a network; the same one again changes nothing.</summary>
    /// <exception cref="ArgumentException">The name stands for another.</exception>
    public static void Add(string name, Func<NetworkShape, Module<Tensor, Tensor>> create)
    {
        if (!Networks.GetOrAdd(name, create).Equals(create))
            throw OptionError.Argument("name", $"'{name}' is registered in this process with another delegate, and a model of that name could be of "
                + $"either network. Take another name; or keep the delegate, or the definition, in a field and use it again: a lambda that captures "
                + $"variables is another delegate each time.");
    }

    /// <summary>The network of a name; null if there is none.</summary>
    public static Func<NetworkShape, Module<Tensor, Tensor>>? Find(string name) => Networks.GetValueOrDefault(name);
}
