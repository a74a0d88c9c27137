using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>A network that is data: dense layers or layers with branches.</summary>
internal sealed class DefinedForward(NetworkLayout layout, RandomGenerator dropout) : ForwardPass(layout)
{
    private readonly Dictionary<string, Tensor> _tensors = [];

    public override RandomGenerator? Dropout => dropout;

    public override void Attach(Tensor weights, Tensor statistics)
    {
        foreach (ParameterSlice slice in Layout.Parameters)
        {
            // Shares the storage but not autograd's version counter: weights may change places between forward and backward.
            Tensor leaf = empty(0, device: weights.device).set_(FlatTensors.View(weights, slice)).DetachFromDisposeScope();
            leaf.requires_grad = true;
            Leaves.Add((leaf, slice));
            _tensors[slice.Name] = leaf;
        }
        foreach (ParameterSlice slice in Layout.Statistics)
            _tensors[slice.Name] = FlatTensors.View(statistics, slice).DetachFromDisposeScope();
    }

    public override Tensor Run(Tensor x, bool training, Cut cut, Tensor? modulation = null) => Layout switch
    {
        DenseLayout dense => Dense(dense, Modulated(x, modulation), x, training, cut),
        GraphLayout graph => Run(graph.Nodes, Modulated(Prepare(graph, x), modulation), training, cut),
        _ => throw new NotSupportedException(Layout.GetType().Name),
    };

    public override void Dispose()
    {
        foreach (Tensor tensor in _tensors.Values)
            tensor.Dispose();
    }

    private static Tensor Modulated(Tensor x, Tensor? modulation) => modulation is null ? x : x.add(modulation.view(x.shape), Scalars.One);

    /// <param name="layout">The network.</param>
    /// <param name="x">What the first layer sees.</param>
    /// <param name="clean">The rows, which a linear path past the hidden layers sees whatever modulates the first layer's.</param>
    /// <param name="training">Whether it is a training step.</param>
    /// <param name="cut">Where an error passes.</param>
    private Tensor Dense(DenseLayout layout, Tensor x, Tensor clean, bool training, Cut cut)
    {
        for (int i = 0; i < layout.Layers.Count; i++)
        {
            DenseLayer layer = layout.Layers[i];
            x = nn.functional.linear(i == 0 ? x : cut(i, x), Of(layer.Weight), Of(layer.Bias));
            if (i == layout.Layers.Count - 1)
                break;
            if (layout.Network.Normalization == Normalization.Batch)
                x = nn.functional.batch_norm(x, Of(layer.RunningMean!), Of(layer.RunningVariance!), Of(layer.NormScale!), Of(layer.NormShift!),
                    training, NormalizationKernels.Momentum, NormalizationKernels.Epsilon);
            else if (layout.Network.Normalization == Normalization.Layer)
                x = nn.functional.layer_norm(x, [layer.Outputs], Of(layer.NormScale!), Of(layer.NormShift!), NormalizationKernels.Epsilon);
            x = Watch(layout.WeightedLayers[i].Name, layout.Network.Activation, training, Activate(layout.Network.Activation, x));
            x = Drop(x, layout.Network.Dropout, training);
        }
        return layout.Skip is { } skip ? x.add(nn.functional.linear(clean, Of(skip)), Scalars.One) : x;
    }

    /// <summary>Images as the first layer sees them: resized, padded, standardised.</summary>
    private Tensor Prepare(GraphLayout layout, Tensor x)
    {
        ImageShape image = layout.Image, seen = layout.NetworkInput;
        x = x.view(-1, image.Channels, image.Height, image.Width);
        if (layout.Resize != null)
            x = nn.functional.interpolate(x, [seen.Height, seen.Width], mode: InterpolationMode.Bilinear, align_corners: false);
        else if (seen != image)
        {
            int top = (seen.Height - image.Height) / 2, left = (seen.Width - image.Width) / 2;
            x = nn.functional.pad(x, [left, seen.Width - image.Width - left, top, seen.Height - image.Height - top]);
        }
        return x.sub(Of(layout.InputMean).view(1, -1, 1, 1)).div(Of(layout.InputDeviation).view(1, -1, 1, 1));
    }

