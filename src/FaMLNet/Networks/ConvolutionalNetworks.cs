namespace FaMLNet;

/// <summary>The layers of the published convolutional networks.</summary>
internal static class ConvolutionalNetworks
{
    private static readonly Layer ReLU = new Layer.Activate(Activation.ReLU);
    private static readonly Layer Flatten = new Layer.Flatten();
    private static readonly Layer Norm = new Layer.BatchNorm();

    private static readonly int[] MnasDepths = [32, 16, 24, 40, 80, 96, 192, 320];

    /// <summary>LeNet-5 with ReLU and max-pooling, as Sanfiz and Akrout 2021 use it (LeCun et al. 1998).</summary>
    public static SequentialDefinition LeNet() => new("LeNet",
    [
        new Layer.PadTo(32),
        new Layer.Conv2d(6, 5), ReLU, new Layer.MaxPool2d(2),
        new Layer.Conv2d(16, 5), ReLU, new Layer.MaxPool2d(2),
        new Layer.Conv2d(120, 5), ReLU,
        Flatten, new Layer.Dense(84), ReLU, new Layer.Dense(),
    ]);

    /// <summary>The wider network that the same authors call LeNet on CIFAR-10.</summary>
    public static SequentialDefinition LeNetCifar() => new("LeNetCifar",
    [
        new Layer.Conv2d(32, 3), ReLU, new Layer.MaxPool2d(2),
        new Layer.Conv2d(64, 3), ReLU, new Layer.MaxPool2d(2),
        new Layer.Conv2d(128, 3), ReLU, new Layer.AdaptiveAveragePool2d(1),
        Flatten, new Layer.Dense(256), ReLU, new Layer.Dense(),
    ]);

    /// <summary>ResNet for CIFAR (He et al. 2016, section 4.2): 6n+2 layers, 16, 32 and 64 channels, shortcuts of option A (no parameters).</summary>
    public static SequentialDefinition ResNetCifar(int depth)
    {
        List<Layer> layers = [new Layer.Conv2d(16, 3) { Padding = 1, Bias = false }, Norm, ReLU];
        foreach (int channels in new[] { 16, 32, 64 })
        {
            for (int block = 0; block < (depth - 2) / 6; block++)
            {
                int stride = block == 0 && channels > 16 ? 2 : 1;
                layers.Add(new Layer.Residual(
                    [Conv(channels, 3, stride), Norm, ReLU, Conv(channels, 3), Norm],
                    stride == 1 ? [] : [new Layer.DownsampleWithZeros(channels)]));
                layers.Add(ReLU);
            }
        }
        return new($"ResNet-{depth}", [.. layers, new Layer.AdaptiveAveragePool2d(1), Flatten, new Layer.Dense()]);
    }

    /// <summary>ResNet for ImageNet (He et al. 2016): shortcuts of option B (a 1×1 convolution where the shape changes).</summary>
    /// <param name="name">For people.</param>
    /// <param name="blocks">Blocks of each of the four stages.</param>
    /// <param name="bottleneck">Whether blocks are 1×1, 3×3, 1×1 convolutions instead of two 3×3.</param>
    /// <param name="groups">Groups of the 3×3 convolutions (Xie et al. 2017, ResNeXt).</param>
    /// <param name="baseWidth">Channels per group at the first stage (64 as published; 128 for WideResNet-50-2, Zagoruyko and Komodakis
    /// 2016).</param>
    public static SequentialDefinition ResNetImageNet(string name, int[] blocks, bool bottleneck, int groups = 1, int baseWidth = 64)
    {
        List<Layer> layers = [new Layer.Conv2d(64, 7) { Stride = 2, Padding = 3, Bias = false }, Norm, ReLU,
            new Layer.MaxPool2d(3) { Stride = 2, Padding = 1 }];
        for (int stage = 0; stage < 4; stage++)
        {
            int channels = 64 << stage, output = bottleneck ? 4 * channels : channels, width = channels * baseWidth / 64 * groups;
            for (int block = 0; block < blocks[stage]; block++)
            {
                int stride = stage > 0 && block == 0 ? 2 : 1;
                Layer[] body = bottleneck
                    ? [Conv(width, 1), Norm, ReLU, Conv(width, 3, stride, groups), Norm, ReLU, Conv(output, 1), Norm]
                    : [Conv(channels, 3, stride), Norm, ReLU, Conv(channels, 3), Norm];
                bool changes = stride == 2 || (block == 0 && bottleneck);
                layers.Add(new Layer.Residual(body, changes ? [Conv(output, 1, stride), Norm] : []));
                layers.Add(ReLU);
            }
        }
        return new(name, [.. layers, new Layer.AdaptiveAveragePool2d(1), Flatten, new Layer.Dense()]);
    }

