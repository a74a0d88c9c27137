using System.Text.Json.Serialization;
using FaMLNet.Interop;
using Microsoft.ML.Runtime;

namespace FaMLNet.Persistence;

/// <summary>A network in the JSON entry of a saved model: one kind of document for each kind of network.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(MlpDocument), "mlp")]
[JsonDerivedType(typeof(SequentialDocument), "sequential")]
[JsonDerivedType(typeof(CustomDocument), "custom")]
internal abstract record NetworkDocument
{
    public static NetworkDocument Create(NetworkLayout layout) => layout switch
    {
        DenseLayout dense => new MlpDocument
        {
            HiddenUnits = dense.Network.HiddenUnits,
            Activation = dense.Network.Activation,
            Initialization = dense.Network.Initialization,
            Normalization = dense.Network.Normalization,
            Dropout = dense.Network.Dropout,
            LinearSkip = dense.Network.LinearSkip,
        },
        GraphLayout graph => new SequentialDocument
        {
            Name = graph.Network.Name,
            Image = graph.Image,
            Initialization = graph.Network.Initialization,
            Layers = graph.Network.Layers,
        },
        CustomLayout custom => new CustomDocument
        {
            ContractName = custom.Network.ContractName,
            KeepInitialWeights = custom.Network.KeepInitialWeights,
            Initialization = custom.Network.Initialization,
            Input = custom.Shape.Input,
        },
        _ => throw new NotSupportedException(layout.GetType().Name),
    };

    /// <exception cref="ArgumentException">The document does not describe a network.</exception>
    public abstract NetworkLayout CreateLayout(IHostEnvironment env, int inputs, int classes);
}

internal sealed record MlpDocument : NetworkDocument
{
    public required IReadOnlyList<int> HiddenUnits { get; init; }

    public required Activation Activation { get; init; }

    public required WeightInitialization Initialization { get; init; }

    public required Normalization Normalization { get; init; }

    public required float Dropout { get; init; }

    /// <summary>Not written where it is not there, so that checkpoints of builds that did not know it go on.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool LinearSkip { get; init; }

    public override NetworkLayout CreateLayout(IHostEnvironment env, int inputs, int classes)
    {
        MlpDefinition network = NetworkDefinition.Mlp([.. HiddenUnits ?? throw new ArgumentException("it has no hidden units.")])
            with
        { Activation = Activation, Initialization = Initialization, Normalization = Normalization, Dropout = Dropout, LinearSkip = LinearSkip };
        network.Validate();
        return new DenseLayout(network, inputs, classes);
    }
}

internal sealed record SequentialDocument : NetworkDocument
{
    public required string Name { get; init; }

    public required ImageShape Image { get; init; }

    public required WeightInitialization Initialization { get; init; }

    public required IReadOnlyList<Layer> Layers { get; init; }

    public override NetworkLayout CreateLayout(IHostEnvironment env, int inputs, int classes)
    {
        if (Name == null || Image == null || Layers == null)
            throw new ArgumentException("it lacks a name, an image shape or layers.");
        Image.Validate();
        SequentialDefinition network = new(Name, Layers) { Initialization = Initialization };
        network.Validate();
        return new GraphLayout(network, Image, classes);
    }
}

/// <summary>By name only: the network itself comes from a factory that the process has registered, never from the file.</summary>
internal sealed record CustomDocument : NetworkDocument
{
    public required string ContractName { get; init; }

    public required bool KeepInitialWeights { get; init; }

    public required WeightInitialization Initialization { get; init; }

    public required IReadOnlyList<int> Input { get; init; }

    public override NetworkLayout CreateLayout(IHostEnvironment env, int inputs, int classes)
    {
        if (Input is not { Count: 1 or 3 } || Input.Any(size => size < 1))
            throw new ArgumentException("its input shape is not that of a vector or an image.");
        CustomDefinition network = NetworkDefinition.Custom(ContractName)
            with
        { KeepInitialWeights = KeepInitialWeights, Initialization = Initialization };
        network.Validate();
        LibTorch.EnsureLoaded();
        NetworkShape shape = new(Input, classes);
        using TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor> module = network.Build(env, shape);
        return new CustomLayout(network, shape, module);
    }
}
