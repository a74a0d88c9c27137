using System.Security.Cryptography;
using System.Text;

namespace FaMLNet.Training.Checkpoints;

/// <summary>Where a training stands: with it, training goes on as if it had never been interrupted.</summary>
internal sealed record Checkpoint
{
    public const int CurrentVersion = 2;

    /// <summary>The name in <see cref="Settings"/> of the rows trained on, and of the number of epochs.</summary>
    public const string Data = "training data", NumberOfEpochs = "NumberOfEpochs";

    public required int Version { get; init; }

    /// <summary>What decides the result: options and data, by name. A checkpoint of others is refused.</summary>
    public required Dictionary<string, string> Settings { get; init; }

    public required int Seed { get; init; }

    /// <summary>Epochs done.</summary>
    public required int Epochs { get; init; }

    /// <summary>Rows of the next epoch that are done.</summary>
    public required long Rows { get; init; }

    /// <summary>Σ weight·loss, Σ weight, rows right and rows seen of the epoch begun.</summary>
    public required double Loss { get; init; }

    public required double Weight { get; init; }

    /// <summary>Of a regression, Σ weight·(prediction − label)².</summary>
    public double Squares { get; init; }

    public required long Correct { get; init; }

    public required long Seen { get; init; }

    /// <summary>Steps that the optimiser has taken.</summary>
    public required long Steps { get; init; }

    /// <summary>The random streams by purpose; that of shuffling as it stood before the epoch begun.</summary>
    public required Dictionary<string, uint[]> Random { get; init; }

    public required IReadOnlyList<EpochMetrics> History { get; init; }

    /// <summary>Whether the training is over: by its last epoch or by early stopping.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>The epochs that the training was to have; 0 where it is not known.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int EpochsWanted => int.TryParse(Settings.GetValueOrDefault(NumberOfEpochs), System.Globalization.NumberStyles.None,
        System.Globalization.CultureInfo.InvariantCulture, out int epochs) ? epochs : 0;

    /// <summary>A short name for the training that has these <see cref="Settings"/>, whatever the number of its epochs.</summary>
    public static string IdOf(IReadOnlyDictionary<string, string> settings)
    {
        IEnumerable<string> lines = settings.Where(pair => pair.Key != NumberOfEpochs).OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => $"{pair.Key}: {pair.Value}\n");
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines))))[..12].ToLowerInvariant();
    }

    /// <summary>Whether it is of a training on these rows, as <see cref="TrainingPlan.DescribeData"/> names them.</summary>
    public bool IsOf(string data) => Settings.GetValueOrDefault(Data) == data;

    /// <summary>SHA-256 of <see cref="Arrays"/>.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Weights, statistics, feedback, the optimiser's state, and those of the best epoch.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public IReadOnlyDictionary<string, float[]> Arrays { get; init; } = new Dictionary<string, float[]>();
}
