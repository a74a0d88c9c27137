using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using FaMLNet.Computing.Kernels;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Computing.Dense;

/// <summary>The buffers of one hidden or output layer for one width of batch, units × width.</summary>
internal sealed class DenseUnits : IDisposable
{
    public DenseUnits(DenseLayer layer, bool isOutput, MlpDefinition network, int width)
    {
        int rows = layer.Outputs;
        long length = (long)rows * width;
        Activation = new FloatBuffer(length);
        ActivationView = Activation.Stored(0, rows, width);
        OutputView = ActivationView;
        FloatBuffer output = Activation;
        if (!isOutput)
        {
            Error = new FloatBuffer(length);
            ErrorView = Error.Stored(0, rows, width);
            if (network.Activation == FaMLNet.Activation.GELU)
                Derivative = new FloatBuffer(length);
            if (network.Normalization != Normalization.None)
            {
                Standardized = new FloatBuffer(length);
                Inverse = new FloatBuffer(Math.Max(rows, width));
            }
            if (network.Dropout > 0)
            {
                Mask = new FloatBuffer(length);
                output = Dropped = new FloatBuffer(length);
                OutputView = Dropped.Stored(0, rows, width);
            }
        }
        OutputTransposed = output.Transposed(0, rows, width);
    }

    /// <summary>Activations; for the output layer logits, then the error.</summary>
    public FloatBuffer Activation { get; }

    public FloatMatrix ActivationView { get; }

    /// <summary>What the next layer sees: the activations, after dropout if there is any.</summary>
    public FloatMatrix OutputView { get; }

    public FloatMatrix OutputTransposed { get; }

    public FloatBuffer? Error { get; }

    public FloatMatrix? ErrorView { get; }

    /// <summary>f′ where it does not follow from the activation.</summary>
    public FloatBuffer? Derivative { get; }

    /// <summary>x̂ of the normalisation.</summary>
    public FloatBuffer? Standardized { get; }

    /// <summary>1/√(variance + ε): a unit (batch normalisation) or a column (layer normalisation).</summary>
    public FloatBuffer? Inverse { get; }

    public FloatBuffer? Mask { get; }

    public FloatBuffer? Dropped { get; }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Dispose()
    {
        foreach (FloatBuffer? buffer in new[] { Activation, Error, Derivative, Standardized, Inverse, Mask, Dropped })
            buffer?.Dispose();
    }
}

/// <summary>All buffers for one width of batch: the input batch-major as it comes, the layers feature-major.</summary>
internal sealed class DenseBatch : IDisposable
{
    private readonly FloatBuffer? _input;
    private readonly float[] _coefficients;
    private int[] _labels;
    private int _labelWidth = 1;
    private readonly int _features, _stride;
    private readonly FloatMatrix? _inputFeatures;

    public DenseBatch(DenseLayout layout, int width)
    {
        Width = width;
        _features = layout.Inputs;
        _stride = StrideOf(layout.Inputs);
        if (!layout.IsFeatureMajor)
        {
            _input = new FloatBuffer((long)width * _stride);
            Input = _input.Stored(0, width, _stride);
            InputTransposed = _input.Transposed(0, width, layout.Inputs, _stride);
            _inputFeatures = _input.Stored(0, width, layout.Inputs, _stride);
        }
        if (layout.SkipUnits > 0)
        {
            Skip = new FloatBuffer((long)layout.SkipUnits * width);
            SkipView = Skip.Stored(0, layout.SkipUnits, width);
        }
        Units = [.. layout.Layers.Select((layer, i) => new DenseUnits(layer, i == layout.Layers.Count - 1, layout.Network, width))];
        _labels = new int[width];
        _coefficients = new float[width];
    }

    public int Width { get; }

    /// <summary>Columns that hold rows of the batch; the others are empty.</summary>
    public int Count { get; private set; }

    public double WeightSum { get; private set; }

    /// <summary>Rows × <see cref="StrideOf"/>: the features and perhaps columns of zeros; null where rows stay sparse.</summary>
    public FloatMatrix? Input { get; }

    public FloatMatrix? InputTransposed { get; }

    public DenseUnits[] Units { get; }

    /// <summary>What reaches the outputs straight from the input, outputs × width; null without such a path.</summary>
    public FloatBuffer? Skip { get; }

    /// <summary>The same as a matrix.</summary>
    public FloatMatrix? SkipView { get; }

    /// <summary>What a direct rule sends down in the error's place, outputs × width; made when it is first asked for.</summary>
    public FloatBuffer? Signal { get; private set; }

    /// <summary>The same as a matrix.</summary>
    public FloatMatrix? SignalView { get; private set; }

    /// <summary>The labels of the columns that hold rows.</summary>
    public ReadOnlySpan<int> Labels => _labels.AsSpan(0, Count * _labelWidth);

    /// <summary>weight/count of each row, 0 beyond the batch.</summary>
    public ReadOnlySpan<float> Coefficients => _coefficients;

    /// <summary>
    /// Features, made up to a multiple of 16 where they are few: products with fewer columns than 32 take up to four times as long if they
    /// are no such multiple (measured).
    /// </summary>
    public static int StrideOf(int features) => features < 32 ? NetworkLayout.Padded(features) : features;

    /// <summary>Gathers the rows of a batch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Load(TrainingData data, ReadOnlySpan<int> rows)
    {
        Span<float> input = _input == null ? [] : _input.Span;
        ReadOnlySpan<float> weights = data.Weights;
        _labelWidth = data.LabelWidth;
        if (_labels.Length < Width * _labelWidth)
            _labels = new int[Width * _labelWidth];
        data.CopyLabels(rows, _labels);
        double sum = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            if (_input != null)
                data.CopyRow(rows[i], input.Slice(i * _stride, _features));
            float weight = weights.IsEmpty ? 1 : weights[rows[i]];
            sum += weight;
            _coefficients[i] = weight / rows.Length;
        }
        if (rows.Length < Count || Count == 0)
        {
            if (_input != null)
                input[(rows.Length * _stride)..].Clear();
            _coefficients.AsSpan(rows.Length).Clear();
        }
        Count = rows.Length;
        WeightSum = sum;
    }

    /// <summary>Puts the targets into <see cref="Signal"/>.</summary>
    public void SetTargets(TrainingLoss loss, int outputs)
    {
        if (Signal == null)
        {
            Signal = new FloatBuffer((long)outputs * Width);
            SignalView = Signal.Stored(0, outputs, Width);
        }
        loss.WriteTargets(Signal.Span, Labels, Coefficients, outputs, 1, Width);
    }

    /// <summary>Takes the rows of another batch of this width, each with its error, times the number of rows, added through F.</summary>
    /// <param name="clean">The batch; its output units hold the error.</param>
    /// <param name="feedback">F, outputs × features.</param>
    public void Modulate(DenseBatch clean, FloatMatrix feedback)
    {
        _inputFeatures!.SetToProduct(clean.Units[^1].OutputTransposed, feedback);
        TensorPrimitives.MultiplyAdd(_input!.Span, (float)clean.Count, clean._input!.Span, _input.Span);
        Count = clean.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Dispose()
    {
        _input?.Dispose();
        Signal?.Dispose();
        Skip?.Dispose();
        foreach (DenseUnits units in Units)
            units.Dispose();
    }
}
