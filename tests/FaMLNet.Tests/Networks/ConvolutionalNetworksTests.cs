using Xunit;

namespace FaMLNet.Tests.Networks;

public sealed class ConvolutionalNetworksTests
{
    private static readonly ImageShape ImageNet = new(3, 224, 224), Cifar = new(3, 32, 32);

    /// <summary>
    /// The published numbers of parameters: torchvision's for ImageNet's 1000 classes, akamaster/pytorch_resnet_cifar10's for CIFAR-10.
    /// </summary>
    public static TheoryData<SequentialDefinition, ImageShape, int, int> Published => new()
    {
        { NetworkDefinition.LeNet(), new ImageShape(1, 32, 32), 10, 61_706 },
        { NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), 10, 61_706 },
        { NetworkDefinition.LeNetCifar(), Cifar, 10, 896 + 18_496 + 73_856 + 33_024 + 2_570 },
        { NetworkDefinition.ResNet(20), Cifar, 10, 269_722 },
        { NetworkDefinition.ResNet(32), Cifar, 10, 464_154 },
        { NetworkDefinition.ResNet(44), Cifar, 10, 658_586 },
        { NetworkDefinition.ResNet(56), Cifar, 10, 853_018 },
        { NetworkDefinition.ResNet(110), Cifar, 10, 1_727_962 },
        { NetworkDefinition.ResNet18(), ImageNet, 1000, 11_689_512 },
        { NetworkDefinition.ResNet34(), ImageNet, 1000, 21_797_672 },
        { NetworkDefinition.ResNet50(), ImageNet, 1000, 25_557_032 },
        { NetworkDefinition.ResNet101(), ImageNet, 1000, 44_549_160 },
        { NetworkDefinition.ResNet152(), ImageNet, 1000, 60_192_808 },
        { NetworkDefinition.WideResNet50_2(), ImageNet, 1000, 68_883_240 },
        { NetworkDefinition.ResNeXt50_32x4d(), ImageNet, 1000, 25_028_904 },
        { NetworkDefinition.AlexNet(), ImageNet, 1000, 61_100_840 },
        { NetworkDefinition.DenseNet121(), ImageNet, 1000, 7_978_856 },
        { NetworkDefinition.DenseNet169(), ImageNet, 1000, 14_149_480 },
        { NetworkDefinition.DenseNet201(), ImageNet, 1000, 20_013_928 },
        { NetworkDefinition.MnasNet(0.5), ImageNet, 1000, 2_218_512 },
        { NetworkDefinition.MnasNet(0.75), ImageNet, 1000, 3_170_208 },
        { NetworkDefinition.MnasNet(1.0), ImageNet, 1000, 4_383_312 },
        { NetworkDefinition.MnasNet(1.3), ImageNet, 1000, 6_282_256 },
    };

    [Theory, MemberData(nameof(Published))]
    public void Networks_have_the_published_number_of_parameters(SequentialDefinition network, ImageShape image, int classes, int parameters)
    {
        network.Validate();
        Assert.Equal(parameters, new GraphLayout(network, image, classes).Parameters.Sum(slice => slice.Length));
    }

    [Fact]
    public void Any_input_size_that_a_network_can_take_works_and_others_are_refused_by_name()
    {
        Assert.Equal(10, new GraphLayout(NetworkDefinition.ResNet(20), new ImageShape(1, 17, 40), 10).Outputs);
        Assert.Equal(64, new GraphLayout(NetworkDefinition.LeNet(), new ImageShape(3, 64, 48), 64).Outputs);
        ArgumentException error = Assert.Throws<ArgumentException>(() => new GraphLayout(NetworkDefinition.AlexNet(), new ImageShape(3, 30, 30), 10));
        Assert.Contains("AlexNet cannot take images of 3 × 30 × 30", error.Message, StringComparison.Ordinal);
        Assert.Contains("too small", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_that_do_not_fit_are_refused_by_name()
    {
        Refused("flattened first", new Layer.Conv2d(4, 3), new Layer.Dense());
        Refused("needs an image", new Layer.Flatten(), new Layer.Conv2d(4, 3), new Layer.Dense());
        Refused("must end in a vector", new Layer.Conv2d(4, 3));
        Refused("must end in a vector", new Layer.Flatten(), new Layer.Dense(7));
        Refused("Groups 2 must divide", new Layer.Conv2d(4, 3) { Groups = 2 }, new Layer.Flatten(), new Layer.Dense());
        Refused("added and must be alike", new Layer.Residual([new Layer.Conv2d(4, 3)], []), new Layer.Flatten(), new Layer.Dense());
        Refused("height and width must stay", new Layer.Concatenate([new Layer.Conv2d(4, 3)]), new Layer.Flatten(), new Layer.Dense());
        Refused("PadTo can only be the first", new Layer.Conv2d(4, 3), new Layer.PadTo(20), new Layer.Flatten(), new Layer.Dense());
        Refused("at most half the kernel", new Layer.MaxPool2d(2) { Padding = 2 }, new Layer.Flatten(), new Layer.Dense());
        Assert.Contains("Conv2d.Kernel must be 1",
            Assert.Throws<ArgumentOutOfRangeException>(() => NetworkDefinition.Sequential(new Layer.Conv2d(3, 0))).Message, StringComparison.Ordinal);
        Assert.Contains("Dropout.Share", Assert.Throws<ArgumentOutOfRangeException>(() => NetworkDefinition.Sequential(new Layer.Dropout(1))).Message,
            StringComparison.Ordinal);
        Assert.Contains("at least one layer", Assert.Throws<ArgumentException>(() => NetworkDefinition.Sequential()).Message,
            StringComparison.Ordinal);
        Assert.Contains("20, 32, 44, 56 or 110", Assert.Throws<ArgumentOutOfRangeException>(() => NetworkDefinition.ResNet(50)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Networks_compare_by_value()
    {
        Assert.Equal(NetworkDefinition.ResNet(20), NetworkDefinition.ResNet(20));
        Assert.NotEqual(NetworkDefinition.ResNet(20), NetworkDefinition.ResNet(32));
        Assert.NotEqual(NetworkDefinition.LeNet(), NetworkDefinition.LeNet() with { Initialization = WeightInitialization.KaimingNormal });
        Assert.NotEqual(NetworkDefinition.Sequential(new Layer.Residual([], [])),
            NetworkDefinition.Sequential(new Layer.Residual([new Layer.BatchNorm()], [])));
    }

    [Fact]
    public void Another_activation_takes_the_place_of_every_one()
    {
        foreach (SequentialDefinition network in new[] { NetworkDefinition.LeNet(), NetworkDefinition.ResNet(20), NetworkDefinition.DenseNet121() })
        {
            Assert.Equal(Activation.ReLU, network.Activation);
            Assert.Equal(network.Name, $"{network}");
            SequentialDefinition bounded = network with { Activation = Activation.Tanh };
            Assert.Equal((Activation.Tanh, $"{network.Name}, Tanh"), (bounded.Activation, $"{bounded}"));
            Assert.NotEqual(network, bounded);
            Assert.DoesNotContain("ReLU", Described(bounded), StringComparison.Ordinal);
            Assert.Equal(Described(network).Replace("ReLU", "Tanh", StringComparison.Ordinal), Described(bounded));
            Assert.Equal(network, bounded with { Activation = Activation.ReLU });
            Assert.Equal(bounded, bounded with { Activation = null });
            Assert.Equal(Activation.Tanh, bounded.Resized(32).Activation);
        }
        Assert.Null(NetworkDefinition.Sequential(new Layer.Flatten(), new Layer.Dense()).Activation);
        Assert.Null(NetworkDefinition.Sequential(new Layer.Activate(Activation.ReLU), new Layer.Activate(Activation.Tanh)).Activation);
        Assert.Contains("found 99", Assert.Throws<ArgumentOutOfRangeException>(() =>
            (NetworkDefinition.LeNet() with { Activation = (Activation)99 }).Validate()).Message, StringComparison.Ordinal);
    }

    private static string Described(SequentialDefinition network)
    {
        return string.Join(' ', network.Layers.Select(Describe));

        static string Describe(Layer layer) => layer switch
        {
            Layer.Residual residual => $"[{string.Join(' ', residual.Body.Select(Describe))} | {string.Join(' ',
                residual.Shortcut.Select(Describe))}]",
            Layer.Concatenate concatenate => $"[{string.Join(' ', concatenate.Body.Select(Describe))}]",
            _ => $"{layer}",
        };
    }

    private static void Refused(string part, params Layer[] layers) =>
        Assert.Contains(part, Assert.Throws<ArgumentException>(() =>
            new GraphLayout(NetworkDefinition.Sequential(layers), new ImageShape(3, 9, 9), 10)).Message, StringComparison.Ordinal);
}
