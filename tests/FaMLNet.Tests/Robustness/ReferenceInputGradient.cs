using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Robustness;

/// <summary>
/// The gradient of the input once more, in float64 by autograd on the definition of each threat model: values by the forward weights, the way back
/// by others. Shares nothing with the library but the layout of the parameters.
/// </summary>
internal sealed class ReferenceInputGradient(NetworkLayout layout, FeedbackAlignmentMulticlassModelParameters model, bool byFeedback)
{
    private readonly IReadOnlyDictionary<string, ParameterTensor> _parameters = model.GetParameters(), _feedback = model.GetFeedbackWeights();
    private readonly List<(Tensor Input, Tensor Feedback)> _roots = [];

    /// <summary>Logits, and the gradient of Σ logits · errors.</summary>
    public (double[] Logits, double[] Gradient) Run(float[][] rows, float[] errors)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = tensor(rows.SelectMany(row => row).Select(value => (double)value).ToArray(), [rows.Length, layout.Inputs]).requires_grad_();
        Tensor logits = layout is DenseLayout dense ? Dense(dense, x) : Graph((GraphLayout)layout, x);
        Tensor e = tensor(errors.Select(value => (double)value).ToArray(), logits.shape), objective = logits.mul(e).sum();
        foreach ((Tensor input, Tensor feedback) in _roots)
            objective = Sum(objective, input.reshape(rows.Length, -1).mul(e.mm(feedback)).sum());
        objective.backward();
        return (logits.detach().data<double>().ToArray(), x.grad!.data<double>().ToArray());
    }

    private Tensor Of(string name) => Double(_parameters[name]);

    private static Tensor Double(ParameterTensor values) => tensor(values.Values.ToArray().Select(value => (double)value).ToArray(),
        [.. values.Shape.Select(size => (long)size)]);

    /// <summary>A layer with weights: for direct rules cut off from what is above, for others with B on the way back.</summary>
    private Tensor Weighted(string name, Tensor x, Func<Tensor, Tensor, Tensor> apply, bool first)
    {
        Tensor weight = Of($"{name}.weight");
        if (!byFeedback || first || !_feedback.TryGetValue(name, out ParameterTensor? values))
            return apply(x, weight);
        Tensor feedback = Double(values);
        if (model.Rule is not DirectFeedbackRule)
            return Sum(apply(x, feedback), apply(x, weight).sub(apply(x, feedback)).detach());
        _roots.Add((x, feedback));
        return apply(x.detach(), weight);
    }

    private Tensor Dense(DenseLayout dense, Tensor x)
    {
        Tensor input = x;
        for (int i = 0; i < dense.Layers.Count; i++)
        {
            x = Sum(Weighted($"dense{i + 1}", x, (input, weight) => input.mm(weight.t()), first: i == 0), Of($"dense{i + 1}.bias"));
            if (i == dense.Layers.Count - 1)
                break;
            string norm = $"norm{i + 1}";
            if (dense.Network.Normalization == Normalization.Batch)
                x = Sum(x.sub(Of($"{norm}.running_mean")).div(Deviation(Of($"{norm}.running_var"))).mul(Of($"{norm}.weight")), Of($"{norm}.bias"));
            else if (dense.Network.Normalization == Normalization.Layer)
            {
                Tensor centred = x.sub(x.mean([1], keepdim: true));
                x = Sum(centred.div(Deviation(centred.mul(centred).mean([1], keepdim: true))).mul(Of($"{norm}.weight")), Of($"{norm}.bias"));
            }
            x = Activate(dense.Network.Activation, x);
        }
        return dense.Network.LinearSkip ? Sum(x, input.mm(Of("skip.weight").t())) : x;
    }

    private Tensor Graph(GraphLayout graph, Tensor x)
    {
        ImageShape image = graph.Image, seen = graph.NetworkInput;
        x = x.view(-1, image.Channels, image.Height, image.Width);
        if (graph.Resize != null)
            x = nn.functional.interpolate(x, [seen.Height, seen.Width], mode: InterpolationMode.Bilinear, align_corners: false);
        else
        {
            int top = (seen.Height - image.Height) / 2, left = (seen.Width - image.Width) / 2;
            x = nn.functional.pad(x, [left, seen.Width - image.Width - left, top, seen.Height - image.Height - top]);
        }
        x = x.sub(Of("input.mean").view(1, -1, 1, 1)).div(Of("input.std").view(1, -1, 1, 1));
        return Run(graph.Nodes, x);
    }

    private Tensor Run(IReadOnlyList<GraphNodeSpec> nodes, Tensor x) => nodes.Aggregate(x, (current, node) => Run(node, current));

    private Tensor Run(GraphNodeSpec spec, Tensor x)
    {
        string name = spec.Weight?.Name.Split('.')[0] ?? "";
        switch (spec.Definition)
        {
            case Layer.Conv2d conv:
                Tensor y = Weighted(name, x, (input, weight) => nn.functional.conv2d(input, weight, null, [conv.Stride, conv.Stride],
                    [conv.Padding, conv.Padding], [conv.Dilation, conv.Dilation], conv.Groups), first: spec.WeightedIndex == 0);
                return conv.Bias ? Sum(y, Of($"{name}.bias").view(1, -1, 1, 1)) : y;
            case Layer.Dense:
                return Sum(Weighted(name, x, (input, weight) => input.mm(weight.t()), first: spec.WeightedIndex == 0), Of($"{name}.bias"));
            case Layer.BatchNorm:
                long[] shape = x.dim() == 4 ? [1, -1, 1, 1] : [1, -1];
                return Sum(x.sub(Of($"{name}.running_mean").view(shape)).div(Deviation(Of($"{name}.running_var")).view(shape))
                    .mul(Of($"{name}.weight").view(shape)), Of($"{name}.bias").view(shape));
            case Layer.Activate activate:
                return Activate(activate.Activation, x);
            case Layer.MaxPool2d pool:
                return nn.functional.max_pool2d(x, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding);
            case Layer.AveragePool2d pool:
                return nn.functional.avg_pool2d(x, pool.Kernel, pool.Stride ?? pool.Kernel, pool.Padding);
            case Layer.AdaptiveAveragePool2d pool:
                return nn.functional.adaptive_avg_pool2d(x, [pool.Size, pool.Size]);
            case Layer.Flatten:
                return x.flatten(1);
            case Layer.Residual:
                return Sum(Run(spec.Body, x), Run(spec.Shortcut, x));
            case Layer.Concatenate:
                return cat([x, Run(spec.Body, x)], 1);
            case Layer.DownsampleWithZeros:
                int before = (spec.Output.Channels - spec.Input.Channels) / 2, after = spec.Output.Channels - spec.Input.Channels - before;
                return nn.functional.pad(x.slice(2, 0, spec.Input.Height, 2).slice(3, 0, spec.Input.Width, 2), [0, 0, 0, 0, before, after]);
            default:
                return x; // dropout
        }
    }

    /// <summary>Not by the operator: it hands libtorch a number that nobody keeps alive (see Scalars).</summary>
    private static Tensor Sum(Tensor one, Tensor other) => one.add(other, Scalars.One);

    private static Tensor Deviation(Tensor variance) => Scalars.With(1e-5f, epsilon => variance.add(epsilon)).sqrt();

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
}
