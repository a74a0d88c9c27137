using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Kernels;

/// <summary>
/// Zeroed memory that libtorch and managed SIMD code share: a tensor of floats, 64-byte aligned, with a pointer to its elements. The owner
/// keeps it in a field (a pointer alone does not keep the memory alive) and disposes it.
/// </summary>
internal sealed unsafe class FloatBuffer : IDisposable
{
    private readonly Tensor _tensor;
    private readonly List<Tensor> _views = [];
    private readonly Dictionary<(int Offset, int Rows, int Columns), Tensor> _matrices = [];
    private readonly Dictionary<ParameterSlice, Tensor> _parameters = [];

    public FloatBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, int.MaxValue);
        using DisposeScope scope = NewDisposeScope();
        _tensor = zeros(Math.Max(length, 1), ScalarType.Float32).DetachFromDisposeScope();
        Length = (int)length;
        fixed (byte* start = _tensor.bytes)
            Pointer = (float*)start;
    }

    public int Length { get; }

    public float* Pointer { get; }

    public Span<float> Span => new(Pointer, Length);

    /// <summary>A view of rows × columns elements from <paramref name="offset"/>, owned by this buffer and made once.</summary>
    public Tensor Matrix(int offset, int rows, int columns) =>
        _matrices.TryGetValue((offset, rows, columns), out Tensor? known) ? known
            : _matrices[(offset, rows, columns)] = Keep(_tensor.as_strided([rows, columns], [columns, 1], offset));

    /// <summary>
    /// A matrix of rows × columns elements from <paramref name="offset"/>; its rows are <paramref name="stride"/> elements apart, by
    /// default without gaps.
    /// </summary>
    public FloatMatrix Stored(int offset, int rows, int columns, int? stride = null) =>
        new(Pointer + offset, rows, columns, stride ?? columns, isTransposed: false,
            Keep(_tensor.as_strided([rows, columns], [stride ?? columns, 1], offset)));

    /// <summary>The transpose of <see cref="Stored"/>, over the same memory.</summary>
    public FloatMatrix Transposed(int offset, int rows, int columns, int? stride = null) =>
        new(Pointer + offset, columns, rows, stride ?? columns, isTransposed: true,
            Keep(_tensor.as_strided([columns, rows], [1, stride ?? columns], offset)));

    /// <summary>A view of a parameter in its own shape, owned by this buffer and made once.</summary>
    public Tensor View(ParameterSlice slice) =>
        _parameters.TryGetValue(slice, out Tensor? known) ? known
            : _parameters[slice] = Keep(Fresh(slice.Offset, [.. slice.Shape.Select(size => (long)size)]));

    /// <summary>A view of the given shape from <paramref name="offset"/>, owned by the caller.</summary>
    public Tensor Fresh(int offset, params long[] shape)
    {
        long[] strides = new long[shape.Length];
        long stride = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }
        return _tensor.as_strided(shape, strides, offset);
    }

    public void Dispose()
    {
        foreach (Tensor view in _views)
            view.Dispose();
        _views.Clear();
        _tensor.Dispose();
    }

    private Tensor Keep(Tensor view)
    {
        view.DetachFromDisposeScope();
        _views.Add(view);
        return view;
    }
}
