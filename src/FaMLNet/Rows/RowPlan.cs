namespace FaMLNet.Rows;

/// <summary>What decides how the rows of a training are read and kept.</summary>
internal sealed record RowPlan
{
    /// <summary>The least number that a label may be.</summary>
    public float LeastLabel { get; init; } = float.NegativeInfinity;

    /// <summary>How rows are to be kept: <see cref="FeatureStorage.Auto"/> where the data may decide.</summary>
    public FeatureStorage Storage { get; init; } = FeatureStorage.Dense;

    /// <summary>Whether the features are known to be an image.</summary>
    public bool AreImages { get; init; }

    /// <summary>Whether the network standardises pixels itself, so that their size does not matter.</summary>
    public bool AreStandardized { get; init; }

    /// <summary>Whether a module of the user's own gets the features as they are.</summary>
    public bool AreForOwnModule { get; init; }

    public DataCaching Caching { get; init; }

    /// <summary>Share of each class's rows that is kept aside; 0 for none.</summary>
    public double ValidationFraction { get; init; }

    public ClassWeights? ClassWeights { get; init; }

    /// <summary>Decides which rows are kept aside.</summary>
    public int Seed { get; init; }

    /// <summary>Whether streamed rows are hashed, as checkpoints need it.</summary>
    public bool NeedsHash { get; init; }
}