    /// <summary>AlexNet in the form of Krizhevsky 2014 ("One weird trick"), as torchvision has it.</summary>
    public static SequentialDefinition AlexNet() => new("AlexNet",
    [
        new Layer.Conv2d(64, 11) { Stride = 4, Padding = 2 }, ReLU, new Layer.MaxPool2d(3) { Stride = 2 },
        new Layer.Conv2d(192, 5) { Padding = 2 }, ReLU, new Layer.MaxPool2d(3) { Stride = 2 },
        new Layer.Conv2d(384, 3) { Padding = 1 }, ReLU,
        new Layer.Conv2d(256, 3) { Padding = 1 }, ReLU,
        new Layer.Conv2d(256, 3) { Padding = 1 }, ReLU, new Layer.MaxPool2d(3) { Stride = 2 },
        new Layer.AdaptiveAveragePool2d(6), Flatten,
        new Layer.Dropout(0.5f), new Layer.Dense(4096), ReLU,
        new Layer.Dropout(0.5f), new Layer.Dense(4096), ReLU,
        new Layer.Dense(),
    ]);

    /// <summary>DenseNet-BC for ImageNet with growth rate 32 (Huang et al. 2017).</summary>
    public static SequentialDefinition DenseNet(string name, int[] blocks)
    {
        const int Growth = 32;
        int channels = 64;
        List<Layer> layers = [new Layer.Conv2d(64, 7) { Stride = 2, Padding = 3, Bias = false }, Norm, ReLU,
            new Layer.MaxPool2d(3) { Stride = 2, Padding = 1 }];
        for (int stage = 0; stage < blocks.Length; stage++)
        {
            for (int block = 0; block < blocks[stage]; block++)
                layers.Add(new Layer.Concatenate([Norm, ReLU, Conv(4 * Growth, 1), Norm, ReLU, Conv(Growth, 3)]));
            channels += Growth * blocks[stage];
            layers.AddRange([Norm, ReLU]);
            if (stage == blocks.Length - 1)
                break;
            channels /= 2;
            layers.AddRange([Conv(channels, 1), new Layer.AveragePool2d(2)]);
        }
        return new(name, [.. layers, new Layer.AdaptiveAveragePool2d(1), Flatten, new Layer.Dense()]);
    }

    /// <summary>MnasNet-B1 (Tan et al. 2019) at a depth multiplier, as torchvision has it.</summary>
    public static SequentialDefinition MnasNet(double multiplier)
    {
        int[] depths = [.. MnasDepths.Select(depth => RoundTo8(depth * multiplier))];
        List<Layer> layers =
        [
            Conv(depths[0], 3, 2), Norm, ReLU,
            Conv(depths[0], 3, 1, depths[0]), Norm, ReLU,
            Conv(depths[1], 1), Norm,
        ];
        (int Kernel, int Stride, int Expansion, int Repeats)[] stacks =
            [(3, 2, 3, 3), (5, 2, 3, 3), (5, 2, 6, 3), (3, 1, 6, 2), (5, 2, 6, 4), (3, 1, 6, 1)];
        int input = depths[1];
        for (int i = 0; i < stacks.Length; i++)
        {
            (int kernel, int stride, int expansion, int repeats) = stacks[i];
            for (int repeat = 0; repeat < repeats; repeat++)
            {
                int step = repeat == 0 ? stride : 1, middle = input * expansion;
                Layer[] body = [Conv(middle, 1), Norm, ReLU, Conv(middle, kernel, step, middle), Norm, ReLU, Conv(depths[i + 2], 1), Norm];
                if (step == 1 && input == depths[i + 2])
                    layers.Add(new Layer.Residual(body, []));
                else
                    layers.AddRange(body);
                input = depths[i + 2];
            }
        }
        return new(FormattableString.Invariant($"MnasNet-{multiplier}"),
            [.. layers, Conv(1280, 1), Norm, ReLU, new Layer.AdaptiveAveragePool2d(1), Flatten, new Layer.Dropout(0.2f), new Layer.Dense()]);
    }

    private static Layer.Conv2d Conv(int channels, int kernel, int stride = 1, int groups = 1) =>
        new(channels, kernel) { Stride = stride, Padding = kernel / 2, Groups = groups, Bias = false };

    /// <summary>To a multiple of 8, rounding up where rounding down would lose more than a tenth (Tan et al.).</summary>
    private static int RoundTo8(double value)
    {
        int rounded = Math.Max(8, (int)(value + 4) / 8 * 8);
        return rounded >= 0.9 * value ? rounded : rounded + 8;
    }
}
