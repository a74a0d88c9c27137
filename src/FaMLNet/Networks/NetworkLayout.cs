namespace FaMLNet;

/// <summary>A named array of parameters: where it lies in the flat buffer and its shape, row by row.</summary>
internal sealed record ParameterSlice(string Name, int[] Shape, int Offset)
{
    public int Length { get; } = Shape.Aggregate(1, (product, size) => checked(product * size));

    public Span<float> In(Span<float> buffer) => buffer.Slice(Offset, Length);

    public ReadOnlySpan<float> In(ReadOnlySpan<float> buffer) => buffer.Slice(Offset, Length);
}

/// <summary>A layer with weights, as rules and measurements see it.</summary>
/// <param name="Name">For example <c>conv1</c> or <c>dense2</c>.</param>
/// <param name="Weight">Its weights.</param>
/// <param name="FanIn">Inputs of one output.</param>
/// <param name="FanOut">Outputs that one input reaches (as PyTorch counts them).</param>
/// <param name="InputLength">Elements of the layer's input per row: what direct feedback projects to.</param>
internal sealed record WeightedLayer(string Name, ParameterSlice Weight, int FanIn, int FanOut, int InputLength);

/// <summary>
/// How the parameters of a network lie in one flat buffer: each starts at a multiple of 16 floats (a cache line), the gaps are 0.
/// Statistics of batch normalisation are not learnt and lie in a buffer of their own.
/// </summary>
internal abstract class NetworkLayout
{
    public const int Alignment = 16;

    private int _parameterLength, _statisticsLength;

    public abstract NetworkDefinition Definition { get; }

    public abstract WeightInitialization Initialization { get; }

    /// <summary>Features per row.</summary>
    public required int Inputs { get; init; }

    /// <summary>Classes.</summary>
    public required int Outputs { get; init; }

    /// <summary>The layers with weights, from the input upwards; the last gives the outputs.</summary>
    public List<WeightedLayer> WeightedLayers { get; } = [];

    /// <summary>
    /// Weights that lead straight from the input to the outputs, outputs × inputs, of which no rule needs to know; null without.
    /// </summary>
    public virtual ParameterSlice? Skip => null;

    /// <summary>All learnt parameters, from the input upwards.</summary>
    public List<ParameterSlice> Parameters { get; } = [];

    /// <summary>All normalisation statistics, from the input upwards.</summary>
    public List<ParameterSlice> Statistics { get; } = [];

    /// <summary>Parameters that start at 1: scales of normalisation.</summary>
    public List<ParameterSlice> Scales { get; } = [];

    /// <summary>Statistics that start at 1: running variances.</summary>
    public List<ParameterSlice> Variances { get; } = [];

    /// <summary>A layer's weights, or in a buffer like theirs what belongs to them, as a model keeps them.</summary>
    public virtual ReadOnlySpan<float> LayerOf(int layer, ReadOnlySpan<float> buffer) => WeightedLayers[layer].Weight.In(buffer);

    /// <summary>The size of a layer's weights as a model keeps them, where they are a matrix that takes all of its input; else null.</summary>
    public virtual (int Outputs, int Inputs)? MatrixOf(int layer) =>
        WeightedLayers[layer] is { Weight.Shape: [int outputs, int inputs] } found && found.InputLength == inputs ? (outputs, inputs) : null;

    /// <summary>Length of the flat parameter buffer, gaps included.</summary>
    public int ParameterLength => _parameterLength;

    /// <summary>Length of the buffer of normalisation statistics, gaps included.</summary>
    public int StatisticsLength => _statisticsLength;

    /// <summary>Multiplications and additions of one training step per row, about: what decides whether a second thread pays.</summary>
    public abstract long WorkPerRow { get; }

    /// <summary>
    /// The first of the weighted layers that an error passes on its way down: the second, unless something below the first learns as well
    /// or the first is used again further up.
    /// </summary>
    public virtual int FirstWithFeedback => 1;

    /// <summary>Numbers a row that the network sees: its features, or the pixels of the image padded or resized.</summary>
    public virtual int SeenInputs => Inputs;

    /// <summary>How a row is laid out as an image; null for a plain vector.</summary>
    public virtual ImageShape? ImageInput => null;

    /// <summary>
    /// Whether activations are normalised, so that the size of the weights before it does not show in what a layer computes, but does,
    /// inversely, in the error that passes it.
    /// </summary>
    public abstract bool IsNormalized { get; }

    /// <summary>Whether a mini-batch of a single row cannot be trained on.</summary>
    public abstract bool NeedsTwoRows { get; }

    protected ParameterSlice AddParameter(string name, params int[] shape)
    {
        ParameterSlice slice = Place(name, ref _parameterLength, shape);
        Parameters.Add(slice);
        return slice;
    }

    protected ParameterSlice AddStatistic(string name, params int[] shape)
    {
        ParameterSlice slice = Place(name, ref _statisticsLength, shape);
        Statistics.Add(slice);
        return slice;
    }

    /// <summary>A length made up to a multiple of <see cref="Alignment"/>.</summary>
    internal static int Padded(int length) => (length + Alignment - 1) / Alignment * Alignment;

    internal static ParameterSlice Place(string name, ref int offset, params int[] shape)
    {
        ParameterSlice slice;
        try
        {
            slice = new(name, shape, offset);
            offset = checked(offset + (slice.Length + Alignment - 1) / Alignment * Alignment);
        }
        catch (OverflowException)
        {
            throw OptionError.OutOfRange("Network", $"{name} of shape {string.Join(" × ", shape)} takes the network past 2,147,483,647 parameters. "
                + $"Choose fewer hidden units, or reduce the features.");
        }
        return slice;
    }
}
