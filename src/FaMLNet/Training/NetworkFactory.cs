using FaMLNet.Training.Autograd;
using FaMLNet.Training.Dense;
using FaMLNet.Training.Graph;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>Makes the network that a training trains: the way to a gradient that suits the definition and the device.</summary>
internal static class NetworkFactory
{
    /// <summary>The network in training, for data of these sizes.</summary>
    /// <param name="settings">What to train and how.</param>
    /// <param name="features">Features a row.</param>
    /// <param name="classes">Outputs.</param>
    /// <param name="sparse">What sparse rows are like; null for dense ones.</param>
    /// <exception cref="ArgumentException">The network cannot take the data, or the mini-batches are too small for it.</exception>
    /// <exception cref="InvalidOperationException">A module of the user's own cannot be trained.</exception>
    public static TrainingNetwork Create(TrainingSettings settings, int features, int classes, SparseFeatures? sparse = null)
    {
        TrainingNetwork network = settings.Network switch
        {
            MlpDefinition mlp => Dense(settings, mlp, features, classes, sparse),
            SequentialDefinition sequential => Graph(settings, new GraphLayout(sequential, ImageOf(settings, features), classes)),
            CustomDefinition custom => Custom(settings, custom, features, classes),
            _ => throw new NotSupportedException($"Option Network: {settings.Network} is not known."),
        };
        if (settings.BatchSize < 2 && network.Layout.NeedsTwoRows)
        {
            CleanUp.Dispose(network);
            throw OptionError.Invalid("BatchSize", $"must be at least 2 with batch normalisation, which needs a variance; found "
                + $"{settings.BatchSize}. {settings.Network} has batch normalisation.");
        }
        (network.LabelSmoothing, network.Clipping) = (settings.LabelSmoothing, settings.Clipping);
        return network;
    }

    private static TrainingNetwork Dense(TrainingSettings settings, MlpDefinition mlp, int features, int classes, SparseFeatures? sparse)
    {
        DenseLayout layout = new(mlp, features, classes, settings.Device is null ? sparse?.ValuesPerRow : null);
        return settings.Device is null
            ? new DenseChain(layout, settings.Rule, settings.InitialWeightScaleFor(layout), settings.FeedbackScale, settings.Optimizer,
                settings.Seed, settings.FeedbackInitialization, sparse)
            : OnDevice(settings, layout);
    }

    private static TrainingNetwork Graph(TrainingSettings settings, GraphLayout layout) => settings.Device is null
        ? new GraphNetwork(layout, settings.Rule, settings.InitialWeightScaleFor(layout), settings.FeedbackScale, settings.Optimizer, settings.Seed,
            augmentation: settings.Augmentation, feedbackInitialization: settings.FeedbackInitialization, checkCancelled: settings.CheckCancelled)
        : OnDevice(settings, layout);

    private static AutogradNetwork Custom(TrainingSettings settings, CustomDefinition custom, int features, int classes)
    {
        if (settings.ImageShape is { } image)
            CheckLength(image, features);
        if (settings.Augmentation != null && settings.ImageShape == null)
        {
            throw OptionError.Invalid("Augmentation", $"it changes images, and it is not known how the {features} features are one. Set ImageShape "
                + $"= new ImageShape(channels, height, width).");
        }
        NetworkShape shape = new(settings.ImageShape is { } known ? [known.Channels, known.Height, known.Width] : [features], classes);
        nn.Module<Tensor, Tensor> module = custom.Build(settings.Environment!, shape);
        try
        {
            CustomLayout layout = new(custom, shape, module);
            RuleReach.Check(layout, module, settings.Rule, settings.CheckCancelled);
            return Autograd(settings, new ModuleForward(layout, module, settings.Device, settings.CheckCancelled));
        }
        catch
        {
            CleanUp.Dispose(module);
            throw;
        }
    }

    private static AutogradNetwork OnDevice(TrainingSettings settings, NetworkLayout layout) =>
        Autograd(settings, new DefinedForward(layout, new RandomGenerator(settings.Seed, "dropout")));

    private static AutogradNetwork Autograd(TrainingSettings settings, ForwardPass forward) =>
        new(forward, settings.Rule, settings.InitialWeightScaleFor(forward.Layout), settings.FeedbackScale, settings.Optimizer, settings.Seed,
            settings.Device, settings.Augmentation, settings.FeedbackInitialization);

    private static ImageShape ImageOf(TrainingSettings settings, int features)
    {
        if (settings.ImageShape is { } shape)
            return CheckLength(shape, features);
        return ImageShape.Infer(features) ?? throw OptionError.Invalid("ImageShape", $"{settings.Network} takes images, and {features} features "
            + $"are no square image of 1 or 3 channels. Set ImageShape = new ImageShape(channels, height, width).");
    }

    private static ImageShape CheckLength(ImageShape shape, int features) => shape.Length == features ? shape
        : throw OptionError.Invalid("ImageShape",
        $"{shape} has {shape.Length} values, but the feature column has {features}. Set the shape that the features have.");
}
