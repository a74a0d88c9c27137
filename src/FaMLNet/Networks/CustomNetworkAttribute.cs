using Microsoft.ML;

namespace FaMLNet;

/// <summary>Names a factory of networks of the user's own; the idiom of ML.NET's <c>CustomMappingFactoryAttribute</c>.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class CustomNetworkAttribute : ExtensionBaseAttribute
{
    /// <summary>Names the factory.</summary>
    /// <param name="contractName">The name for <see cref="NetworkDefinition.Custom(string)"/>; models save it.</param>
    public CustomNetworkAttribute(string contractName) : base(contractName) { }
}
