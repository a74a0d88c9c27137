using System.Runtime.CompilerServices;
using FaMLNet.Computing.Kernels;

namespace FaMLNet.Computing.Dense;

/// <summary>
/// The gradient of weights that see the input. Few features have columns of zeros behind them in a batch (<see cref="DenseBatch.StrideOf"/>): the
/// product is computed with them and copied without.
/// </summary>
internal sealed class InputWeightGradient : IDisposable
{
    private readonly int _inputs, _stride;
    private readonly FloatBuffer? _wide;
    private readonly Dictionary<int, FloatMatrix> _matrices = [];

    /// <param name="layout">The network.</param>
    /// <param name="isSparse">Whether rows stay sparse, so that no gradient is computed here.</param>
    public InputWeightGradient(DenseLayout layout, bool isSparse)
    {
        (_inputs, _stride) = (layout.Inputs, DenseBatch.StrideOf(layout.Inputs));
        if (_stride == _inputs || isSparse)
            return;
        int outputs = layout.Layers[0].Outputs;
        _wide = new FloatBuffer((long)Math.Max(outputs, layout.SkipUnits) * _stride);
        foreach (int rows in new[] { outputs, layout.Skip == null ? outputs : layout.SkipUnits }.Distinct())
            _matrices[rows] = _wide.Stored(0, rows, _stride);
    }

    /// <summary>Computes error × input.</summary>
    /// <param name="weights">Where the weights lie.</param>
    /// <param name="gradient">Receives their gradient.</param>
    /// <param name="matrix">That place as a matrix.</param>
    /// <param name="error">Outputs × batch.</param>
    /// <param name="batch">Holds the input.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Set(ParameterSlice weights, FloatBuffer gradient, FloatMatrix matrix, FloatMatrix error, DenseBatch batch)
    {
        if (_wide is null)
        {
            matrix.SetToProduct(error, batch.Input!);
            return;
        }
        int rows = weights.Shape[0];
        _matrices[rows].SetToProduct(error, batch.Input!);
        Span<float> from = _wide.Span, to = weights.In(gradient.Span);
        for (int row = 0; row < rows; row++)
            from.Slice(row * _stride, _inputs).CopyTo(to.Slice(row * _inputs, _inputs));
    }

    public void Dispose() => _wide?.Dispose();
}
