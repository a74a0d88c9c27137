namespace FaMLNet;

/// <summary>How rows of features are kept, and with them how the first layer of a dense network computes.</summary>
public enum FeatureStorage
{
    /// <summary>
    /// As the data suggests, decided while it is read: sparse for networks of dense layers where at most a twentieth of the values are not 0
    /// and there are 256 features or more; the log says which.
    /// </summary>
    Auto,

    /// <summary>Every value of every row; images that are bytes stay bytes.</summary>
    Dense,

    /// <summary>
    /// The values that are not 0, 8 bytes each. The first layer of a dense network computes on them alone, and changes only the weights of
    /// features that occur in a mini-batch. Features are not centred (<see cref="FeedbackAlignmentOptions.CenterFeatures"/>), which would make
    /// them dense. Other networks, and dense ones on another device, unpack each mini-batch.
    /// </summary>
    Sparse,
}
