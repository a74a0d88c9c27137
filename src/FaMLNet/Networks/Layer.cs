using System.Text.Json.Serialization;

namespace FaMLNet;

/// <summary>One layer of a <see cref="SequentialDefinition"/>, as data. The sizes of its input follow from the layers before it.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Conv2d), "conv2d")]
[JsonDerivedType(typeof(Dense), "dense")]
[JsonDerivedType(typeof(Activate), "activation")]
[JsonDerivedType(typeof(MaxPool2d), "maxPool2d")]
[JsonDerivedType(typeof(AveragePool2d), "averagePool2d")]
[JsonDerivedType(typeof(AdaptiveAveragePool2d), "adaptiveAveragePool2d")]
[JsonDerivedType(typeof(BatchNorm), "batchNorm")]
[JsonDerivedType(typeof(Flatten), "flatten")]
[JsonDerivedType(typeof(Dropout), "dropout")]
[JsonDerivedType(typeof(Residual), "residual")]
[JsonDerivedType(typeof(Concatenate), "concatenate")]
[JsonDerivedType(typeof(DownsampleWithZeros), "downsampleWithZeros")]
[JsonDerivedType(typeof(PadTo), "padTo")]
[JsonDerivedType(typeof(ResizeTo), "resizeTo")]
public abstract record Layer
{
    /// <inheritdoc/>
    public sealed override string ToString() => InvariantText.OfRecord(GetType().Name, PrintMembers);

    private Layer() { }

    /// <summary>A two-dimensional convolution with square kernels.</summary>
    /// <param name="Channels">Output channels, at least 1.</param>
    /// <param name="Kernel">Side of the kernel, at least 1.</param>
    public sealed record Conv2d(int Channels, int Kernel) : Layer
    {
        /// <summary>Step between positions of the kernel.</summary>
        /// <value>Range: 1 or more. Default: 1.</value>
        public int Stride { get; init; } = 1;

        /// <summary>Zeros added on each side.</summary>
        /// <value>Range: 0 or more. Default: 0.</value>
        public int Padding { get; init; }

        /// <summary>Step between the pixels that a kernel sees.</summary>
        /// <value>Range: 1 or more. Default: 1.</value>
        public int Dilation { get; init; } = 1;

        /// <summary>Groups of channels that see only each other; divides input and output channels.</summary>
        /// <value>Range: 1 or more. Default: 1.</value>
        public int Groups { get; init; } = 1;

        /// <summary>Whether there is a bias per channel.</summary>
        /// <value>Default: true.</value>
        public bool Bias { get; init; } = true;
    }

    /// <summary>A dense layer. Images must be flattened first.</summary>
    /// <param name="Units">Output units, at least 1; null for one per class.</param>
    public sealed record Dense(int? Units = null) : Layer;

    /// <summary>An activation.</summary>
    /// <param name="Activation">Which.</param>
    public sealed record Activate(Activation Activation) : Layer;

    /// <summary>The largest value of each window.</summary>
    /// <param name="Kernel">Side of the window, at least 1.</param>
    public sealed record MaxPool2d(int Kernel) : Layer
    {
        /// <summary>Step between windows; null for the side of the window.</summary>
        public int? Stride { get; init; }

        /// <summary>Padding on each side, at most half the kernel.</summary>
        public int Padding { get; init; }
    }

    /// <summary>The mean of each window.</summary>
    /// <param name="Kernel">Side of the window, at least 1.</param>
    public sealed record AveragePool2d(int Kernel) : Layer
    {
        /// <summary>Step between windows; null for the side of the window.</summary>
        public int? Stride { get; init; }

        /// <summary>Padding on each side, at most half the kernel.</summary>
        public int Padding { get; init; }
    }

    /// <summary>The mean of as many windows as the output has pixels, whatever the size of the input; 1 is global average pooling.</summary>
    /// <param name="Size">Height and width of the output, at least 1.</param>
    public sealed record AdaptiveAveragePool2d(int Size) : Layer;

    /// <summary>Batch normalisation per channel (per unit after a dense layer) with learnt scale and shift; ε = 1e-5, momentum 0.1.</summary>
    public sealed record BatchNorm : Layer;

    /// <summary>From an image to a vector, channel by channel, row by row.</summary>
    public sealed record Flatten : Layer;

    /// <summary>Leaves values out at random in training.</summary>
    /// <param name="Share">Range: [0, 1).</param>
    public sealed record Dropout(float Share) : Layer;

    /// <summary>The sum of two branches: <paramref name="Body"/> and <paramref name="Shortcut"/> of the same input.</summary>
    /// <param name="Body">Layers of the body.</param>
    /// <param name="Shortcut">Layers of the shortcut; none for the input itself.</param>
    public sealed record Residual(IReadOnlyList<Layer> Body, IReadOnlyList<Layer> Shortcut) : Layer
    {
        /// <inheritdoc/>
        public bool Equals(Residual? other) => other is not null && Body.SequenceEqual(other.Body) && Shortcut.SequenceEqual(other.Shortcut);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Body.Count, Shortcut.Count);
    }

    /// <summary>The channels of the input followed by those of a branch of it (Huang et al. 2017, DenseNet).</summary>
    /// <param name="Body">Layers of the branch; they keep height and width.</param>
    public sealed record Concatenate(IReadOnlyList<Layer> Body) : Layer
    {
        /// <inheritdoc/>
        public bool Equals(Concatenate? other) => other is not null && Body.SequenceEqual(other.Body);

        /// <inheritdoc/>
        public override int GetHashCode() => Body.Count;
    }

    /// <summary>
    /// Every second row and column, and channels of zeros on both sides up to <paramref name="Channels"/>: the parameter-free shortcut
    /// "option A" of He et al. 2016 for CIFAR.
    /// </summary>
    /// <param name="Channels">Output channels.</param>
    public sealed record DownsampleWithZeros(int Channels) : Layer;

    /// <summary>
    /// Black pixels (of value 0) on all sides of the input up to <paramref name="Size"/> × <paramref name="Size"/>; larger images stay as they are.
    /// Only as the first layer.
    /// </summary>
    /// <param name="Size">Height and width wanted, at least 1.</param>
    public sealed record PadTo(int Size) : Layer;

    /// <summary>
    /// The input resized to <paramref name="Height"/> × <paramref name="Width"/> by bilinear interpolation between pixel centres (PyTorch's
    /// <c>interpolate</c> with <c>align_corners=False</c>), in training and in prediction. Only as the first layer.
    /// </summary>
    /// <param name="Height">Height wanted, at least 1.</param>
    /// <param name="Width">Width wanted, at least 1.</param>
    public sealed record ResizeTo(int Height, int Width) : Layer;
}
