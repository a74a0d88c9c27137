namespace FaMLNet.Rows;

/// <summary>An augmentation at work on the images of one training.</summary>
internal sealed class Augmenter
{
    private readonly Augmentation _augmentation;
    private readonly ImageShape _shape;
    private readonly float[] _image, _scratch;

    public Augmenter(Augmentation augmentation, ImageShape shape, int seed)
    {
        augmentation.Validate(shape);
        _augmentation = augmentation;
        _shape = shape;
        _image = new float[shape.Length];
        _scratch = new float[shape.Length];
        Random = new RandomGenerator(seed, "augmentation");
    }

    public RandomGenerator Random { get; }

    /// <summary>A changed copy of an image, valid until the next call.</summary>
    /// <param name="image">Channels × height × width.</param>
    /// <param name="means">The value of each channel that stands for nothing.</param>
    public ReadOnlySpan<float> Change(ReadOnlySpan<float> image, ReadOnlySpan<float> means)
    {
        image.CopyTo(_image);
        _augmentation.Apply(_image, _scratch, _shape, means, Random);
        return _image;
    }
}
