using FaMLNet.Computing.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>
/// The flat parameters, statistics, gradient and feedback weights of a network as tensors: the host's own memory, or copies on another device of
/// which the host's buffers are a mirror that is brought up to date where it is read.
/// </summary>
internal sealed class FlatTensors : IDisposable
{
    private readonly Device? _device;
    private readonly (FloatBuffer Host, Tensor There)[] _all;

    /// <param name="network">The host's buffers.</param>
    /// <param name="device">Null for the host's own memory.</param>
    public FlatTensors(TrainingNetwork network, Device? device)
    {
        _device = device;
        _all = [.. new[] { network.Weights, network.Statistics, network.Gradient, network.Feedback.Buffer }.Select(buffer => (buffer, Open(buffer)))];
    }

    public Tensor Weights => _all[0].There;

    public Tensor Statistics => _all[1].There;

    public Tensor Gradient => _all[2].There;

    public Tensor Feedback => _all[3].There;

    /// <summary>A view of a parameter in a flat tensor, in its own shape.</summary>
    public static Tensor View(Tensor flat, ParameterSlice slice) =>
        flat.narrow(0, slice.Offset, slice.Length).view([.. slice.Shape.Select(size => (long)size)]);

    public void Download()
    {
        if (_device is null)
            return;
        foreach ((FloatBuffer host, Tensor there) in _all)
            CopyTo(there, host.Span);
    }

    public void Upload()
    {
        if (_device is null)
            return;
        foreach ((FloatBuffer host, Tensor there) in _all)
            CopyFrom(host.Span, there);
    }

    public static void CopyTo(Tensor source, Span<float> destination)
    {
        using Tensor host = source.cpu();
        host.data<float>().ToArray().AsSpan(0, destination.Length).CopyTo(destination);
    }

    public static void CopyFrom(ReadOnlySpan<float> source, Tensor destination)
    {
        if (source.IsEmpty)
            return;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        destination.copy_(tensor(source.ToArray()));
    }

    public void Dispose()
    {
        foreach ((_, Tensor there) in _all)
            there.Dispose();
    }

    private Tensor Open(FloatBuffer buffer) =>
        (_device is null ? buffer.Fresh(0, buffer.Length) : zeros(Math.Max(1, buffer.Length), ScalarType.Float32, _device)).DetachFromDisposeScope();
}
