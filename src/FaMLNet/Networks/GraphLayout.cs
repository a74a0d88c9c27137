using System.Diagnostics.CodeAnalysis;

namespace FaMLNet;

/// <summary>A layer of a <see cref="SequentialDefinition"/> with its sizes known and its parameters placed.</summary>
/// <param name="Definition">The layer.</param>
/// <param name="Input">The shape of its input; a vector is length × 1 × 1.</param>
/// <param name="Output">The shape of its output.</param>
internal sealed record GraphNodeSpec(Layer Definition, ImageShape Input, ImageShape Output)
{
    /// <summary>Index among the weighted layers; −1 for a layer without weights.</summary>
    public int WeightedIndex { get; init; } = -1;

    public ParameterSlice? Weight { get; init; }

    public ParameterSlice? Bias { get; init; }

    public ParameterSlice? RunningMean { get; init; }

    public ParameterSlice? RunningVariance { get; init; }

    /// <summary>Of an activation: the layer whose units it activates.</summary>
    public string Units { get; init; } = "";

    public IReadOnlyList<GraphNodeSpec> Body { get; init; } = [];

    public IReadOnlyList<GraphNodeSpec> Shortcut { get; init; } = [];
}

/// <summary>The layout of a network of layers with branches, for images of a given shape.</summary>
internal sealed class GraphLayout : NetworkLayout
{
    private int _convolutions, _denses, _norms;
    private long _work;
    private bool _flat;
    private string _last = "input";
    private readonly HashSet<string> _activated = [];

    [SetsRequiredMembers]
    public GraphLayout(SequentialDefinition network, ImageShape image, int classes)
    {
        Network = network;
        Image = image;
        Inputs = image.Length;
        Outputs = classes;
        InputMean = AddStatistic("input.mean", image.Channels);
        InputDeviation = AddStatistic("input.std", image.Channels);
        Variances.Add(InputDeviation);
        NetworkInput = network.Layers[0] switch
        {
            Layer.PadTo pad => new ImageShape(image.Channels, Math.Max(pad.Size, image.Height), Math.Max(pad.Size, image.Width)),
            Layer.ResizeTo resize => new ImageShape(image.Channels, resize.Height, resize.Width),
            _ => image,
        };
        if (network.Layers[0] is Layer.ResizeTo && NetworkInput != image)
            Resize = new BilinearResize(image, NetworkInput);
        IReadOnlyList<Layer> layers = network.Layers[0] is Layer.PadTo or Layer.ResizeTo ? [.. network.Layers.Skip(1)] : network.Layers;
        Nodes = Compile(layers, NetworkInput, out ImageShape output);
        if (!_flat || WeightedLayers.Count == 0 || output.Length != classes)
            throw OptionError.Invalid("Network",
                $"{network.Name} must end in a vector of one value a class ({classes}); it ends in {output}. End it with Flatten and Dense().");
        List<GraphNodeSpec> inner = [.. Convolutions(Nodes).Where(node => node.WeightedIndex > 0)];
        ChannelsLast = inner.Count > 0 && inner.TrueForAll(node => node.Input.Channels % Alignment == 0 && node.Output.Channels % Alignment == 0);
    }

    public SequentialDefinition Network { get; }

    /// <summary>The shape of the features.</summary>
    public ImageShape Image { get; }

    /// <summary>The shape that the first layer sees.</summary>
    public ImageShape NetworkInput { get; }

    public override int SeenInputs => NetworkInput.Length;

    /// <summary>From the features to what the first layer sees, where the network resizes; else null.</summary>
    public BilinearResize? Resize { get; }

    /// <summary>Mean of each channel over the training data: subtracted from the input.</summary>
    public ParameterSlice InputMean { get; }

    /// <summary>Standard deviation of each channel over the training data: divides the input.</summary>
    public ParameterSlice InputDeviation { get; }

    public IReadOnlyList<GraphNodeSpec> Nodes { get; }

