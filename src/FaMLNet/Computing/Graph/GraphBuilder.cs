using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>From the layers of a layout to nodes at work.</summary>
internal static class GraphBuilder
{
    public static List<GraphNode> Build(IReadOnlyList<GraphNodeSpec> specs, GraphBuffers buffers)
    {
        List<GraphNode> nodes = [];
        for (int i = 0; i < specs.Count; i++)
        {
            GraphNodeSpec spec = specs[i];
            if (PooledConvolutionNode.Takes(spec, buffers) && i + 2 < specs.Count && IsReLU(specs[i + 1]) && IsSmallPool(specs[i + 2]))
            {
                nodes.Add(new PooledConvolutionNode(spec, buffers, specs[i + 1].Units));
                i += 2;
                continue;
            }
            bool isLast = i + 1 == specs.Count, rectified = !isLast && IsReLU(specs[i + 1]);
            if (BatchNormNode.Takes(spec, buffers) || EndsInNorm(spec, buffers))
            {
                string? units = rectified ? specs[++i].Units : null;
                // Beyond the last layer the gradient may be another branch's as well; without ReLU a residual layer's shortcut wants it as it is.
                bool ownsGradient = i + 1 < specs.Count && (rectified || spec.Definition is Layer.BatchNorm);
                nodes.Add(spec.Definition is Layer.BatchNorm
                    ? new BatchNormNode(spec, buffers, units, ownsGradient)
                    : new NormalizedResidualNode(Build([.. spec.Body.SkipLast(1)], buffers),
                    new BatchNormNode(spec.Body[^1], buffers, units, ownsGradient), Build(spec.Shortcut, buffers), OwnsError(spec.Body)));
                continue;
            }
            bool fresh = i > 0 && IsFresh(specs[i - 1]);
            if (IsReLU(spec))
            {
                if (fresh && !buffers.ChannelsLast && i + 1 < specs.Count && IsSmallPool(specs[i + 1]))
                {
                    nodes.Add(new ReLUMaxPoolNode(buffers, spec.Units));
                    i++;
                }
                else
                    nodes.Add(new ReLUNode(buffers, spec.Units, ownsInput: fresh, ownsGradient: i + 1 < specs.Count));
                continue;
            }
            nodes.Add(Build(spec, buffers));
        }
        return nodes;
    }

    private static bool IsReLU(GraphNodeSpec spec) => spec.Definition is Layer.Activate { Activation: Activation.ReLU };

    private static bool IsSmallPool(GraphNodeSpec spec) => spec.Definition is Layer.MaxPool2d { Kernel: 2, Stride: null or 2, Padding: 0 };

    /// <summary>Whether a layer's output belongs to no one else and is not needed again by the layer itself.</summary>
    private static bool IsFresh(GraphNodeSpec spec) => spec.Definition is Layer.Conv2d or Layer.Dense or Layer.BatchNorm or Layer.Residual;

    private static bool EndsInNorm(GraphNodeSpec spec, GraphBuffers buffers) => spec.Definition is Layer.Residual && spec.Body.Count > 1
        && BatchNormNode.Takes(spec.Body[^1], buffers);

    /// <summary>Whether the error that a branch hands down belongs to no one else: a convolution makes it anew.</summary>
    private static bool OwnsError(IReadOnlyList<GraphNodeSpec> body) => body.Count > 0 && body[0].Definition is Layer.Conv2d;

    private static GraphNode Build(GraphNodeSpec spec, GraphBuffers buffers)
    {
        switch (spec.Definition)
        {
            case Layer.Conv2d { Padding: 0, Dilation: 1, Groups: 1 } when spec.Output is { Height: 1, Width: 1 }
                && spec.Input.Length == spec.Weight!.Length / spec.Output.Channels:
            case Layer.Dense:
                return new DenseNode(spec, buffers);
            case Layer.Conv2d:
                return new ConvolutionNode(spec, buffers);
            case Layer.BatchNorm:
                {
                    Tensor weight = buffers.Parameter(spec.Weight!), bias = buffers.Parameter(spec.Bias!),
                        mean = buffers.Statistic(spec.RunningMean!), variance = buffers.Statistic(spec.RunningVariance!);
                    return new AutogradNode((x, training) =>
                        nn.functional.batch_norm(x, mean, variance, weight, bias, training, NormalizationKernels.Momentum,
                        NormalizationKernels.Epsilon), weight, bias);
                }
            case Layer.Activate activate:
                return new AutogradNode((x, _) => Apply(activate.Activation, x));
            case Layer.MaxPool2d pool:
                return new AutogradNode((x, _) => nn.functional.max_pool2d(x, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding));
            case Layer.AveragePool2d pool:
                return new AutogradNode((x, _) => nn.functional.avg_pool2d(x, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding));
            case Layer.AdaptiveAveragePool2d pool:
                return new AutogradNode((x, _) => nn.functional.adaptive_avg_pool2d(x, [pool.Size, pool.Size]));
            case Layer.Flatten:
                return new FlattenNode(spec.Input, buffers.ChannelsLast);
            case Layer.Dropout dropout:
                return new DropoutNode(dropout.Share, buffers.Dropout);
            case Layer.Residual:
                return new ResidualNode(Build(spec.Body, buffers), Build(spec.Shortcut, buffers), ownsBody: spec.Body.Count > 0
                    && IsFresh(spec.Body[^1]), OwnsError(spec.Body));
            case Layer.Concatenate:
                return new ConcatenateNode(Build(spec.Body, buffers), spec.Input.Channels, buffers.ChannelsLast);
            case Layer.DownsampleWithZeros:
                {
                    int before = (spec.Output.Channels - spec.Input.Channels) / 2, after = spec.Output.Channels - spec.Input.Channels - before;
                    return new AutogradNode((x, _) =>
                    {
                        Tensor half = x.slice(2, 0, spec.Input.Height, 2).slice(3, 0, spec.Input.Width, 2);
                        return nn.functional.pad(half, [0, 0, 0, 0, before, after]);
                    });
                }
            default:
                throw new NotSupportedException($"Option Network: {spec.Definition.GetType().Name} is not known.");
        }
    }

    private static Tensor Apply(Activation activation, Tensor x) => activation switch
    {
        Activation.Tanh => x.tanh(),
        Activation.Sigmoid => x.sigmoid(),
        Activation.LeakyReLU => x.leaky_relu(Scalars.Hundredth),
        Activation.ELU => x.elu(Scalars.One, Scalars.One, Scalars.One),
        Activation.GELU => nn.functional.gelu(x),
        _ => x.alias(),
    };
}
