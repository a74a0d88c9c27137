using FaMLNet.Training.Devices;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>Where and how often a training saves its state.</summary>
internal sealed record CheckpointSettings(string Folder, int EveryEpochs, double? EveryMinutes, int Keep);

/// <summary>A training's settings with every default resolved.</summary>
internal sealed record TrainingSettings
{
    public required FeedbackRule Rule { get; init; }

    public required NetworkDefinition Network { get; init; }

    public required OptimizerOptions Optimizer { get; init; }

    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Constant;

    public required float InitialWeightScale { get; init; }

    public required float FeedbackScale { get; init; }

    public required int NumberOfEpochs { get; init; }

    public required int BatchSize { get; init; }

    public required int Seed { get; init; }

    public required bool TrackAlignment { get; init; }

    public required bool CenterFeatures { get; init; }

    public GradientClipping? Clipping { get; init; }

    public float LabelSmoothing { get; init; }

    public EarlyStopping? EarlyStopping { get; init; }

    public int? TopK { get; init; }

    public ClassWeights? ClassWeights { get; init; }

    public double ValidationFraction { get; init; }

    public DataCaching Caching { get; init; }

    public CheckpointSettings? Checkpoints { get; init; }

    /// <summary>Whether the user has set the seed; else a checkpoint's own is taken over.</summary>
    public bool SeedIsChosen { get; init; }

    public int? NumberOfThreads { get; init; }

    public Augmentation? Augmentation { get; init; }

    /// <summary>How features are laid out as images; null if the network takes none, or if it is to be inferred.</summary>
    public ImageShape? ImageShape { get; init; }

    /// <summary>The device that trains, other than the host's processor; null for that.</summary>
    public Device? Device { get; init; }

    /// <summary>Finds factories of networks of the user's own.</summary>
    public IHostEnvironment? Environment { get; init; }

    /// <summary>What decides the result, by name, for checkpoints to compare.</summary>
    /// <param name="source">The data.</param>
    /// <param name="layout">The network.</param>
    public Dictionary<string, string> Describe(RowSource source, NetworkLayout layout) => new()
    {
        ["Rule"] = Rule.ShortName,
        ["Network"] = System.Text.Json.JsonSerializer.Serialize(Persistence.NetworkDocument.Create(layout)),
        ["Optimizer"] = $"{Optimizer}",
        ["Schedule"] = $"{Schedule}",
        ["InitialWeightScale"] = Text(InitialWeightScale),
        ["FeedbackScale"] = Text(FeedbackScale),
        ["NumberOfEpochs"] = Text(NumberOfEpochs),
        ["BatchSize"] = Text(BatchSize),
        ["Seed"] = Text(Seed),
        ["CenterFeatures"] = $"{CenterFeatures}",
        ["TrackAlignment"] = $"{TrackAlignment}",
        ["GradientClipping"] = $"{Clipping}",
        ["LabelSmoothing"] = Text(LabelSmoothing),
        ["EarlyStopping"] = $"{EarlyStopping}",
        ["TopK"] = $"{TopK}",
        ["ClassWeights"] = $"{ClassWeights}",
        ["ValidationFraction"] = Text(ValidationFraction),
        ["Augmentation"] = $"{Augmentation}",
        ["DataCaching"] = source is InMemoryRows ? "InMemory" : "Streaming",
        ["training data"] = $"{source.Count} rows of {source.Features} features and {source.Classes} classes, SHA-256 {source.Fingerprint}",
    };

    private static string Text(IFormattable value) => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The network in training, for data of these sizes.</summary>
    /// <exception cref="ArgumentException">The network cannot take the data, or the mini-batches are too small for it.</exception>
    public TrainingNetwork CreateNetwork(int features, int classes)
    {
        TrainingNetwork network = BuildNetwork(features, classes);
        if (BatchSize >= 2 || !network.Layout.NeedsTwoRows)
            return network;
        network.Dispose();
        throw new ArgumentException(
            $"Option BatchSize must be at least 2 with batch normalisation, which needs a variance; found {BatchSize}. {Network} has batch normalisation.");
    }

    private TrainingNetwork BuildNetwork(int features, int classes) => (Device, Network) switch
    {
        ({ } device, MlpDefinition mlp) => OnDevice(device, new DenseLayout(mlp, features, classes)),
        ({ } device, SequentialDefinition sequential) => OnDevice(device, new GraphLayout(sequential, ImageOf(features), classes)),
        (_, var network) => OnHost(network, features, classes),
    };

    private DeviceNetwork OnDevice(Device device, NetworkLayout layout)
    {
        RandomGenerator dropout = new(Seed, "dropout");
        return new DeviceNetwork(layout, new DefinedForward(dropout), Rule, InitialWeightScale, FeedbackScale, Optimizer, Seed, device, Augmentation, dropout: dropout);
    }

    private TrainingNetwork OnHost(NetworkDefinition network, int features, int classes) => network switch
    {
        MlpDefinition mlp => new DenseChain(new DenseLayout(mlp, features, classes), Rule, InitialWeightScale, FeedbackScale, Optimizer, Seed),
        SequentialDefinition sequential => new GraphNetwork(new GraphLayout(sequential, ImageOf(features), classes), Rule, InitialWeightScale, FeedbackScale, Optimizer, Seed, augmentation: Augmentation),
        CustomDefinition custom => CreateCustom(custom, features, classes),
        _ => throw new NotSupportedException($"Option Network: {Network} is not known."),
    };

    private TrainingNetwork CreateCustom(CustomDefinition custom, int features, int classes)
    {
        if (ImageShape is { } image && image.Length != features)
            throw new ArgumentException($"Option ImageShape: {image} has {image.Length} values, but the feature column has {features}. Set the shape that the features have.");
        if (Augmentation != null && ImageShape == null)
            throw new ArgumentException($"Option Augmentation: it changes images, and it is not known how the {features} features are one. Set ImageShape = new ImageShape(channels, height, width).");
        NetworkShape shape = new(ImageShape is { } known ? [known.Channels, known.Height, known.Width] : [features], classes);
        nn.Module<Tensor, Tensor> module = custom.Build(Environment!, shape);
        try
        {
            CustomLayout layout = new(custom, shape, module);
            if (Device is { } device)
                return new DeviceNetwork(layout, new ModuleForward(layout, module), Rule, InitialWeightScale, FeedbackScale, Optimizer, Seed, device, Augmentation, network => ModuleForward.TakeInitialValues(layout, module, network));
            return new CustomNetwork(layout, module, Rule, InitialWeightScale, FeedbackScale, Optimizer, Seed, BatchSize, Augmentation);
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    private ImageShape ImageOf(int features)
    {
        if (ImageShape is { } shape)
            return shape.Length == features ? shape
                : throw new ArgumentException($"Option ImageShape: {shape} has {shape.Length} values, but the feature column has {features}. Set the shape that the features have.");
        return FaMLNet.ImageShape.Infer(features) ?? throw new ArgumentException(
            $"Option ImageShape: {Network} takes images, and {features} features are no square image of 1 or 3 channels. Set ImageShape = new ImageShape(channels, height, width).");
    }
}
