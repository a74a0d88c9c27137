namespace FaMLNet;

/// <summary>
/// The features that occur in a mini-batch. The weights of the first layer lie feature by feature at the start of all parameters
/// (<see cref="DenseLayout.IsFeatureMajor"/>): those of the others have no gradient.
/// </summary>
/// <param name="features">All features.</param>
/// <param name="stride">Weights of a feature.</param>
internal sealed class ActiveFeatures(int features, int stride)
{
    // The number of the batch in which a feature was last seen.
    private readonly int[] _seen = new int[features];
    private int _batch;

    /// <summary>Weights of a feature.</summary>
    public int Stride => stride;

    /// <summary>Weights of all features.</summary>
    public int Length => features * stride;

    /// <summary>The features, the first <see cref="Count"/> of the array, in the order in which they were met.</summary>
    public int[] Features { get; private set; } = new int[256];

    public int Count { get; private set; }

    /// <summary>The elements of one of the features, by its place among them, in a buffer of the weights' layout.</summary>
    public Span<float> Of(Span<float> buffer, int place) => buffer.Slice(Features[place] * stride, stride);

    /// <summary>Begins another batch.</summary>
    public void Clear()
    {
        Count = 0;
        if (_batch == int.MaxValue)
        {
            Array.Clear(_seen);
            _batch = 0;
        }
        _batch++;
    }

    /// <summary>Whether a feature occurs in the batch.</summary>
    public bool Contains(int feature) => _seen[feature] == _batch;

    /// <summary>Meets a feature.</summary>
    /// <returns>Whether it is the first time in the batch.</returns>
    public bool Add(int feature)
    {
        if (_seen[feature] == _batch)
            return false;
        _seen[feature] = _batch;
        if (Count == Features.Length)
        {
            int[] longer = new int[2 * Count];
            Features.CopyTo(longer, 0);
            Features = longer;
        }
        Features[Count++] = feature;
        return true;
    }
}
