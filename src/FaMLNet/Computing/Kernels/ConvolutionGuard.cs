using System.Collections.Concurrent;
using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Kernels;

/// <summary>Which of a convolution's results are wanted.</summary>
internal enum ConvolutionUse
{
    /// <summary>The output alone: prediction.</summary>
    Forward,

    /// <summary>The output and the gradients of weight and bias: the first layer, and every layer under direct rules.</summary>
    WeightGradient,

    /// <summary>The gradient of the input as well.</summary>
    InputGradient,
}

/// <summary>What of a convolution decides which kernels libtorch takes.</summary>
internal readonly record struct ConvolutionShape(ImageShape Input, int Outputs, int Kernel, int Stride, int Padding, int Dilation, int Groups,
    ConvolutionUse Use, bool ChannelsLast)
{
    public static ConvolutionShape Of(GraphNodeSpec spec, ConvolutionUse use, bool channelsLast)
    {
        Layer.Conv2d layer = (Layer.Conv2d)spec.Definition;
        return new ConvolutionShape(spec.Input, layer.Channels, layer.Kernel, layer.Stride, layer.Padding, layer.Dilation, layer.Groups, use,
            channelsLast);
    }

    /// <summary>
    /// Whether libtorch's own kernels are wrong for it wherever they are wrong at all: in a part of all runs only, for some shapes in one of ten.
    /// </summary>
    public bool IsAtRisk => Kernel > 1 && Groups == 1 && AreAtRisk(Input.Channels, Outputs, passesError: Use == ConvolutionUse.InputGradient);

    /// <summary>Numbers of channels that oneDNN makes up to a multiple of 16, with memory that it does not clear.</summary>
    public static bool AreAtRisk(long inputs, long outputs, bool passesError) =>
        (passesError && outputs % 16 != 0) || (inputs > 16 && inputs % 16 != 0);

    public override string ToString() => $"{Input.Channels}→{Outputs} @{Kernel}×{Kernel}";
}

/// <summary>A way to compute a convolution, with gradients by autograd.</summary>
/// <param name="Name">For the log.</param>
/// <param name="Run">Input, weight, bias, layer.</param>
/// <param name="KeepsWeight">
/// Whether autograd keeps the weight itself for its backward pass, not a copy in another form: only then do other values in the weight's
/// memory change the gradient of the input.
/// </param>
internal sealed record Convolution(string Name, Func<Tensor, Tensor, Tensor?, Layer.Conv2d, Tensor> Run, bool KeepsWeight = false)
{
    public Tensor Invoke(Tensor x, Tensor weight, Tensor? bias, Layer.Conv2d layer) => Run(x, weight, bias, layer);
}

/// <summary>
/// Finds for each shape the fastest convolution that is right on this machine. libtorch 2.10's oneDNN reads stale memory for some numbers of
/// channels on some processors, silently; nothing but a trial tells.
/// </summary>
/// <remarks>
/// A trial fills freed memory with NaN, runs forward and both gradients, and compares with the same convolution as a matrix product (im2col), which
/// does not go through the kernels in question. A shape is tried once a process. What is wrong in a part of all runs only can pass every trial:
/// where any of a few shapes shows that the machine is one of those (<see cref="MachineIsSuspect"/>), libtorch's own kernels are not tried for
/// numbers of channels like theirs.
/// </remarks>
internal sealed class ConvolutionGuard
{
    private const int Trials = 8;

    /// <summary>
    /// Shapes that are wrong wherever any is: output channels that are no multiple of 16, forward with more than 16 input channels. The first
    /// was wrong in every run.
    /// </summary>
    private static readonly ConvolutionShape[] Canaries =
    [
        new(new ImageShape(16, 14, 14), 120, 5, 1, 1, 1, 1, ConvolutionUse.InputGradient, ChannelsLast: false),
        new(new ImageShape(16, 8, 8), 12, 3, 1, 1, 1, 1, ConvolutionUse.InputGradient, ChannelsLast: false),
        new(new ImageShape(3, 12, 12), 6, 5, 1, 0, 1, 1, ConvolutionUse.InputGradient, ChannelsLast: false),
        new(new ImageShape(20, 8, 8), 50, 3, 1, 1, 1, 1, ConvolutionUse.InputGradient, ChannelsLast: false),
    ];

    private static readonly Lazy<bool> Suspect = new(() => Canaries.Any(canary =>
        Enumerable.Range(0, Trials).Any(trial => !IsRight(Plain, canary, trial))));

