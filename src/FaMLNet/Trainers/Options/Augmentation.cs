
namespace FaMLNet;

/// <summary>
/// Changes images at random while they are trained on, so that a network sees each a little differently in every epoch. Prediction is not affected.
/// </summary>
/// <remarks>
/// For convolutional networks and networks of the user's own with an <see cref="ImageShape"/>. Pixels are changed before they are standardised;
/// what is uncovered is black (0). Random numbers come from a generator of their own, derived from the training's seed. To resize images, which
/// prediction needs as well, put <see cref="Layer.ResizeTo"/> first in the network (<see cref="SequentialDefinition.Resized"/>).
/// </remarks>
/// <example><code>Augmentation = Augmentation.RandomCrop(padding:
/// 4).Then(Augmentation.HorizontalFlip()).Then(Augmentation.Cutout(8))</code></example>
public abstract record Augmentation
{
    /// <inheritdoc/>
    public sealed override string ToString() => InvariantText.OfRecord(GetType().Name, PrintMembers);

    private protected Augmentation() { }

    /// <summary>
    /// Moves the image by up to <paramref name="padding"/> pixels in each direction: a random crop of the padded image, as He et al. 2016
    /// train on CIFAR-10.
    /// </summary>
    /// <param name="padding">Range: 1 or more, below height and width.</param>
    public static Augmentation RandomCrop(int padding = 4) => new CropAugmentation(padding);

    /// <summary>Mirrors left and right.</summary>
    /// <param name="probability">Range: 0 to 1.</param>
    public static Augmentation HorizontalFlip(double probability = 0.5) => new FlipAugmentation(probability);

    /// <summary>Replaces a square at a random place, which may reach over the border, by the channels' means (DeVries and Taylor 2017).</summary>
    /// <param name="size">Side of the square in pixels, at least 1.</param>
    public static Augmentation Cutout(int size) => new CutoutAugmentation(size);

    /// <summary>This change, then another.</summary>
    /// <param name="next">The other.</param>
    public Augmentation Then(Augmentation next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return new ChainAugmentation(this, next);
    }

    /// <summary>Throws an <see cref="ArgumentException"/> that names what is out of range; without a shape what can be told without one.</summary>
    internal abstract void Validate(ImageShape? shape);

    /// <summary>Changes one image in place.</summary>
    /// <param name="image">Channels × height × width.</param>
    /// <param name="scratch">As long as the image, of any contents.</param>
    /// <param name="shape">The image's shape.</param>
    /// <param name="means">The value of each channel that stands for nothing.</param>
    /// <param name="random">The stream for augmentation.</param>
    internal abstract void Apply(Span<float> image, Span<float> scratch, ImageShape shape, ReadOnlySpan<float> means, RandomGenerator random);

    private static ArgumentException OutOfRange(string what, string expected, object found) =>
        OptionError.Invalid("Augmentation", $"{what} must be {expected}; found {found}.");

    private sealed record CropAugmentation(int Padding) : Augmentation
    {
        internal override void Validate(ImageShape? shape)
        {
            if (Padding < 1 || (shape != null && Padding >= Math.Min(shape.Height, shape.Width)))
                throw OutOfRange("the padding of RandomCrop",
                    $"at least 1 and below height and width{(shape == null ? "" : $" ({shape.Height} and {shape.Width})")}", Padding);
        }

        internal override void Apply(Span<float> image, Span<float> scratch, ImageShape shape, ReadOnlySpan<float> means, RandomGenerator random)
        {
            int down = random.NextInt32(2 * Padding + 1) - Padding, right = random.NextInt32(2 * Padding + 1) - Padding;
            if (down == 0 && right == 0)
                return;
            image.CopyTo(scratch);
            image.Clear();
            int width = shape.Width, kept = width - Math.Abs(right), from = Math.Max(0, -right), to = Math.Max(0, right);
            for (int channel = 0; channel < shape.Channels; channel++)
            {
                int plane = channel * shape.Height * width;
                for (int row = Math.Max(0, down); row < Math.Min(shape.Height, shape.Height + down); row++)
                    scratch.Slice(plane + (row - down) * width + from, kept).CopyTo(image[(plane + row * width + to)..]);
            }
        }
    }

    private sealed record FlipAugmentation(double Probability) : Augmentation
    {
        internal override void Validate(ImageShape? shape)
        {
            if (!(Probability >= 0 && Probability <= 1))
                throw OutOfRange("the probability of HorizontalFlip", "0 to 1", Probability);
        }

        internal override void Apply(Span<float> image, Span<float> scratch, ImageShape shape, ReadOnlySpan<float> means, RandomGenerator random)
        {
            if (random.NextSingle() >= Probability)
                return;
            for (int row = 0; row < shape.Channels * shape.Height; row++)
                image.Slice(row * shape.Width, shape.Width).Reverse();
        }
    }

    private sealed record CutoutAugmentation(int Size) : Augmentation
    {
        internal override void Validate(ImageShape? shape)
        {
            if (Size < 1)
                throw OutOfRange("the size of Cutout", "at least 1", Size);
        }

        internal override void Apply(Span<float> image, Span<float> scratch, ImageShape shape, ReadOnlySpan<float> means, RandomGenerator random)
        {
            int top = random.NextInt32(shape.Height) - Size / 2, left = random.NextInt32(shape.Width) - Size / 2;
            int right = (int)Math.Min(shape.Width, left + (long)Size), bottom = (int)Math.Min(shape.Height, top + (long)Size);
            left = Math.Max(0, left);
            for (int channel = 0; channel < shape.Channels; channel++)
            {
                for (int row = Math.Max(0, top); row < bottom; row++)
                    image.Slice((channel * shape.Height + row) * shape.Width + left, right - left).Fill(means[channel]);
            }
        }
    }

    private sealed record ChainAugmentation(Augmentation First, Augmentation Second) : Augmentation
    {
        internal override void Validate(ImageShape? shape)
        {
            First.Validate(shape);
            Second.Validate(shape);
        }

        internal override void Apply(Span<float> image, Span<float> scratch, ImageShape shape, ReadOnlySpan<float> means, RandomGenerator random)
        {
            First.Apply(image, scratch, shape, means, random);
            Second.Apply(image, scratch, shape, means, random);
        }
    }
}
