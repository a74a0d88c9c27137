using FaMLNet.Interop;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>What each layer with weights is given in a pass; added up where a layer is used more than once.</summary>
/// <param name="layers">How many there are.</param>
internal sealed class LayerInputs(int layers)
{
    private readonly Tensor?[] _sums = new Tensor?[layers];

    /// <summary>By the layer's index; null for layers that the pass has not met.</summary>
    public IReadOnlyList<Tensor?> Sums => _sums;

    /// <summary>A layer is given something.</summary>
    public void Add(int layer, Tensor input)
    {
        using IDisposable grad = no_grad();
        if (_sums[layer] is { } sum && sum.numel() == input.numel())
        {
            using Tensor more = input.detach().reshape(sum.shape);
            sum.add_(more, Scalars.One);
        }
        else
        {
            // A module may run its layers in a scope of its own, which the copy outlives.
            _sums[layer]?.Dispose();
            _sums[layer] = input.detach().clone().DetachFromDisposeScope();
        }
    }

    /// <summary>Frees them.</summary>
    public void Clear()
    {
        foreach (Tensor? sum in _sums)
            sum?.Dispose();
        Array.Clear(_sums);
    }
}
