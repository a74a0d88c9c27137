
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FaMLNet;

/// <summary>
/// The layers of a network as data: serialisable, comparable by value and free of native code. The sizes of input and output come from
/// the data.
/// </summary>
public abstract record NetworkDefinition
{
    private protected NetworkDefinition() { }

    /// <summary>A chain of dense layers: the network for tables of features.</summary>
    /// <param name="hiddenUnits">Units of each hidden layer, from the input upwards, each at least 1. None gives a linear classifier.</param>
    /// <exception cref="ArgumentNullException"><paramref name="hiddenUnits"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A layer has no units.</exception>
    /// <example><code>NetworkDefinition.Mlp(128, 64) with { Activation = Activation.Tanh, Dropout = 0.1f }</code></example>
    public static MlpDefinition Mlp(params int[] hiddenUnits)
    {
        ArgumentNullException.ThrowIfNull(hiddenUnits);
        return new MlpDefinition { HiddenUnits = [.. hiddenUnits] };
    }

    /// <summary>
    /// LeNet-5 with ReLU and max-pooling: conv 6@5×5, pool, conv 16@5×5, pool, conv 120@5×5, dense 84, dense. Images below 32×32 are padded with
    /// black to that size. 61,706 parameters for 10 classes and one channel.
    /// </summary>
    public static SequentialDefinition LeNet() => ConvolutionalNetworks.LeNet();

    /// <summary>
    /// The network called LeNet on CIFAR-10 by Sanfiz and Akrout 2021: conv 32, 64, 128@3×3, pools after the first two, global average
    /// pool, dense 256, dense.
    /// </summary>
    public static SequentialDefinition LeNetCifar() => ConvolutionalNetworks.LeNetCifar();

    /// <summary>
    /// ResNet for small images (He et al. 2016, section 4.2), with shortcuts of option A: subsampled and padded with zero channels, no
    /// parameters.
    /// </summary>
    /// <param name="depth">20, 32, 44, 56 or 110.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another depth.</exception>
    public static SequentialDefinition ResNet(int depth) => depth is 20 or 32 or 44 or 56 or 110 ? ConvolutionalNetworks.ResNetCifar(depth)
        : throw OptionError.OutOfRange("Network", $"ResNet(depth) is the CIFAR shape and has 20, 32, 44, 56 or 110 layers; found {depth}. For 18, "
            + $"34, 50, 101 or 152 take ResNet18() and its like.");

    /// <summary>
    /// ResNet-18 (He et al. 2016), with shortcuts of option B: 1×1 convolutions where the shape changes. 11,689,512 parameters for 1000
    /// classes.
    /// </summary>
    public static SequentialDefinition ResNet18() => ConvolutionalNetworks.ResNetImageNet("ResNet-18", [2, 2, 2, 2], bottleneck: false);

    /// <summary>ResNet-34 (He et al. 2016), option B. 21,797,672 parameters for 1000 classes.</summary>
    public static SequentialDefinition ResNet34() => ConvolutionalNetworks.ResNetImageNet("ResNet-34", [3, 4, 6, 3], bottleneck: false);

    /// <summary>ResNet-50 (He et al. 2016), option B. 25,557,032 parameters for 1000 classes.</summary>
    public static SequentialDefinition ResNet50() => ConvolutionalNetworks.ResNetImageNet("ResNet-50", [3, 4, 6, 3], bottleneck: true);

    /// <summary>ResNet-101 (He et al. 2016), option B. 44,549,160 parameters for 1000 classes.</summary>
    public static SequentialDefinition ResNet101() => ConvolutionalNetworks.ResNetImageNet("ResNet-101", [3, 4, 23, 3], bottleneck: true);

    /// <summary>ResNet-152 (He et al. 2016), option B. 60,192,808 parameters for 1000 classes.</summary>
    public static SequentialDefinition ResNet152() => ConvolutionalNetworks.ResNetImageNet("ResNet-152", [3, 8, 36, 3], bottleneck: true);

#pragma warning disable CA1707 // the published names
    /// <summary>Wide ResNet-50-2 (Zagoruyko and Komodakis 2016). 68,883,240 parameters for 1000 classes.</summary>
    public static SequentialDefinition WideResNet50_2() =>
        ConvolutionalNetworks.ResNetImageNet("WideResNet-50-2", [3, 4, 6, 3], bottleneck: true, baseWidth: 128);

