using System.Numerics.Tensors;
using FaMLNet.Computing.Kernels;

namespace FaMLNet.Scoring;

/// <summary>
/// The normalisation of dense layers at prediction, bias included, row by row: batch normalisation is a scale and a shift a unit, folded here
/// once; layer normalisation is computed.
/// </summary>
internal sealed class FoldedNormalization
{
    private readonly float[] _parameters;
    private readonly float[]?[] _scales, _shifts;

    public FoldedNormalization(DenseLayout layout, float[] parameters, float[] statistics)
    {
        _parameters = parameters;
        _scales = new float[layout.Layers.Count][];
        _shifts = new float[layout.Layers.Count][];
        for (int i = 0; i < layout.Layers.Count; i++)
        {
            if (layout.Layers[i] is not
                {
                    RunningMean: { } mean, RunningVariance: { } variance, NormScale: { } scale, NormShift: { } shift,
                    Bias: { } bias, Outputs: int units
                })
                continue;
            float[] scales = new float[units], shifts = new float[units];
            for (int unit = 0; unit < units; unit++)
            {
                float factor = parameters[scale.Offset + unit] / MathF.Sqrt(statistics[variance.Offset + unit] + NormalizationKernels.Epsilon);
                scales[unit] = factor;
                shifts[unit] = parameters[shift.Offset + unit] + (parameters[bias.Offset + unit] - statistics[mean.Offset + unit]) * factor;
            }
            (_scales[i], _shifts[i]) = (scales, shifts);
        }
    }

    /// <summary>Adds the bias, and normalises if the layer has batch normalisation.</summary>
    /// <param name="index">Of the layer.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="values">Its products for one row.</param>
    public void Normalize(int index, DenseLayer layer, Span<float> values)
    {
        if (_scales[index] is { } scales)
            TensorPrimitives.MultiplyAdd(values, scales, _shifts[index], values);
        else
            TensorPrimitives.Add(values, Of(layer.Bias), values);
    }

    /// <summary>The error before that normalisation, in place.</summary>
    public void Backward(int index, Span<float> error)
    {
        if (_scales[index] is { } scales)
            TensorPrimitives.Multiply(error, scales, error);
    }

    /// <summary>Adds the bias and applies layer normalisation.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="values">Its products for one row.</param>
    /// <param name="standardized">Receives them standardised, before scale and shift; empty if they are not wanted.</param>
    /// <returns>1/√(variance + ε).</returns>
    public float NormalizeLayer(DenseLayer layer, Span<float> values, Span<float> standardized)
    {
        TensorPrimitives.Add(values, Of(layer.Bias), values);
        TensorPrimitives.Subtract(values, TensorPrimitives.Sum<float>(values) / values.Length, values);
        float variance = TensorPrimitives.SumOfSquares<float>(values) / values.Length;
        float inverse = 1 / MathF.Sqrt(variance + NormalizationKernels.Epsilon);
        TensorPrimitives.Multiply(values, inverse, values);
        if (!standardized.IsEmpty)
            values.CopyTo(standardized);
        TensorPrimitives.MultiplyAdd(values, Of(layer.NormScale!), Of(layer.NormShift!), values);
        return inverse;
    }

    /// <summary>The error before layer normalisation, in place.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="error">After it.</param>
    /// <param name="standardized">From the forward pass.</param>
    /// <param name="inverse">From the forward pass.</param>
    public void BackwardLayer(DenseLayer layer, Span<float> error, ReadOnlySpan<float> standardized, float inverse)
    {
        TensorPrimitives.Multiply(error, Of(layer.NormScale!), error);
        float mean = TensorPrimitives.Sum<float>(error) / error.Length, slope = TensorPrimitives.Dot(error, standardized) / error.Length;
        for (int i = 0; i < error.Length; i++)
            error[i] = inverse * (error[i] - mean - standardized[i] * slope);
    }

    private ReadOnlySpan<float> Of(ParameterSlice slice) => slice.In((ReadOnlySpan<float>)_parameters);
}
