
namespace FaMLNet;

/// <summary>A network of layers one after the other, with branches inside some of them: convolutional networks.</summary>
public sealed record SequentialDefinition : NetworkDefinition
{
    internal SequentialDefinition(string name, IReadOnlyList<Layer> layers)
    {
        Name = name;
        Layers = Array.AsReadOnly(layers.ToArray());
    }

    /// <summary>The name, for people.</summary>
    public string Name { get; }

    /// <summary>The layers, from the input upwards. The last weighted layer gives one output a class.</summary>
    public IReadOnlyList<Layer> Layers { get; private init; }

    /// <summary>The activation of every layer that has one: <c>NetworkDefinition.LeNet() with { Activation = Activation.Tanh }</c> puts tanh in
    /// the place of every ReLU, in branches too.</summary>
    /// <value>Null where the layers have several or none; to set null changes nothing. Default: that of the layers, ReLU in all built-in
    /// networks.</value>
    public Activation? Activation
    {
        get => Every(Layers).OfType<Layer.Activate>().Select(layer => layer.Activation).Distinct().Take(2).ToArray() is [var one] ? one : null;
        init => Layers = value is { } activation ? Array.AsReadOnly(With(activation, Layers)) : Layers;
    }

    /// <summary>How the initial weights are drawn.</summary>
    /// <value>Default: <see cref="WeightInitialization.XavierUniform"/>.</value>
    public WeightInitialization Initialization { get; init; } = WeightInitialization.XavierUniform;

    /// <summary>The same network for images of any size, which it resizes to this one first.</summary>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="width">Width in pixels; null for a square.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of range.</exception>
    public SequentialDefinition Resized(int height, int? width = null)
    {
        SequentialDefinition network = new(Name,
            [new Layer.ResizeTo(height, width ?? height), .. Layers.SkipWhile(layer => layer is Layer.PadTo or Layer.ResizeTo)])
        {
            Initialization =
            Initialization
        };
        network.Validate();
        return network;
    }

    /// <inheritdoc/>
    public bool Equals(SequentialDefinition? other) =>
        other is not null && Name == other.Name && Layers.SequenceEqual(other.Layers) && Initialization == other.Initialization;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Layers.Count, Initialization);

    /// <inheritdoc/>
    public override string ToString() => Activation is null or FaMLNet.Activation.ReLU ? Name : $"{Name}, {Activation}";

    internal override bool UsesBatchNormalization => Every(Layers).Any(layer => layer is Layer.BatchNorm);

    internal override void Validate()
    {
        if (!Enum.IsDefined(Initialization))
            throw OptionError.OutOfRange("Network",
                $"Initialization must be one of {string.Join(", ", Enum.GetNames<WeightInitialization>())}; found {Initialization}.");
        if (Layers.Count == 0)
            throw OptionError.Invalid("Network", $"a network needs at least one layer; found none.");
        Check(Layers);
    }

    /// <summary>The layers and those of their branches.</summary>
    private static IEnumerable<Layer> Every(IEnumerable<Layer> layers) => layers.SelectMany(layer => layer switch
    {
        Layer.Residual residual => [layer, .. Every(residual.Body), .. Every(residual.Shortcut)],
        Layer.Concatenate concatenate => [layer, .. Every(concatenate.Body)],
        _ => (IEnumerable<Layer>)[layer],
    });

    private static Layer[] With(Activation activation, IEnumerable<Layer> layers) => [.. layers.Select(layer => layer switch
    {
        Layer.Activate => new Layer.Activate(activation),
        Layer.Residual residual => new Layer.Residual(With(activation, residual.Body), With(activation, residual.Shortcut)),
        Layer.Concatenate concatenate => new Layer.Concatenate(With(activation, concatenate.Body)),
        _ => layer,
    })];

    private static void Check(IReadOnlyList<Layer> layers)
    {
        foreach (Layer layer in layers)
        {
            switch (layer)
            {
                case null:
                    throw OptionError.Invalid("Network", $"a layer is null.");
                case Layer.Conv2d conv:
                    Positive(conv.Channels, "Conv2d.Channels");
                    Positive(conv.Kernel, "Conv2d.Kernel");
                    Positive(conv.Stride, "Conv2d.Stride");
                    Positive(conv.Dilation, "Conv2d.Dilation");
                    Positive(conv.Groups, "Conv2d.Groups");
                    NotNegative(conv.Padding, "Conv2d.Padding");
                    break;
                case Layer.Dense { Units: { } units }:
                    Positive(units, "Dense.Units");
                    break;
                case Layer.Activate activate when !Enum.IsDefined(activate.Activation):
                    throw OptionError.OutOfRange("Network",
                        $"Activation must be one of {string.Join(", ", Enum.GetNames<Activation>())}; found {activate.Activation}.");
                case Layer.MaxPool2d pool:
                    Positive(pool.Kernel, "MaxPool2d.Kernel");
                    Positive(pool.Stride ?? 1, "MaxPool2d.Stride");
                    NotNegative(pool.Padding, "MaxPool2d.Padding");
                    break;
                case Layer.AveragePool2d pool:
                    Positive(pool.Kernel, "AveragePool2d.Kernel");
                    Positive(pool.Stride ?? 1, "AveragePool2d.Stride");
                    NotNegative(pool.Padding, "AveragePool2d.Padding");
                    break;
                case Layer.AdaptiveAveragePool2d pool:
                    Positive(pool.Size, "AdaptiveAveragePool2d.Size");
                    break;
                case Layer.Dropout dropout when !(dropout.Share >= 0 && dropout.Share < 1):
                    throw OptionError.OutOfRange("Network", $"Dropout.Share must be at least 0 and below 1; found {dropout.Share}.");
                case Layer.Residual residual:
                    Check(residual.Body ?? throw OptionError.Invalid("Network", $"Residual.Body is null."));
                    Check(residual.Shortcut ?? throw OptionError.Invalid("Network", $"Residual.Shortcut is null."));
                    break;
                case Layer.Concatenate concatenate:
                    Check(concatenate.Body ?? throw OptionError.Invalid("Network", $"Concatenate.Body is null."));
                    break;
                case Layer.PadTo pad:
                    Positive(pad.Size, "PadTo.Size");
                    break;
                case Layer.ResizeTo resize:
                    Positive(resize.Height, "ResizeTo.Height");
                    Positive(resize.Width, "ResizeTo.Width");
                    break;
                case Layer.DownsampleWithZeros downsample:
                    Positive(downsample.Channels, "DownsampleWithZeros.Channels");
                    break;
            }
        }
    }

    private static void Positive(int value, string name)
    {
        if (value is < 1 or > MlpDefinition.MaximumUnits)
            throw OptionError.OutOfRange("Network", $"{name} must be 1 to {MlpDefinition.MaximumUnits}; found {value}.");
    }

    private static void NotNegative(int value, string name)
    {
        if (value is < 0 or > MlpDefinition.MaximumUnits)
            throw OptionError.OutOfRange("Network", $"{name} must be 0 to {MlpDefinition.MaximumUnits}; found {value}.");
    }
}
