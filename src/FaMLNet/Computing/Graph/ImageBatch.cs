using System.Numerics.Tensors;
using FaMLNet.Computing.Kernels;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet.Computing.Graph;

/// <summary>The rows of a mini-batch as images: gathered, standardised per channel and padded.</summary>
internal sealed class ImageBatch : IDisposable
{
    private readonly GraphLayout _layout;
    private readonly FloatBuffer _statistics;
    private readonly Augmenter? _augmenter;
    private readonly float[] _row;
    private readonly BatchLabels _labels = new();
    private FloatBuffer? _input;
    private int _count;

    public ImageBatch(GraphLayout layout, FloatBuffer statistics, Augmenter? augmenter)
    {
        _augmenter = augmenter;
        _layout = layout;
        _statistics = statistics;
        _row = new float[layout.Inputs];
    }

    /// <summary>Where dropout's generator stood before the batch.</summary>
    public uint[] DropoutState { get; set; } = [];

    public void Load(TrainingData data, ReadOnlySpan<int> rows, bool augment = true)
    {
        int length = _layout.NetworkInput.Length;
        if (_input == null || _input.Length < rows.Length * length)
        {
            _input?.Dispose();
            _input = new FloatBuffer((long)rows.Length * length);
        }
        Span<float> input = _input.Span;
        for (int i = 0; i < rows.Length; i++)
        {
            ReadOnlySpan<float> image = data.Row(rows[i], _row);
            if (augment && _augmenter != null)
                image = _augmenter.Change(image, _layout.InputMean.In((ReadOnlySpan<float>)_statistics.Span));
            Place(image, _layout, _statistics.Span, input.Slice(i * length, length));
        }
        _labels.Load(data, rows);
        _count = rows.Length;
    }

    /// <summary>The batch, rows × channels × height × width.</summary>
    public Tensor Input() => Input(_input!, _count, _layout);

    /// <summary>The first images of a buffer, rows × channels × height × width, in the format that suits the network.</summary>
    public static Tensor Input(FloatBuffer buffer, int count, GraphLayout layout)
    {
        Tensor images = buffer.Fresh(0, count, layout.NetworkInput.Channels, layout.NetworkInput.Height, layout.NetworkInput.Width);
        if (!layout.ChannelsLast)
            return images;
        using (images)
            return ChannelsLast.Of(images);
    }

    public RandomGenerator? AugmentationRandom => _augmenter?.Random;

    public EvaluationResult Evaluate(TrainingLoss loss, Tensor logits, int outputs, int k) => _labels.Evaluate(loss, logits, outputs, k);

    public Tensor Targets(TrainingLoss loss, int outputs) => _labels.Targets(loss, outputs);

    public BatchResult ReplaceLogitsByError(TrainingLoss loss, Tensor logits, int outputs, float smoothing) =>
        _labels.ReplaceLogitsByError(loss, logits, outputs, smoothing);

    public void Dispose() => _input?.Dispose();

    /// <summary>
    /// One image into its place: (x − mean)/deviation per channel, resized where the network resizes, black around it where it pads.
    /// </summary>
    public static void Place(ReadOnlySpan<float> pixels, GraphLayout layout, ReadOnlySpan<float> statistics, Span<float> destination)
    {
        ImageShape image = layout.Image, seen = layout.NetworkInput;
        int top = (seen.Height - image.Height) / 2, left = (seen.Width - image.Width) / 2;
        for (int channel = 0; channel < image.Channels; channel++)
        {
            float mean = statistics[layout.InputMean.Offset + channel], scale = 1 / statistics[layout.InputDeviation.Offset + channel];
            Span<float> plane = destination.Slice(channel * seen.Height * seen.Width, seen.Height * seen.Width);
            ReadOnlySpan<float> source = pixels.Slice(channel * image.Height * image.Width, image.Height * image.Width);
            if (layout.Resize is { } resize)
            {
                resize.Run(source, plane);
                Standardize(plane, mean, scale, plane);
                continue;
            }
            if (seen == image)
            {
                Standardize(source, mean, scale, plane);
                continue;
            }
            plane.Fill(-mean * scale);
            for (int row = 0; row < image.Height; row++)
                Standardize(source.Slice(row * image.Width, image.Width), mean, scale, plane.Slice((top + row) * seen.Width + left, image.Width));
        }
    }

    private static void Standardize(ReadOnlySpan<float> source, float mean, float scale, Span<float> destination)
    {
        TensorPrimitives.Subtract(source, mean, destination);
        TensorPrimitives.Multiply(destination, scale, destination);
    }

    /// <summary>The way back of <see cref="Place"/>: from the gradient at what the network sees to that at the pixels.</summary>
    /// <param name="gradient">At what the network sees.</param>
    /// <param name="layout">The network.</param>
    /// <param name="statistics">Of its input.</param>
    /// <param name="pixels">Receives the gradient at the pixels.</param>
    public static void PlaceGradient(ReadOnlySpan<float> gradient, GraphLayout layout, ReadOnlySpan<float> statistics, Span<float> pixels)
    {
        ImageShape image = layout.Image, seen = layout.NetworkInput;
        int top = (seen.Height - image.Height) / 2, left = (seen.Width - image.Width) / 2;
        for (int channel = 0; channel < image.Channels; channel++)
        {
            ReadOnlySpan<float> source = gradient.Slice(channel * seen.Height * seen.Width, seen.Height * seen.Width);
            Span<float> plane = pixels.Slice(channel * image.Height * image.Width, image.Height * image.Width);
            if (layout.Resize is { } resize)
                resize.RunBack(source, plane);
            else
            {
                for (int row = 0; row < image.Height; row++)
                    source.Slice((top + row) * seen.Width + left, image.Width).CopyTo(plane.Slice(row * image.Width, image.Width));
            }
            TensorPrimitives.Multiply(plane, 1 / statistics[layout.InputDeviation.Offset + channel], plane);
        }
    }
}