    public override NetworkDefinition Definition => Network;

    public override ImageShape? ImageInput => Image;

    public override WeightInitialization Initialization => Network.Initialization;

    /// <summary>
    /// Whether images lie in memory with their channels together while the network works on them: faster where channels are multiples of
    /// 16.
    /// </summary>
    public bool ChannelsLast { get; }

    public override long WorkPerRow => _work;

    public override bool IsNormalized => Network.UsesBatchNormalization;

    public override bool NeedsTwoRows => _norms > 0;

    private static IEnumerable<GraphNodeSpec> Convolutions(IEnumerable<GraphNodeSpec> nodes) =>
        nodes.SelectMany(node => node.Definition is Layer.Conv2d ? [node] : Convolutions(node.Body.Concat(node.Shortcut)));

    private List<GraphNodeSpec> Compile(IReadOnlyList<Layer> layers, ImageShape input, out ImageShape output)
    {
        List<GraphNodeSpec> nodes = [];
        foreach (Layer layer in layers)
        {
            GraphNodeSpec node = Compile(layer, input);
            nodes.Add(node);
            input = node.Output;
        }
        output = input;
        return nodes;
    }

    private GraphNodeSpec Compile(Layer layer, ImageShape input)
    {
        switch (layer)
        {
            case Layer.Conv2d conv:
                {
                    NeedImage(layer, input);
                    if (input.Channels % conv.Groups != 0 || conv.Channels % conv.Groups != 0)
                        throw Wrong(layer, input,
                            $"Groups {conv.Groups} must divide both input channels ({input.Channels}) and output channels ({conv.Channels})");
                    ImageShape output = new(conv.Channels, Window(layer, input, input.Height, conv.Kernel, conv.Stride, conv.Padding, conv.Dilation),
                        Window(layer, input, input.Width, conv.Kernel, conv.Stride, conv.Padding, conv.Dilation));
                    string name = $"conv{++_convolutions}";
                    int below = input.Channels / conv.Groups;
                    ParameterSlice weight = AddParameter($"{name}.weight", conv.Channels, below, conv.Kernel, conv.Kernel);
                    _work += 3L * weight.Length * output.Height * output.Width;
                    return new GraphNodeSpec(layer, input, output)
                    {
                        WeightedIndex = AddWeighted(name, weight, below * conv.Kernel * conv.Kernel, conv.Channels * conv.Kernel * conv.Kernel,
                            input.Length),
                        Weight = weight,
                        Bias = conv.Bias ? AddParameter($"{name}.bias", conv.Channels) : null,
                    };
                }
            case Layer.Dense dense:
                {
                    if (!_flat)
                        throw Wrong(layer, input, "an image must be flattened first: put Flatten before Dense");
                    int units = dense.Units ?? Outputs;
                    string name = $"dense{++_denses}";
                    ParameterSlice weight = AddParameter($"{name}.weight", units, input.Length);
                    _work += 3L * weight.Length;
                    return new GraphNodeSpec(layer, input, new ImageShape(units, 1, 1))
                    {
                        WeightedIndex = AddWeighted(name, weight, input.Length, units, input.Length),
                        Weight = weight,
                        Bias = AddParameter($"{name}.bias", units),
                    };
                }
            case Layer.BatchNorm:
                {
                    string name = $"norm{++_norms}";
                    GraphNodeSpec node = new(layer, input, input)
                    {
                        Weight = AddParameter($"{name}.weight", input.Channels),
                        Bias = AddParameter($"{name}.bias", input.Channels),
                        RunningMean = AddStatistic($"{name}.running_mean", input.Channels),
                        RunningVariance = AddStatistic($"{name}.running_var", input.Channels),
                    };
                    Scales.Add(node.Weight);
                    Variances.Add(node.RunningVariance);
                    return node;
                }
            case Layer.MaxPool2d pool:
                return Pool(layer, input, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding);
            case Layer.AveragePool2d pool:
                return Pool(layer, input, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding);
            case Layer.AdaptiveAveragePool2d pool:
                NeedImage(layer, input);
                return new GraphNodeSpec(layer, input, new ImageShape(input.Channels, pool.Size, pool.Size));
            case Layer.Flatten:
                _flat = true;
                return new GraphNodeSpec(layer, input, new ImageShape(input.Length, 1, 1));
            case Layer.Residual residual:
                {
                    List<GraphNodeSpec> body = Compile(residual.Body, input, out ImageShape output);
                    string last = _last;
                    List<GraphNodeSpec> shortcut = Compile(residual.Shortcut, input, out ImageShape other);
                    _last = last; // the sum goes by the body's name
                    return output == other ? new GraphNodeSpec(layer, input, output) { Body = body, Shortcut = shortcut }
                        : throw Wrong(layer, input, $"the body gives {output} and the shortcut {other}; they are added and must be alike");
                }
            case Layer.Concatenate concatenate:
                {
                    List<GraphNodeSpec> body = Compile(concatenate.Body, input, out ImageShape output);
                    return (output.Height, output.Width) == (input.Height, input.Width)
                        ? new GraphNodeSpec(layer, input, input with { Channels = input.Channels + output.Channels }) { Body = body }
                        : throw Wrong(layer, input, $"the branch gives {output}; height and width must stay");
                }
            case Layer.DownsampleWithZeros downsample:
                NeedImage(layer, input);
                return downsample.Channels >= input.Channels
                    ? new GraphNodeSpec(layer, input, new ImageShape(downsample.Channels, (input.Height + 1) / 2, (input.Width + 1) / 2))
                    : throw Wrong(layer, input, $"it cannot give fewer channels ({downsample.Channels}) than it gets");
            case Layer.PadTo or Layer.ResizeTo:
                throw Wrong(layer, input, $"{layer.GetType().Name} can only be the first layer");
            case Layer.Activate:
                return new GraphNodeSpec(layer, input, input) { Units = UnitsName() };
            default:
                return new GraphNodeSpec(layer, input, input);
        }
    }

