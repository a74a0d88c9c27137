using System.Numerics.Tensors;

namespace FaMLNet.Rows;

/// <summary>
/// Sums over rows that are seen once: means and deviations of their features, and of sparse rows in how many each feature occurs.
/// </summary>
/// <param name="features">Features of a row.</param>
/// <param name="sparse">Whether the rows are.</param>
internal sealed class FeatureSums(int features, bool sparse)
{
    private const int BlockRows = 256;

    private readonly double[] _sums = new double[features], _squares = new double[features];

    // Of dense rows differences to the first are summed, in floats within a block and in doubles over blocks: fast, and exact enough however many
    // rows there are. The first of sparse rows counts as 0.
    private readonly float[] _first = new float[features];
    private readonly float[] _difference = new float[sparse ? 0 : features], _blockSums = new float[sparse ? 0 : features],
        _blockSquares = new float[sparse ? 0 : features];
    private readonly int[] _rowsOf = new int[sparse ? features : 0];
    private int _inBlock;
    private long _values;

    public long Rows { get; private set; }

    /// <summary>What sparse rows are like.</summary>
    public SparseFeatures Occurrences => new((double)_values / Math.Max(1, Rows), _rowsOf);

    /// <summary>Adds a dense row.</summary>
    public void Add(ReadOnlySpan<float> row)
    {
        if (Rows++ == 0)
            row.CopyTo(_first);
        TensorPrimitives.Subtract(row, _first, _difference);
        TensorPrimitives.Add(_blockSums, _difference, _blockSums);
        TensorPrimitives.MultiplyAdd(_difference, _difference, _blockSquares, _blockSquares);
        if (++_inBlock == BlockRows)
            EndBlock();
    }

    /// <summary>Adds a sparse row.</summary>
    public void Add(SparseRow row)
    {
        Rows++;
        _values += row.Indices.Length;
        for (int i = 0; i < row.Indices.Length; i++)
        {
            int feature = row.Indices[i];
            _rowsOf[feature]++;
            _sums[feature] += row.Values[i];
            _squares[feature] += (double)row.Values[i] * row.Values[i];
        }
    }

    /// <summary>Every feature's mean.</summary>
    public float[] Means()
    {
        EndBlock();
        return [.. _sums.Select((sum, i) => (float)(_first[i] + sum / Rows))];
    }

    /// <summary>Mean and standard deviation of each channel of images; a constant channel has deviation 1.</summary>
    public void MeasureChannels(int channels, Span<float> mean, Span<float> deviation)
    {
        EndBlock();
        int pixels = features / channels;
        for (int channel = 0; channel < channels; channel++)
        {
            double average = 0, spread = 0;
            for (int i = channel * pixels; i < (channel + 1) * pixels; i++)
                average += (_first[i] + _sums[i] / Rows) / pixels;
            for (int i = channel * pixels; i < (channel + 1) * pixels; i++)
            {
                // E(x − m)² from the sums of x − s and (x − s)².
                double distance = _first[i] - average;
                spread += (_squares[i] / Rows + 2 * distance * _sums[i] / Rows + distance * distance) / pixels;
            }
            mean[channel] = (float)average;
            deviation[channel] = spread > 0 ? (float)Math.Sqrt(spread) : 1;
        }
    }

    private void EndBlock()
    {
        for (int i = 0; i < _blockSums.Length; i++)
        {
            _sums[i] += _blockSums[i];
            _squares[i] += _blockSquares[i];
        }
        Array.Clear(_blockSums);
        Array.Clear(_blockSquares);
        _inBlock = 0;
    }
}
