using System.Numerics.Tensors;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet.Training;

/// <summary>
/// The norms that the weights of each layer have before the first update, to which they are scaled back after every one. Moskovitz, Litwin-Kumar
/// and Abbott, "Feedback alignment in deep convolutional networks", 2018, arXiv 1812.06488. Biases, normalisation and a linear path past the hidden
/// layers are left alone; so is a layer whose weights are all 0.
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
            Values[i] = NormOf(i, weights);
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
            float norm = NormOf(i, weights);
            if (norm == 0 || Values[i] == 0)
                continue;
            (int count, int stride, int length) = PartsOf(i);
            for (int part = 0; part < count; part++)
            {
                Span<float> own = _layout.WeightedLayers[i].Weight.In(weights).Slice(part * stride, length);
                Span<float> added = update.IsEmpty ? [] : _layout.WeightedLayers[i].Weight.In(update).Slice(part * stride, length);
                if (!added.IsEmpty)
                    TensorPrimitives.Subtract<float>(added, own, added);
                TensorPrimitives.Multiply(own, Values[i] / norm, own);
                if (!added.IsEmpty)
                    TensorPrimitives.Add<float>(added, own, added);
            }
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

    private float NormOf(int layer, ReadOnlySpan<float> weights)
    {
        ReadOnlySpan<float> own = _layout.WeightedLayers[layer].Weight.In(weights);
        (int count, int stride, int length) = PartsOf(layer);
        if (count == 1)
            return TensorPrimitives.Norm(own);
        double squares = 0;
        for (int part = 0; part < count; part++)
            squares += TensorPrimitives.SumOfSquares(own.Slice(part * stride, length));
        return (float)Math.Sqrt(squares);
    }

    /// <summary>A layer's weights are one part, unless those of a linear path lie between them, feature by feature.</summary>
    private (int Count, int Stride, int Length) PartsOf(int layer) =>
        layer == 0 && _layout is DenseLayout { IsFeatureMajor: true, SkipUnits: > 0 } dense
            ? (dense.Inputs, dense.FeatureStride, dense.Layers[0].Outputs) : (1, 0, _layout.WeightedLayers[layer].Weight.Length);
}
