using FaMLNet.Rows;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>Rows on a device: moved there once, and again only when their memory has been filled with others.</summary>
internal sealed class DeviceRows(Device device) : IDisposable
{
    private readonly Dictionary<TrainingData, (long Version, Tensor Features, Tensor Labels, Tensor Weights)> _known = [];

    /// <summary>The rows of a mini-batch: features, labels, weights, owned by the caller's scope.</summary>
    public (Tensor Features, Tensor Labels, Tensor Weights) Take(TrainingData data, ReadOnlySpan<int> rows)
    {
        if (!_known.TryGetValue(data, out (long Version, Tensor Features, Tensor Labels, Tensor Weights) known) || known.Version != data.Version)
        {
            Free(known);
            _known[data] = known = Move(data);
        }
        Tensor index = tensor(rows.ToArray()).to(device).to(ScalarType.Int64);
        return (known.Features.index_select(0, index), known.Labels.index_select(0, index), known.Weights.index_select(0, index));
    }

    public void Dispose()
    {
        foreach ((long, Tensor, Tensor, Tensor) known in _known.Values)
            Free(known);
    }

    private (long, Tensor, Tensor, Tensor) Move(TrainingData data)
    {
        const int Block = 1 << 12;
        using DisposeScope scope = NewDisposeScope();
        List<Tensor> blocks = [];
        for (int from = 0; from < data.Count; from += Block)
        {
            int count = Math.Min(Block, data.Count - from);
            float[] values = new float[count * data.Features];
            for (int row = 0; row < count; row++)
                data.CopyRow(from + row, values.AsSpan(row * data.Features, data.Features));
            blocks.Add(tensor(values, [count, data.Features]).to(device));
        }
        Tensor features = cat(blocks, 0), labels = tensor([.. data.Labels.ToArray().Select(label => (long)label)]).to(device);
        if (data.LabelWidth > 1)
            labels = labels.view(data.Count, data.LabelWidth);
        Tensor weights = (data.Weights.IsEmpty ? ones(data.Count) : tensor(data.Weights.ToArray())).to(device);
        return (data.Version, features.DetachFromDisposeScope(), labels.DetachFromDisposeScope(), weights.DetachFromDisposeScope());
    }

    private static void Free((long Version, Tensor? Features, Tensor? Labels, Tensor? Weights) known)
    {
        known.Features?.Dispose();
        known.Labels?.Dispose();
        known.Weights?.Dispose();
    }
}