    /// <summary>ResNeXt-50 32×4d (Xie et al. 2017). 25,028,904 parameters for 1000 classes.</summary>
    public static SequentialDefinition ResNeXt50_32x4d() =>
        ConvolutionalNetworks.ResNetImageNet("ResNeXt-50-32x4d", [3, 4, 6, 3], bottleneck: true, groups: 32, baseWidth: 4);
#pragma warning restore CA1707

    /// <summary>AlexNet (Krizhevsky 2014, as torchvision has it). 61,100,840 parameters for 1000 classes.</summary>
    public static SequentialDefinition AlexNet() => ConvolutionalNetworks.AlexNet();

    /// <summary>DenseNet-121 (Huang et al. 2017). 7,978,856 parameters for 1000 classes.</summary>
    public static SequentialDefinition DenseNet121() => ConvolutionalNetworks.DenseNet("DenseNet-121", [6, 12, 24, 16]);

    /// <summary>DenseNet-169 (Huang et al. 2017). 14,149,480 parameters for 1000 classes.</summary>
    public static SequentialDefinition DenseNet169() => ConvolutionalNetworks.DenseNet("DenseNet-169", [6, 12, 32, 32]);

    /// <summary>DenseNet-201 (Huang et al. 2017). 20,013,928 parameters for 1000 classes.</summary>
    public static SequentialDefinition DenseNet201() => ConvolutionalNetworks.DenseNet("DenseNet-201", [6, 12, 48, 32]);

    /// <summary>
    /// MnasNet (Tan et al. 2019, as torchvision has it). 2,218,512, 3,170,208, 4,383,312 and 6,282,256 parameters for 1000 classes at 0.5,
    /// 0.75, 1 and 1.3.
    /// </summary>
    /// <param name="multiplier">Multiplier of the channels, 0.5 to 1.3 as published.</param>
    /// <exception cref="ArgumentOutOfRangeException">The multiplier is not above 0, or above 4.</exception>
    public static SequentialDefinition MnasNet(double multiplier = 1) => multiplier is > 0 and <= 4 ? ConvolutionalNetworks.MnasNet(multiplier)
        : throw OptionError.OutOfRange("Network", $"the multiplier of MnasNet must be above 0 and at most 4; found {multiplier}.");

    /// <summary>A network of one's own layers, one after the other.</summary>
    /// <param name="layers">The layers, from the input upwards; the last is <see cref="Layer.Dense"/> without a number of units.</param>
    /// <exception cref="ArgumentNullException"><paramref name="layers"/> is null.</exception>
    /// <exception cref="ArgumentException">A layer is out of range; the message names it.</exception>
    public static SequentialDefinition Sequential(params Layer[] layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        SequentialDefinition network = new("Sequential", layers);
        network.Validate();
        return network;
    }

    /// <summary>A TorchSharp network of one's own, by the name on its factory (<see cref="CustomNetworkAttribute"/>).</summary>
    /// <param name="contractName">The name.</param>
    /// <exception cref="ArgumentException"><paramref name="contractName"/> is null or empty.</exception>
    public static CustomDefinition Custom(string contractName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(contractName);
        return new CustomDefinition(contractName);
    }

    /// <summary>
    /// A TorchSharp network of one's own, built by a delegate, which is registered for this process under the name: also for models of that name
    /// that are loaded later. Models save the name, not the code: another process calls this method with the same name before it loads one.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="create">Builds the network. It must give the same layers, in the same order, whenever the shape is the same: a module from rows ×
    /// input to rows × outputs (logits: no softmax at the end), with parameters of 32-bit floats. It may be called many times, on any thread.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or empty, or registered with another delegate.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="create"/> is null.</exception>
    /// <example><code>NetworkDefinition.Custom("my-network", shape => new MyNetwork(shape.Input[0], shape.Outputs))</code></example>
    public static CustomDefinition Custom(string name, Func<NetworkShape, Module<Tensor, Tensor>> create)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(create);
        CustomNetworkRegistry.Add(name, create);
        return new CustomDefinition(name);
    }

    /// <summary>Whether a mini-batch of a single row cannot be trained on, as far as the definition tells.</summary>
    internal virtual bool UsesBatchNormalization => false;

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first setting out of range.</summary>
    internal abstract void Validate();
}
