using FaMLNet.Interop;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Kernels;

/// <summary>A matrix in the memory of a <see cref="FloatBuffer"/>, row-major, or the transpose of one.</summary>
internal sealed unsafe class FloatMatrix
{
    private readonly float* _first;
    private readonly int _rows, _columns, _stride;
    private readonly bool _isTransposed;
    private readonly Tensor _view;

    /// <param name="first">The first element.</param>
    /// <param name="rows">Of the matrix as it is seen.</param>
    /// <param name="columns">Of the matrix as it is seen.</param>
    /// <param name="stride">Elements from one stored row to the next.</param>
    /// <param name="isTransposed">Whether it is stored as its transpose.</param>
    /// <param name="view">The same as a tensor.</param>
    public FloatMatrix(float* first, int rows, int columns, int stride, bool isTransposed, Tensor view)
    {
        _first = first;
        (_rows, _columns, _stride, _isTransposed, _view) = (rows, columns, stride, isTransposed, view);
    }

    /// <summary>The first element.</summary>
    public float* First => _first;

    /// <summary>Puts the product of two others here.</summary>
    public void SetToProduct(FloatMatrix a, FloatMatrix b)
    {
        if (Blas.IsThere)
            Blas.Multiply(a._first, a._stride, a._isTransposed, b._first, b._stride, b._isTransposed, _first, _stride, _rows, _columns, a._columns);
        else
            SetToProductByLibTorch(a, b);
    }

    /// <summary>The same where the product cannot be called directly.</summary>
    internal void SetToProductByLibTorch(FloatMatrix a, FloatMatrix b) => _view.addmm_(a._view, b._view, beta: 0);
}
