using System.Numerics;
using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>ReLU, in place where the input belongs to no one else.</summary>
/// <param name="buffers">Of the network.</param>
/// <param name="units">Its name where activations are watched.</param>
/// <param name="ownsInput">Whether the input may be overwritten.</param>
/// <param name="ownsGradient">Whether the gradient may be overwritten.</param>
internal sealed class ReLUNode(GraphBuffers buffers, string units, bool ownsInput, bool ownsGradient) : GraphNode
{
    private const int PartLength = 16384;
    private Tensor? _output;

    public override Tensor Forward(Tensor x, Pass pass)
    {
        Tensor output = ownsInput ? x.relu_().alias() : x.relu();
        if (pass != Pass.Prediction)
        {
            _output = output.alias();
            buffers.Activity?.Observe(units, output);
        }
        return output;
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        using Tensor output = _output!;
        _output = null;
        // A gradient may be an expanded one, whose elements share memory: never to be written to.
        Tensor result = ownsGradient && ChannelsLast.IsDense(gradient) ? gradient.alias() : gradient.clone();
        using Tensor? g = ChannelsLast.Flat(result), a = ChannelsLast.Flat(output);
        if (g is not null && a is not null && result.stride().AsSpan().SequenceEqual(output.stride()))
            Mask(g, a);
        else
        {
            using Tensor positive = output.gt(Scalars.Zero);
            result.mul_(positive);
        }
        return result;
    }

    private static unsafe void Mask(Tensor gradient, Tensor output)
    {
        fixed (byte* gBytes = gradient.bytes, aBytes = output.bytes)
        {
            float* g = (float*)gBytes, a = (float*)aBytes;
            long length = gradient.numel();
            int parts = OpenMp.Parts(length, PartLength);
            OpenMp.Run(parts, part =>
            {
                long i = length * part / parts, end = length * (part + 1) / parts;
                for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
                {
                    Vector<int> positive = Vector.GreaterThan(Vector.Load(a + i), Vector<float>.Zero);
                    Vector.Store(Vector.ConditionalSelect(positive, Vector.Load(g + i), Vector<float>.Zero), g + i);
                }
                for (; i < end; i++)
                    g[i] = a[i] > 0 ? g[i] : 0;
            });
        }
    }
}

/// <summary>From an image to a vector and back.</summary>
internal sealed class FlattenNode(ImageShape input, bool channelsLast) : GraphNode
{
    public override Tensor Forward(Tensor x, Pass pass) => x.reshape(x.shape[0], -1);

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        Tensor images = gradient.reshape(gradient.shape[0], input.Channels, input.Height, input.Width);
        if (!channelsLast)
            return images;
        using (images)
            return ChannelsLast.Of(images);
    }
}

/// <summary>Dropout; nothing but in training.</summary>
internal sealed class DropoutNode(float share, RandomGenerator? random) : GraphNode
{
    private Tensor? _mask;

    public override Tensor Forward(Tensor x, Pass pass)
    {
        if (pass != Pass.Training || share == 0)
            return x.alias();
        float[] mask = new float[x.numel()];
        random!.FillUniform(mask, 0, 1);
        for (int i = 0; i < mask.Length; i++)
            mask[i] = mask[i] < share ? 0 : 1 / (1 - share);
        _mask = tensor(mask, x.shape);
        return x.mul(_mask);
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        if (_mask is null)
            return gradient.alias();
        using Tensor mask = _mask;
        _mask = null;
        return gradient.mul(mask);
    }
}

/// <summary>Any other layer: libtorch's forward, with autograd around it alone.</summary>
/// <param name="function">The layer's function of its input and of whether it is training.</param>
/// <param name="parameters">The leaves that the function uses.</param>
internal sealed class AutogradNode(Func<Tensor, bool, Tensor> function, params Tensor[] parameters) : GraphNode
{
    private Tensor? _input, _output;

    public override Tensor Forward(Tensor x, Pass pass)
    {
        if (pass == Pass.Prediction)
        {
            using (no_grad())
                return function(x, false);
        }
        _input = x.detach();
        _input.requires_grad = true;
        using (enable_grad())
            _output = function(_input, pass == Pass.Training);
        return _output.detach();
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        using Tensor output = _output!, input = _input!;
        _output = _input = null;
        autograd.backward([output], [gradient], inputs: [.. parameters.Where(parameter => parameter.requires_grad), input]);
        return input.grad;
    }
}

/// <summary>The sum of two branches of one input.</summary>
/// <param name="body">One.</param>
/// <param name="shortcut">The other.</param>
/// <param name="ownsBody">Whether the body's output may be overwritten.</param>
/// <param name="ownsError">Whether the error that the body hands down may be overwritten.</param>
internal sealed class ResidualNode(IReadOnlyList<GraphNode> body, IReadOnlyList<GraphNode> shortcut, bool ownsBody, bool ownsError) : GraphNode
{
    public override Tensor Forward(Tensor x, Pass pass)
    {
        using Tensor one = Forward(body, x, pass), other = Forward(shortcut, x, pass);
        return ownsBody ? one.add_(other, Scalars.One).alias() : one.add(other, Scalars.One);
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path) =>
        Sum(Backward(body, gradient, path), Backward(shortcut, gradient, path), ownsError);

    /// <summary>The errors that two branches hand down to one input, added; takes both.</summary>
    public static Tensor? Sum(Tensor? one, Tensor? other, bool ownsOne)
    {
        if (one is null || other is null)
            return one ?? other;
        using Tensor first = one, second = other;
        return ownsOne ? first.add_(second, Scalars.One).alias() : first.add(second, Scalars.One);
    }
}

/// <summary>
/// The sum of two branches of one input, the first of which ends in batch normalisation that adds the other, and the ReLU that follows, if
/// one does.
/// </summary>
/// <param name="body">The first branch but for its normalisation.</param>
/// <param name="norm">The normalisation.</param>
/// <param name="shortcut">The other branch.</param>
/// <param name="ownsError">Whether the error that the body hands down may be overwritten.</param>
internal sealed class NormalizedResidualNode(IReadOnlyList<GraphNode> body, BatchNormNode norm, IReadOnlyList<GraphNode> shortcut, bool ownsError)
    : GraphNode
{
    public override Tensor Forward(Tensor x, Pass pass)
    {
        using Tensor one = Forward(body, x, pass), other = Forward(shortcut, x, pass);
        return norm.Forward(one, other, pass);
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        (Tensor input, Tensor? passed) = norm.BackwardBoth(gradient);
        Tensor? one;
        using (input)
            one = Backward(body, input, path);
        using (passed)
            return ResidualNode.Sum(one, Backward(shortcut, passed ?? gradient, path), ownsError);
    }
}

/// <summary>The input followed by a branch of it, channel by channel.</summary>
internal sealed class ConcatenateNode(IReadOnlyList<GraphNode> body, int channels, bool channelsLast) : GraphNode
{
    public override Tensor Forward(Tensor x, Pass pass)
    {
        using Tensor branch = Forward(body, x, pass);
        return cat([x, branch], 1);
    }

    public override Tensor? Backward(Tensor gradient, in BackwardPath path)
    {
        using Tensor own = gradient.narrow(1, 0, channels), rest = gradient.narrow(1, channels, gradient.shape[1] - channels),
            dense = ChannelsLast.Dense(rest, channelsLast);
        using Tensor? branch = Backward(body, dense, path);
        return branch is null ? ChannelsLast.Dense(own, channelsLast) : own.add(branch, Scalars.One);
    }
}
