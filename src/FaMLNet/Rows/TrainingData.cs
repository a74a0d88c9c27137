using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FaMLNet.Tasks.Labels;
using Microsoft.ML.Data;

namespace FaMLNet.Rows;

/// <summary>
/// The rows to train on, in memory: features in blocks of consecutive rows, so that data of unknown length grows without being copied. Rows
/// that are pixels (whole numbers to 255, or those divided by 255) stay bytes, a quarter of the memory, as long as that loses nothing. Sparse rows
/// are kept as the values that are not 0.
/// </summary>
internal sealed class TrainingData
{
    private const int BlockElements = 1 << 20;
    private const int LeastImage = 64;

    private readonly List<float[]> _blocks = [];
    private readonly List<int> _labels = [];
    private int _count;
    private readonly List<float> _weights = [];

    // Rows a block: a power of two, so that finding a row is a shift and a mask.
    private readonly int _shift;

    private readonly float[] _pending;
    private List<byte[]>? _pixels;
    private float[] _decoded = PixelCode.Tables[0];
    private float[]? _means;
    private readonly SparseRows? _sparse;

    /// <param name="features">Features per row, at least 1.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="expectedRows">How many rows are coming, if known.</param>
    /// <param name="packs">Whether pixels may stay bytes.</param>
    /// <param name="kind">What labels are.</param>
    /// <param name="sparse">Whether rows are kept as the values that are not 0.</param>
    /// <param name="labelWidth">Values per label.</param>
    public TrainingData(int features, int classes, long? expectedRows = null, bool packs = true, LabelKind kind = LabelKind.Class,
        bool sparse = false, int labelWidth = 1)
    {
        LabelWidth = labelWidth;
        Features = features;
        Classes = classes;
        Kind = kind;
        long rows = Math.Clamp(expectedRows ?? BlockElements, 1, Math.Max(1, BlockElements / features));
        _shift = BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)rows));
        _sparse = sparse ? new SparseRows() : null;
        _pixels = packs && !sparse && features >= LeastImage ? [] : null;
        _pending = sparse ? [] : new float[features];
    }

    public int Features { get; }

    /// <summary>The classes of the label; 1 for numbers.</summary>
    public int Classes { get; }

    public LabelKind Kind { get; }

    /// <summary>Values per label: 1, or more where labels are vectors.</summary>
    public int LabelWidth { get; }

    public int Count => _count;

    /// <summary>Memory taken by the features of the rows.</summary>
    public long Bytes => _sparse != null ? _sparse.Bytes : (long)Count * Features * (_pixels == null ? sizeof(float) : 1);

    /// <summary>Whether rows are kept as bytes.</summary>
    public bool IsPacked => _pixels != null;

    /// <summary>Whether rows are kept as the values that are not 0.</summary>
    public bool IsSparse => _sparse != null;

    /// <summary>Of sparse rows, the share of values that are not 0.</summary>
    public double Share => Count == 0 ? 0 : (double)_sparse!.Values / Count / Features;

    /// <summary>The labels of all rows, as <see cref="Kind"/> says: rows × <see cref="LabelWidth"/>.</summary>
    public ReadOnlySpan<int> Labels => CollectionsMarshal.AsSpan(_labels);

    /// <summary>A row's label.</summary>
    public ReadOnlySpan<int> LabelOf(int row) => Labels.Slice(row * LabelWidth, LabelWidth);

    /// <summary>A row's class, from 0.</summary>
    public int ClassOf(int row) => Kind.ClassOf(_labels[row * LabelWidth]);

    /// <summary>Copies the labels of some rows, one behind the other.</summary>
    public void CopyLabels(ReadOnlySpan<int> rows, Span<int> destination)
    {
        ReadOnlySpan<int> labels = Labels;
        int width = LabelWidth;
        if (width == 1)
        {
            for (int i = 0; i < rows.Length; i++)
                destination[i] = labels[rows[i]];
            return;
        }
        for (int i = 0; i < rows.Length; i++)
            labels.Slice(rows[i] * width, width).CopyTo(destination[(i * width)..]);
    }

    /// <summary>The weight of each row; empty without a weight column.</summary>
    public ReadOnlySpan<float> Weights => CollectionsMarshal.AsSpan(_weights);

    /// <summary>Mean and deviation of the numbers or truth values that some rows have for labels; nothing for other labels.</summary>
    public TargetMoments MomentsOf(ReadOnlySpan<int> rows)
    {
        TargetMoments moments = new(LabelWidth);
        foreach (int row in rows)
            moments.Add(Kind, LabelOf(row));
        return moments;
    }

    /// <summary>Copies a row's features.</summary>
    public void CopyRow(int row, Span<float> destination)
    {
        if (_sparse != null)
        {
            _sparse[row].CopyTo(destination[..Features]);
            return;
        }
        if (_pixels == null)
        {
            Floats(row).CopyTo(destination);
            return;
        }
        PixelCode.Decode(Pixels(row), _decoded, destination);
        if (_means != null)
            TensorPrimitives.Subtract(destination[..Features], _means, destination);
    }

    /// <summary>A row's features, in place or in <paramref name="scratch"/>.</summary>
    public ReadOnlySpan<float> Row(int row, Span<float> scratch)
    {
        if (_pixels == null && _sparse == null)
            return Floats(row);
        CopyRow(row, scratch);
        return scratch[..Features];
    }

    /// <summary>A sparse row.</summary>
    public SparseRow Sparse(int row) => _sparse![row];

    /// <summary>Adds a row, sparse or not, as rows are kept here.</summary>
    /// <param name="features">Well formed.</param>
    /// <param name="label">Its label.</param>
    /// <param name="weight">Its weight; null without a column.</param>
    public void Add(in VBuffer<float> features, ReadOnlySpan<int> label, float? weight)
    {
        if (_sparse == null)
            features.CopyTo(Next());
        else
            _sparse.Add(features);
        Commit(label, weight);
    }

    /// <summary>Adds a sparse row of other data that is kept so.</summary>
    public void Add(SparseRow features, ReadOnlySpan<int> label, float? weight)
    {
        _sparse!.Add(features.Indices, features.Values);
        Commit(label, weight);
    }

    /// <summary>The same rows with all their values.</summary>
    /// <param name="expectedRows">How many rows are coming, if known.</param>
    public TrainingData ToDense(long? expectedRows)
    {
        TrainingData dense = new(Features, Classes, expectedRows, kind: Kind, labelWidth: LabelWidth);
        for (int row = 0; row < Count; row++)
        {
            CopyRow(row, dense.Next());
            dense.Commit(LabelOf(row), _weights.Count == 0 ? null : _weights[row]);
        }
        return dense;
    }

    /// <summary>Room for the next row's features: written to, it becomes a row by <see cref="Commit(ReadOnlySpan{int}, float?)"/>.</summary>
    public Span<float> Next()
    {
        if (_pixels != null)
            return _pending;
        if (Count >> _shift == _blocks.Count)
            _blocks.Add(GC.AllocateUninitializedArray<float>(Features << _shift));
        return Floats(Count);
    }

    /// <summary>Makes a row of what was written to <see cref="Next"/>.</summary>
    /// <param name="label">A label of one value.</param>
    /// <param name="weight">Its weight; null without a column.</param>
    public void Commit(int label, float? weight) => Commit(new ReadOnlySpan<int>(in label), weight);

    /// <inheritdoc cref="Commit(int, float?)"/>
    /// <param name="label">Its label.</param>
    /// <param name="weight">Its weight; null without a column.</param>
    public void Commit(ReadOnlySpan<int> label, float? weight)
    {
        if (_pixels != null && !TryPack())
        {
            Unpack();
            _pending.CopyTo(Next());
        }
        _labels.AddRange(label);
        _count++;
        if (weight.HasValue)
            _weights.Add(weight.Value);
    }

    /// <summary>Another number each time that the rows have been replaced by others.</summary>
    public long Version { get; private set; }

    /// <summary>Forgets all rows, keeping the memory for others.</summary>
    public void Clear()
    {
        Version++;
        _sparse?.Clear();
        _labels.Clear();
        _count = 0;
        _weights.Clear();
    }

    /// <summary>Every feature's mean over some rows.</summary>
    public float[] MeansOf(ReadOnlySpan<int> rows)
    {
        const int Block = 256;
        double[] sums = new double[Features];
        float[] means = new float[Features], scratch = new float[Features];
        for (int from = 0; from < rows.Length; from += Block)
        {
            // Floats within a block, doubles over blocks: fast, and exact enough however many rows there are.
            means.AsSpan().Clear();
            for (int i = from; i < Math.Min(rows.Length, from + Block); i++)
                TensorPrimitives.Add(means, Row(rows[i], scratch), means);
            for (int feature = 0; feature < sums.Length; feature++)
                sums[feature] += means[feature];
        }
        for (int feature = 0; feature < sums.Length; feature++)
            means[feature] = (float)(sums[feature] / rows.Length);
        return means;
    }

    /// <summary>Subtracts the means from every row.</summary>
    public void Center(float[] means)
    {
        if (_pixels != null)
            _means = means;
        else
        {
            for (int row = 0; row < Count; row++)
                TensorPrimitives.Subtract(Floats(row), means, Floats(row));
        }
    }

    /// <summary>Mean and standard deviation of each channel of images over some rows; a constant channel has deviation 1.</summary>
    public void MeasureChannels(ReadOnlySpan<int> rows, int channels, Span<float> mean, Span<float> deviation)
    {
        int pixels = Features / channels;
        float[] scratch = new float[Features];
        for (int channel = 0; channel < channels; channel++)
        {
            double sum = 0, squares = 0, count = (double)rows.Length * pixels;
            foreach (int row in rows)
                sum += TensorPrimitives.Sum(Row(row, scratch).Slice(channel * pixels, pixels));
            float average = (float)(sum / count);
            foreach (int row in rows)
            {
                // Differences first: the variance of bright images would drown in their squares.
                Span<float> difference = scratch.AsSpan(channel * pixels, pixels);
                TensorPrimitives.Subtract(Row(row, scratch).Slice(channel * pixels, pixels), average, difference);
                squares += TensorPrimitives.SumOfSquares<float>(difference);
            }
            mean[channel] = average;
            float spread = (float)Math.Sqrt(squares / count);
            deviation[channel] = spread > 0 ? spread : 1;
        }
    }

    /// <summary>Multiplies the weight of each row; without weights, these are they.</summary>
    /// <param name="byClass">A factor for each class; null for none.</param>
    /// <param name="factor">A factor for all.</param>
    public void MultiplyWeights(float[]? byClass, double factor)
    {
        if (_weights.Count == 0)
        {
            if (byClass == null)
                return;
            CollectionsMarshal.SetCount(_weights, Count);
            CollectionsMarshal.AsSpan(_weights).Fill(1);
        }
        Span<float> weights = CollectionsMarshal.AsSpan(_weights);
        for (int i = 0; i < weights.Length; i++)
            weights[i] = (float)(weights[i] * (byClass?[ClassOf(i)] ?? 1) * factor);
    }

    /// <summary>SHA-256 of features, labels and weights, in their order.</summary>
    /// <param name="checkCancelled">Called every few rows; throws to stop. Null for nothing.</param>
    public string Hash(Action? checkCancelled = null)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        float[] scratch = new float[_sparse == null ? Features : 0];
        for (int row = 0; row < Count; row++)
        {
            if ((row & 255) == 0)
                checkCancelled?.Invoke();
            if (_sparse != null)
                AppendTo(hash, _sparse[row]);
            else
                hash.AppendData(MemoryMarshal.AsBytes(Row(row, scratch)));
        }
        hash.AppendData(MemoryMarshal.AsBytes(Labels));
        hash.AppendData(MemoryMarshal.AsBytes(Weights));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>Adds a sparse row to a hash.</summary>
    public static void AppendTo(IncrementalHash hash, SparseRow row)
    {
        int length = row.Indices.Length;
        hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in length)));
        hash.AppendData(MemoryMarshal.AsBytes(row.Indices));
        hash.AppendData(MemoryMarshal.AsBytes(row.Values));
    }

    private Span<float> Floats(int row) => _blocks[row >> _shift].AsSpan((row & ((1 << _shift) - 1)) * Features, Features);

    private Span<byte> Pixels(int row) => _pixels![row >> _shift].AsSpan((row & ((1 << _shift) - 1)) * Features, Features);

    private bool TryPack()
    {
        if (Count >> _shift == _pixels!.Count)
            _pixels.Add(GC.AllocateUninitializedArray<byte>(Features << _shift));
        if (PixelCode.TryEncode(_pending, _decoded, Pixels(Count)))
            return true;
        // While all rows were black, or none has been, the code may still be another.
        if (!RowsAreBlack())
            return false;
        foreach (float[] table in PixelCode.Tables)
        {
            if (PixelCode.TryEncode(_pending, table, Pixels(Count)))
            {
                _decoded = table;
                return true;
            }
        }
        return false;
    }

    private bool RowsAreBlack()
    {
        for (int row = 0; row < Count; row++)
        {
            if (Pixels(row).ContainsAnyExcept((byte)0))
                return false;
        }
        return true;
    }

    private void Unpack()
    {
        List<byte[]> pixels = _pixels!;
        for (int block = 0; block < pixels.Count; block++)
        {
            float[] values = GC.AllocateUninitializedArray<float>(pixels[block].Length);
            PixelCode.Decode(pixels[block], _decoded, values);
            _blocks.Add(values);
            pixels[block] = [];
        }
        _pixels = null;
    }
}
