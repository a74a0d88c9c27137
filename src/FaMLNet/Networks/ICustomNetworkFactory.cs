using static TorchSharp.torch;

namespace FaMLNet;

/// <summary>
/// Builds a TorchSharp network of the user's own for <see cref="NetworkDefinition.Custom(string)"/>. Put <see cref="CustomNetworkAttribute"/> on the
/// class, give it a public parameterless constructor, and call <c>mlContext.ComponentCatalog.RegisterAssembly</c> in every process that trains
/// or loads such a network.
/// </summary>
public interface ICustomNetworkFactory
{
    /// <summary>Builds the network. Must give the same layers, in the same order, whenever the shape is the same.</summary>
    /// <param name="shape">The sizes of input and output.</param>
    /// <returns>A module from rows × input to rows × outputs (logits: no softmax at the end), with parameters of 32-bit floats.</returns>
    public nn.Module<Tensor, Tensor> Create(NetworkShape shape);
}
