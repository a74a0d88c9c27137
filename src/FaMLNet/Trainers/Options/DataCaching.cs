namespace FaMLNet;

/// <summary>Where the training data is between epochs.</summary>
public enum DataCaching
{
    /// <summary>In memory if row count and free memory allow, else streaming; the log says which.</summary>
    Auto,

    /// <summary>Read once and kept in memory; images that are bytes stay bytes.</summary>
    InMemory,

    /// <summary>
    /// Read anew in every epoch, by a thread of its own, through a pool of rows that shuffles them. Memory is bounded by the pool, however
    /// many rows there are.
    /// </summary>
    Streaming,
}
