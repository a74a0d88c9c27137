using System.Numerics.Tensors;
using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet.Computing.Backward;

/// <summary>Direct feedback weights of which every unit hears one output at most: the projection is a copy.</summary>
internal sealed unsafe class SparseProjection : IDisposable
{
    private const int PartLength = 8192;

    private readonly int[] _heard;
    private readonly float[] _loudness;
    private readonly Dictionary<(long, long, long), (Tensor Heard, Tensor Loudness)> _tensors = [];

    private SparseProjection(int[] heard, float[] loudness) => (_heard, _loudness) = (heard, loudness);

    /// <summary>The projection by these weights; null if some unit hears more than one output.</summary>
    /// <param name="feedback">Outputs × units.</param>
    /// <param name="units">How many there are.</param>
    public static SparseProjection? Find(ReadOnlySpan<float> feedback, int units)
    {
        int[] heard = new int[units];
        float[] loudness = new float[units];
        for (int i = 0; i < feedback.Length; i++)
        {
            if (feedback[i] == 0)
                continue;
            int unit = i % units;
            if (loudness[unit] != 0)
                return null;
            (heard[unit], loudness[unit]) = (i / units, feedback[i]);
        }
        return new SparseProjection(heard, loudness);
    }

    /// <summary>Projects a signal that lies feature-major.</summary>
    /// <param name="signal">Outputs × width.</param>
    /// <param name="width">Columns.</param>
    /// <param name="projected">Receives units × width.</param>
    public void Run(float* signal, int width, float* projected)
    {
        int units = _heard.Length, parts = Math.Min(units, OpenMp.Parts((long)units * width, PartLength));
        if (parts == 1)
            Run(signal, width, projected, 0, units);
        else
            RunInParts(parts, signal, width, projected);
    }

    /// <summary>Projects a signal that lies row by row.</summary>
    /// <param name="signal">Rows × outputs.</param>
    /// <param name="image">Channels, height and width where the projection is to lie with its channels together; else null.</param>
    /// <returns>Rows × units, in that order.</returns>
    public Tensor Run(Tensor signal, (long Channels, long Height, long Width)? image = null)
    {
        (long, long, long) key = image ?? (_heard.Length, 1, 1);
        if (!_tensors.TryGetValue(key, out (Tensor Heard, Tensor Loudness) found))
            _tensors[key] = found = Open(key);
        using Tensor copies = signal.index_select(1, found.Heard);
        return copies.mul(found.Loudness);
    }

    public void Dispose()
    {
        foreach ((Tensor heard, Tensor loudness) in _tensors.Values)
        {
            heard.Dispose();
            loudness.Dispose();
        }
        _tensors.Clear();
    }

    private (Tensor Heard, Tensor Loudness) Open((long Channels, long Height, long Width) image)
    {
        using DisposeScope scope = NewDisposeScope();
        long[] shape = [image.Channels, image.Height, image.Width];
        return (tensor(_heard, shape).permute(1, 2, 0).reshape(-1).to(ScalarType.Int64).DetachFromDisposeScope(),
            tensor(_loudness, shape).permute(1, 2, 0).contiguous().reshape(-1).clone().DetachFromDisposeScope());
    }

    private void RunInParts(int parts, float* signal, int width, float* projected) => OpenMp.Run(parts, part =>
        Run(signal, width, projected, _heard.Length * part / parts, _heard.Length * (part + 1) / parts));

    private void Run(float* signal, int width, float* projected, int from, int to)
    {
        for (int unit = from; unit < to; unit++)
            TensorPrimitives.Multiply(new ReadOnlySpan<float>(signal + (long)_heard[unit] * width, width), _loudness[unit],
                new Span<float>(projected + (long)unit * width, width));
    }
}