    private GraphNodeSpec Pool(Layer layer, ImageShape input, int kernel, int stride, int padding)
    {
        NeedImage(layer, input);
        if (padding > kernel / 2)
            throw Wrong(layer, input, $"Padding {padding} must be at most half the kernel ({kernel / 2})");
        return new GraphNodeSpec(layer, input, new ImageShape(input.Channels, Window(layer, input, input.Height, kernel, stride, padding, 1),
            Window(layer, input, input.Width, kernel, stride, padding, 1)));
    }

    private int Window(Layer layer, ImageShape input, int size, int kernel, int stride, int padding, int dilation)
    {
        long room = size + 2L * padding - ((long)dilation * (kernel - 1) + 1);
        return room >= 0 ? (int)(room / stride) + 1
            : throw Wrong(layer, input, "the window is larger than the padded image: the images are too small for this network");
    }

    private int AddWeighted(string name, ParameterSlice weight, int fanIn, int fanOut, int inputLength)
    {
        WeightedLayers.Add(new WeightedLayer(name, weight, fanIn, fanOut, inputLength));
        _last = name;
        return WeightedLayers.Count - 1;
    }

    /// <summary>By the last layer with weights, and by number if that is activated more than once.</summary>
    private string UnitsName()
    {
        string name = _last;
        for (int number = 2; !_activated.Add(name); number++)
            name = $"{_last}.{number}";
        return name;
    }

    private void NeedImage(Layer layer, ImageShape input)
    {
        if (_flat)
            throw Wrong(layer, input, "it needs an image, but the layers before it have flattened the input");
    }

    private ArgumentException Wrong(Layer layer, ImageShape input, string reason) =>
        new($"Option Network: {Network.Name} cannot take images of {Image}: at {layer.GetType().Name} with an input of {input}, {reason}.");
}
