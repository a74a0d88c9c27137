using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Modules;
using FaMLNet.Interop;
using FaMLNet.Rows;
using static TorchSharp.torch;

namespace FaMLNet.Training;

/// <summary>
/// A network's layout for the data at hand and, for a module of the user's own, the module, which has been built to find it. Makes the network that
/// is trained: the way to a gradient that suits definition and device.
/// </summary>
internal sealed class NetworkFactory : IDisposable
{
    private readonly SparseFeatures? _sparse;
    private nn.Module<Tensor, Tensor>? _module;

    private NetworkFactory(NetworkLayout layout, SparseFeatures? sparse, nn.Module<Tensor, Tensor>? module = null)
    {
        Layout = layout;
        _sparse = sparse;
        _module = module;
    }

    /// <summary>The network's layers and the places of their parameters.</summary>
    public NetworkLayout Layout { get; }

    /// <summary>Lays out a network for data of these sizes.</summary>
    /// <param name="request">What the user asks for.</param>
    /// <param name="features">Features per row.</param>
    /// <param name="outputs">Outputs of the network.</param>
    /// <param name="sparse">What sparse rows are like; null for dense ones.</param>
    /// <exception cref="ArgumentException">The network cannot take the data.</exception>
    /// <exception cref="InvalidOperationException">A module of the user's own cannot be trained.</exception>
    public static NetworkFactory Open(TrainingRequest request, int features, int outputs, SparseFeatures? sparse = null)
    {
        LibTorch.EnsureLoaded();
        if (request.ImageShape is { } image)
            CheckLength(image, features);
        return request.Network switch
        {
            MlpDefinition mlp => new NetworkFactory(new DenseLayout(mlp, features, outputs, request.Device is null ? sparse?.ValuesPerRow : null),
                request.Device is null ? sparse : null),
            SequentialDefinition sequential => new NetworkFactory(new GraphLayout(sequential, ImageOf(request, features), outputs), sparse),
            CustomDefinition custom => OpenModule(request, custom, features, outputs),
            _ => throw new NotSupportedException($"Option Network: {request.Network} is not known."),
        };
    }

    /// <summary>Makes the network. It owns the module from now on.</summary>
    /// <param name="plan">Decides weights and gradient.</param>
    public TrainingNetwork Create(GradientPlan plan)
    {
        if (_module is { } module)
        {
            // Disposed with the forward pass, also where that cannot be made.
            _module = null;
            try
            {
                return new AutogradNetwork(new ModuleForward((CustomLayout)Layout, module, plan.Device, plan.CheckCancelled), plan);
            }
            catch
            {
                CleanUp.Dispose(module);
                throw;
            }
        }
        if (plan.Device is not null)
            return new AutogradNetwork(new DefinedForward(Layout, new RandomGenerator(plan.Seed, "dropout")), plan);
        return Layout is DenseLayout dense ? new DenseChain(dense, plan, _sparse) : new GraphNetwork((GraphLayout)Layout, plan);
    }

    /// <summary>Frees the module, unless a network has it.</summary>
    public void Dispose() => _module?.Dispose();

    private static NetworkFactory OpenModule(TrainingRequest request, CustomDefinition custom, int features, int outputs)
    {
        if (request.Augmentation != null && request.ImageShape == null)
        {
            throw OptionError.Invalid("Augmentation", $"it changes images, and it is not known how the {features} features are one. Set ImageShape "
                + $"= new ImageShape(channels, height, width).");
        }
        NetworkShape shape = new(request.ImageShape is { } known ? [known.Channels, known.Height, known.Width] : [features], outputs);
        nn.Module<Tensor, Tensor> module = custom.Build(request.Environment!, shape);
        try
        {
            CustomLayout layout = new(custom, shape, module);
            RuleReach.Check(layout, module, request.Rule, request.CheckCancelled);
            return new NetworkFactory(layout, sparse: null, module);
        }
        catch
        {
            CleanUp.Dispose(module);
            throw;
        }
    }

    private static ImageShape ImageOf(TrainingRequest request, int features) => request.ImageShape ?? ImageShape.Infer(features)
        ?? throw OptionError.Invalid("ImageShape", $"{request.Network} takes images, and {features} features "
            + $"are no square image of 1 or 3 channels. Set ImageShape = new ImageShape(channels, height, width).");

    private static void CheckLength(ImageShape shape, int features)
    {
        if (shape.Length != features)
            throw OptionError.Invalid("ImageShape",
                $"{shape} has {shape.Length} values, but the feature column has {features}. Set the shape that the features have.");
    }
}