    private Tensor Run(IReadOnlyList<GraphNodeSpec> specs, Tensor x, bool training, Cut cut)
    {
        foreach (GraphNodeSpec spec in specs)
            x = Run(spec, x, training, cut);
        return x;
    }

    private Tensor Run(GraphNodeSpec spec, Tensor x, bool training, Cut cut)
    {
        switch (spec.Definition)
        {
            case Layer.Conv2d conv:
                return nn.functional.conv2d(spec.WeightedIndex == 0 ? x : cut(spec.WeightedIndex, x), Of(spec.Weight!), spec.Bias == null ? null
                    : Of(spec.Bias),
                    [conv.Stride, conv.Stride], [conv.Padding, conv.Padding], [conv.Dilation, conv.Dilation], conv.Groups);
            case Layer.Dense:
                return nn.functional.linear(spec.WeightedIndex == 0 ? x : cut(spec.WeightedIndex, x), Of(spec.Weight!), Of(spec.Bias!));
            case Layer.BatchNorm:
                return nn.functional.batch_norm(x, Of(spec.RunningMean!), Of(spec.RunningVariance!), Of(spec.Weight!), Of(spec.Bias!), training,
                    NormalizationKernels.Momentum, NormalizationKernels.Epsilon);
            case Layer.Activate activate:
                return Watch(spec.Units, activate.Activation, training, Activate(activate.Activation, x));
            case Layer.MaxPool2d pool:
                return nn.functional.max_pool2d(x, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding);
            case Layer.AveragePool2d pool:
                return nn.functional.avg_pool2d(x, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding);
            case Layer.AdaptiveAveragePool2d pool:
                return nn.functional.adaptive_avg_pool2d(x, [pool.Size, pool.Size]);
            case Layer.Flatten:
                return x.reshape(x.shape[0], -1);
            case Layer.Dropout drop:
                return Drop(x, drop.Share, training);
            case Layer.Residual:
                return Run(spec.Body, x, training, cut).add(Run(spec.Shortcut, x, training, cut), Scalars.One);
            case Layer.Concatenate:
                return cat([x, Run(spec.Body, x, training, cut)], 1);
            case Layer.DownsampleWithZeros:
                int before = (spec.Output.Channels - spec.Input.Channels) / 2, after = spec.Output.Channels - spec.Input.Channels - before;
                return nn.functional.pad(x.slice(2, 0, spec.Input.Height, 2).slice(3, 0, spec.Input.Width, 2), [0, 0, 0, 0, before, after]);
            default:
                throw new NotSupportedException($"Option Network: {spec.Definition.GetType().Name} is not known.");
        }
    }

    private Tensor Watch(string units, Activation activation, bool training, Tensor output)
    {
        if (training && activation == Activation.ReLU)
            Activity?.Observe(units, output);
        return output;
    }

    private static Tensor Activate(Activation activation, Tensor x) => activation switch
    {
        Activation.ReLU => x.relu(),
        Activation.Tanh => x.tanh(),
        Activation.Sigmoid => x.sigmoid(),
        Activation.LeakyReLU => x.leaky_relu(Scalars.Hundredth),
        Activation.ELU => x.elu(Scalars.One, Scalars.One, Scalars.One),
        Activation.GELU => nn.functional.gelu(x),
        _ => x,
    };

    /// <summary>The mask comes from the host's stream, so that a checkpoint holds its state.</summary>
    private Tensor Drop(Tensor x, float share, bool training)
    {
        if (!training || share == 0)
            return x;
        float[] mask = new float[x.numel()];
        dropout.FillUniform(mask, 0, 1);
        for (int i = 0; i < mask.Length; i++)
            mask[i] = mask[i] < share ? 0 : 1 / (1 - share);
        return x.mul(tensor(mask, x.shape).to(x.device));
    }

    private Tensor Of(ParameterSlice slice) => _tensors[slice.Name];
}
