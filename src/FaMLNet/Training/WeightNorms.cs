using System.Numerics.Tensors;
using FaMLNet.Interop;
using FaMLNet.Training.Autograd;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet.Training;

/// <summary>
/// The norms that the weights of each layer have before the first update, to which they are scaled back after every one. Moskovitz, Litwin-Kumar
/// and Abbott, "Feedback alignment in deep convolutional networks", 2018, arXiv 1812.06488. Biases and normalisation are left alone; so is a layer
/// whose weights are all 0.
/// </summary>
internal sealed class WeightNorms
{
    private readonly NetworkLayout _layout;

    /// <param name="layout">The network.</param>
    /// <param name="weights">Its weights before the first update.</param>
    public WeightNorms(NetworkLayout layout, ReadOnlySpan<float> weights)
    {
        _layout = layout;
        Values = new float[layout.WeightedLayers.Count];
        for (int i = 0; i < Values.Length; i++)
            Values[i] = TensorPrimitives.Norm(layout.WeightedLayers[i].Weight.In(weights));
    }

    /// <summary>One a layer with weights; a checkpoint's take their place.</summary>
    public float[] Values { get; }

    /// <summary>Scales weights back.</summary>
    /// <param name="weights">The parameters.</param>
    /// <param name="update">What the step added to them, if anyone asks: it comes to contain the scaling.</param>
    public void Apply(Span<float> weights, Span<float> update = default)
    {
        for (int i = 0; i < Values.Length; i++)
        {
            Span<float> own = _layout.WeightedLayers[i].Weight.In(weights);
            float norm = TensorPrimitives.Norm<float>(own);
            if (norm == 0 || Values[i] == 0)
                continue;
            Span<float> added = update.IsEmpty ? [] : _layout.WeightedLayers[i].Weight.In(update);
            if (!added.IsEmpty)
                TensorPrimitives.Subtract<float>(added, own, added);
            TensorPrimitives.Multiply(own, Values[i] / norm, own);
            if (!added.IsEmpty)
                TensorPrimitives.Add<float>(added, own, added);
        }
    }

    /// <summary>The same on a device, without a word to the host.</summary>
    public void Apply(Tensor flat)
    {
        for (int i = 0; i < Values.Length; i++)
        {
            if (Values[i] == 0)
                continue;
            using Tensor own = FlatTensors.View(flat, _layout.WeightedLayers[i].Weight), norm = own.norm(), factor = norm.reciprocal();
            own.mul_(factor.Scale(Values[i]));
        }
    }
}