    private readonly Func<bool> _machineIsSuspect;
    private readonly ConcurrentDictionary<ConvolutionShape, Convolution> _choices = new();
    private readonly HashSet<string> _reported = [];
    private readonly Convolution[] _candidates;

    /// <param name="candidates">From the fastest to the safest; the last is taken untried.</param>
    public ConvolutionGuard(params Convolution[] candidates) : this(() => MachineIsSuspect, candidates) { }

    /// <param name="machineIsSuspect">Whether libtorch's own kernels are wrong for any shape.</param>
    /// <param name="candidates">From the fastest to the safest; the last is taken untried.</param>
    public ConvolutionGuard(Func<bool> machineIsSuspect, params Convolution[] candidates) =>
        (_machineIsSuspect, _candidates) = (machineIsSuspect, candidates);

    /// <summary>Whether this machine computes any convolution wrongly.</summary>
    public static bool MachineIsSuspect => Suspect.Value;

    /// <summary>libtorch's own; with channels padded to multiples of 16, whose kernels are right everywhere; as a matrix product.</summary>
    public static ConvolutionGuard Machine { get; } = new(Plain, Padded, Unfolded);

    public static Convolution Plain => new("libtorch", PlainConvolution, KeepsWeight: true);

    public static Convolution Padded => new("channels padded to a multiple of 16", PaddedConvolution);

    public static Convolution Unfolded => new("matrix product", UnfoldedConvolution);

    /// <summary>The shapes that libtorch's own kernels compute wrongly here, of those tried.</summary>
    public IEnumerable<string> Rerouted => _choices.Where(choice => choice.Value != _candidates[0])
        .Select(choice => $"{choice.Key} ({choice.Value.Name})");

    /// <summary>What has been rerouted since this was last asked: for the log, once.</summary>
    public IReadOnlyList<string> TakeUnreported()
    {
        lock (_reported)
            return [.. Rerouted.Where(_reported.Add)];
    }

    /// <summary>The convolution for a shape: tried once a process.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="checkCancelled">Called between trials; throws to stop, and nothing is kept. Null for nothing.</param>
    public Convolution Choose(ConvolutionShape shape, Action? checkCancelled = null) => _choices.GetOrAdd(shape, _ => Try(shape, checkCancelled));

    private Convolution Try(ConvolutionShape shape, Action? checkCancelled)
    {
        foreach (Convolution candidate in _candidates[..^1])
        {
            if (candidate.Name == Plain.Name && shape.IsAtRisk && _machineIsSuspect())
                continue;
            if (Enumerable.Range(0, Trials).All(trial =>
            {
                checkCancelled?.Invoke();
                return IsRight(candidate, shape, trial);
            }))
                return candidate;
        }
        return _candidates[^1];
    }

    private static bool IsRight(Convolution candidate, ConvolutionShape shape, int trial)
    {
        using DisposeScope scope = NewDisposeScope();
        Layer.Conv2d layer = new(shape.Outputs, shape.Kernel)
        {
            Stride = shape.Stride,
            Padding = shape.Padding,
            Dilation = shape.Dilation,
            Groups = shape.Groups
        };
        RandomGenerator random = new(trial, "convolution guard");
        Tensor Random(params long[] sizes)
        {
            float[] values = new float[sizes.Aggregate(1L, (product, size) => product * size)];
            random.FillUniform(values, -1, 1);
            return tensor(values, sizes);
        }
        // The largest images say no more about channels than smaller ones, and cost more.
        int height = Smaller(shape.Input.Height, shape), width = Smaller(shape.Input.Width, shape);
        Tensor x = Random(2, shape.Input.Channels, height, width),
            w = Random(shape.Outputs, shape.Input.Channels / shape.Groups, shape.Kernel, shape.Kernel), b = Random(shape.Outputs);
        Tensor[] expected = Run(Unfolded, x, w, b, layer, null);
        if (shape.ChannelsLast)
            x = Kernels.ChannelsLast.Of(x);
        Dirty();
        Tensor[] found = Run(candidate, x, w, b, layer, random);
        // In the order of Run: output, gradients of weight and bias, gradient of the input.
        int wanted = shape.Use switch { ConvolutionUse.Forward => 1, ConvolutionUse.WeightGradient => 3, _ => 4 };
        for (int i = 0; i < wanted; i++)
        {
            using Tensor difference = (found[i] - expected[i]).norm(), size = expected[i].norm();
            float error = difference.item<float>();
            if (!(error <= 1e-3f * size.item<float>() + 1e-5f))
                return false;
        }
        return true;
    }

