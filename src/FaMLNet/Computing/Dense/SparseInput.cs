using System.Numerics;
using System.Runtime.CompilerServices;
using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using FaMLNet.Rows;

namespace FaMLNet.Computing.Dense;

/// <summary>
/// The first layer of a dense chain on sparse rows, whose weights lie feature by feature: its products are sums of the weights of the features
/// that occur, and only those have a gradient.
/// </summary>
internal sealed unsafe class SparseInput
{
    /// <summary>Products that are worth a part.</summary>
    private const int PartLength = 1 << 17;

    private readonly int _units, _skipUnits, _stride;
    private readonly Dictionary<FloatBuffer, List<int>> _written = [];
    private int[] _features = [];
    private float[] _values = [];
    private bool[] _isFirst = [];
    private int[] _starts = [0];
    private float[] _rows = [];
    private int _count;

    /// <param name="layout">Feature-major.</param>
    /// <param name="weights">Its parameters, drawn: what features that never occur would add is none of a network's business.</param>
    /// <param name="sparse">What the rows are like.</param>
    public SparseInput(DenseLayout layout, Span<float> weights, SparseFeatures sparse)
    {
        (_units, _skipUnits, _stride) = (layout.Layers[0].Outputs, layout.SkipUnits, layout.FeatureStride);
        Active = new ActiveFeatures(layout.Inputs, _stride);
        for (int feature = 0; feature < layout.Inputs; feature++)
        {
            Span<float> own = weights.Slice(feature * _stride, _stride);
            (sparse.Rows[feature] == 0 ? own : own[_units..]).Clear();
        }
    }

    /// <summary>The features of the batch.</summary>
    public ActiveFeatures Active { get; }

    /// <summary>Takes the rows of a batch.</summary>
    public void Load(TrainingData data, ReadOnlySpan<int> rows)
    {
        if (_starts.Length <= rows.Length)
            _starts = new int[rows.Length + 1];
        Active.Clear();
        int length = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            SparseRow row = data.Sparse(rows[i]);
            if (_features.Length < length + row.Indices.Length)
                Grow(length + row.Indices.Length);
            row.Indices.CopyTo(_features.AsSpan(length));
            row.Values.CopyTo(_values.AsSpan(length));
            foreach (int feature in row.Indices)
                _isFirst[length++] = Active.Add(feature);
            _starts[i + 1] = length;
        }
        _count = rows.Length;
    }

    /// <summary>W x of every row.</summary>
    /// <param name="weights">All parameters.</param>
    /// <param name="products">Receives units × width; columns beyond the batch are 0.</param>
    /// <param name="skip">Receives the same of the weights that lead straight to the outputs; null without.</param>
    /// <param name="width">Columns.</param>
    public void Multiply(float* weights, float* products, float* skip, int width)
    {
        int parts = Math.Min(_count, OpenMp.Parts((long)_starts[_count] * _stride, PartLength));
        if (_rows.Length < width * _stride)
            _rows = GC.AllocateArray<float>(width * _stride, pinned: true);
        _rows.AsSpan(_count * _stride, (width - _count) * _stride).Clear();
        int count = _count;
        OpenMp.Run(Math.Max(1, parts), part =>
        {
            for (int row = count * part / Math.Max(1, parts); row < count * (part + 1) / Math.Max(1, parts); row++)
                MultiplyRow(weights, row);
        });
        FeatureMajor.Transpose(_rows, _stride, new(products, _units * width), width, width, _units);
        FeatureMajor.Transpose(_rows.AsSpan(_units), _stride, new(skip, _skipUnits * width), width, width, _skipUnits);
    }

    /// <summary>The gradient of the weights: of a feature that occurs the errors of its rows, each times its value; 0 of all others.</summary>
    /// <param name="gradient">Of all parameters.</param>
    /// <param name="error">Units × width.</param>
    /// <param name="outputError">Outputs × width, for the weights that lead straight there.</param>
    /// <param name="width">Columns.</param>
    public void SetGradient(FloatBuffer gradient, float* error, float* outputError, int width)
    {
        FeatureMajor.Transpose(new(error, _units * width), width, _rows, _stride, _units, _count);
        FeatureMajor.Transpose(new(outputError, _skipUnits * width), width, _rows.AsSpan(_units), _stride, _skipUnits, _count);
        if (!_written.TryGetValue(gradient, out List<int>? written))
            _written[gradient] = written = [];
        foreach (int feature in written)
        {
            if (!Active.Contains(feature))
                gradient.Span.Slice(feature * _stride, _stride).Clear();
        }
        written.Clear();
        written.AddRange(Active.Features.AsSpan(0, Active.Count));
        // Units are divided among the threads: each sum is one thread's, in one order.
        int lanes = Vector<float>.Count, blocks = _stride / lanes;
        int parts = Math.Min(blocks, OpenMp.Parts((long)_starts[_count] * _stride, PartLength));
        float* g = gradient.Pointer;
        OpenMp.Run(parts, part => AddRows(g, blocks * part / parts * lanes, blocks * (part + 1) / parts * lanes));
    }

    private void MultiplyRow(float* weights, int row)
    {
        int start = _starts[row];
        fixed (int* features = _features)
        fixed (float* values = _values, rows = _rows)
            SparseProduct.Run(weights, _stride, features + start, values + start, _starts[row + 1] - start, rows + row * _stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddRows(float* gradient, int firstUnit, int endUnit)
    {
        int lanes = Vector<float>.Count;
        fixed (int* features = _features, starts = _starts)
        fixed (float* values = _values, rows = _rows)
        fixed (bool* isFirst = _isFirst)
        {
            for (int row = 0; row < _count; row++)
            {
                float* error = rows + row * _stride;
                for (int i = starts[row]; i < starts[row + 1]; i++)
                {
                    float* own = gradient + (long)features[i] * _stride;
                    Vector<float> value = new(values[i]);
                    if (isFirst[i])
                    {
                        for (int unit = firstUnit; unit < endUnit; unit += lanes)
                            Vector.Store(value * Vector.Load(error + unit), own + unit);
                    }
                    else
                    {
                        for (int unit = firstUnit; unit < endUnit; unit += lanes)
                            Vector.Store(Vector.Load(own + unit) + value * Vector.Load(error + unit), own + unit);
                    }
                }
            }
        }
    }

    private void Grow(int length)
    {
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)length);
        Array.Resize(ref _features, capacity);
        Array.Resize(ref _values, capacity);
        Array.Resize(ref _isFirst, capacity);
    }
}
