using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using FaMLNet.Rows;
using FaMLNet.Tasks.Labels;

namespace FaMLNet.Persistence;

/// <summary>
/// What training leaves behind, in managed memory: parameters, statistics of batch normalisation and feedback weights in their flat
/// layouts.
/// </summary>
internal sealed record TrainedNetwork(NetworkLayout Layout, FeedbackRule Rule, float[] Parameters, float[] Statistics, float[] Feedback,
    IReadOnlyList<EpochMetrics> History)
{
    /// <summary>Between its outputs and the labels of a regression, as the task has them.</summary>
    public IReadOnlyList<TargetScale> Targets { get; init; } = TargetScale.Unscaled;

    /// <summary>What the training data called classes and features; null where that is not known.</summary>
    public ColumnNames? Names { get; init; }

    /// <summary>What it was trained with and on; null where that is not known.</summary>
    public IReadOnlyDictionary<string, string>? Record { get; init; }

    /// <summary>The network as the last epoch left it, where this one is that of the best; else null.</summary>
    public TrainedNetwork? Last { get; init; }

    /// <summary>SHA-256 of all that decides how a training goes on from it: rule, weights, statistics, feedback weights and target.</summary>
    public string Digest()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string targets = string.Join(' ', Targets.Select(target => InvariantText.Of($"{target.Mean} {target.Deviation} {target.IsLogarithmic}")));
        hash.AppendData(Encoding.UTF8.GetBytes($"{Rule.ShortName} {targets}"));
        foreach (float[] values in new[] { Parameters, Statistics, Feedback })
            hash.AppendData(MemoryMarshal.AsBytes(values.AsSpan()));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