    private static Tensor[] Run(Convolution convolution, Tensor x, Tensor w, Tensor b, Layer.Conv2d layer, RandomGenerator? dirt)
    {
        Tensor input = x.clone().requires_grad_(), weight = w.clone().requires_grad_(), bias = b.clone().requires_grad_();
        using IDisposable grad = enable_grad();
        Tensor y = convolution.Invoke(input, weight, bias, layer);
        if (dirt != null)
            Dirty();
        // Any fixed gradient will do; this one has no zeros and no symmetry.
        Tensor gradient = Scalars.Count(y.numel()).Scale(0.37f).sin().reshape(y.shape);
        if (!y.is_contiguous())
            gradient = ChannelsLast.Of(gradient);
        autograd.backward([y], [gradient]);
        return [y, weight.grad!, bias.grad!, input.grad!];
    }

    private static int Smaller(int size, ConvolutionShape shape) =>
        Math.Min(size, Math.Max(12, shape.Dilation * (shape.Kernel - 1) + 1 + 2 * shape.Stride));

    /// <summary>Leaves NaN in memory that the allocator will hand out next.</summary>
    public static void Dirty()
    {
        foreach (long length in new long[] { 1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18 })
        {
            Tensor[] tensors = [.. Enumerable.Range(0, 3).Select(_ => full(length, Scalars.NaN))];
            foreach (Tensor tensor in tensors)
                tensor.Dispose();
        }
    }

    /// <summary>
    /// A 1×1 convolution with a stride is one without on the pixels that it sees. libtorch's backward pass of the former ends the process
    /// with a division by zero, on an AMD EPYC with AVX-512 and 1024 channels or more (ResNet-50).
    /// </summary>
    private static Tensor PlainConvolution(Tensor x, Tensor w, Tensor? b, Layer.Conv2d layer)
    {
        if (layer is not { Kernel: 1, Stride: > 1, Padding: 0 })
        {
            return nn.functional.conv2d(x, w, b, [layer.Stride, layer.Stride], [layer.Padding, layer.Padding],
                [layer.Dilation, layer.Dilation], layer.Groups);
        }
        using DisposeScope scope = NewDisposeScope();
        Tensor seen = x.slice(2, 0, x.shape[2], layer.Stride).slice(3, 0, x.shape[3], layer.Stride);
        return nn.functional.conv2d(seen, w, b, groups: layer.Groups).MoveToOuterDisposeScope();
    }

    private static Tensor PaddedConvolution(Tensor x, Tensor w, Tensor? b, Layer.Conv2d layer)
    {
        if (layer.Groups != 1)
            return UnfoldedConvolution(x, w, b, layer);
        using DisposeScope scope = NewDisposeScope();
        long inputs = w.shape[1], outputs = w.shape[0], moreInputs = (16 - inputs % 16) % 16, moreOutputs = (16 - outputs % 16) % 16;
        if (inputs <= 16)
            moreInputs = 0;
        Tensor input = moreInputs == 0 ? x : nn.functional.pad(x, [0, 0, 0, 0, 0, moreInputs]);
        Tensor weight = nn.functional.pad(w, [0, 0, 0, 0, 0, moreInputs, 0, moreOutputs]);
        Tensor? bias = b is null ? null : nn.functional.pad(b, [0, moreOutputs]);
        Tensor y = PlainConvolution(input, weight, bias, layer);
        return y.narrow(1, 0, outputs).contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor UnfoldedConvolution(Tensor x, Tensor w, Tensor? b, Layer.Conv2d layer)
    {
        using DisposeScope scope = NewDisposeScope();
        long rows = x.shape[0], outputs = w.shape[0], groups = layer.Groups;
        long height = Size(x.shape[2], layer), width = Size(x.shape[3], layer);
        Tensor columns = nn.functional.unfold(x, layer.Kernel, layer.Dilation, layer.Padding, layer.Stride);
        Tensor y = w.reshape(groups, outputs / groups, -1).matmul(columns.reshape(rows, groups, -1, height * width)).reshape(rows, outputs, height,
            width);
        if (b is not null)
            y = y.add(b.reshape(1, outputs, 1, 1), Scalars.One);
        return y.MoveToOuterDisposeScope();
    }

    private static long Size(long size, Layer.Conv2d layer) => (size + 2 * layer.Padding - layer.Dilation * (layer.Kernel - 1) - 1) / layer.Stride
        + 1;
}
