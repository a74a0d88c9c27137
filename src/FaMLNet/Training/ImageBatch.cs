using System.Numerics.Tensors;
using Tensor = TorchSharp.torch.Tensor;

namespace FaMLNet.Training;

/// <summary>The rows of a mini-batch as images: gathered, standardised per channel and padded.</summary>
internal sealed class ImageBatch : IDisposable
{
    private readonly GraphLayout _layout;
    private readonly FloatBuffer _statistics;
    private readonly float[] _row;
    private FloatBuffer? _input;
    private int[] _labels = [];
    private float[] _coefficients = [];
    private int _count;
    private double _weightSum;

    public ImageBatch(GraphLayout layout, FloatBuffer statistics)
    {
        _layout = layout;
        _statistics = statistics;
        _row = new float[layout.Inputs];
    }

    /// <summary>Where dropout's generator stood before the batch.</summary>
    public uint[] DropoutState { get; set; } = [];

    public void Load(TrainingData data, ReadOnlySpan<int> rows)
    {
        int length = _layout.Padded.Length;
        if (_input == null || _input.Length < rows.Length * length)
        {
            _input?.Dispose();
            _input = new FloatBuffer((long)rows.Length * length);
            _labels = new int[rows.Length];
            _coefficients = new float[rows.Length];
        }
        Span<float> input = _input.Span;
        _weightSum = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            Place(data.Row(rows[i], _row), _layout, _statistics.Span, input.Slice(i * length, length));
            float weight = data.Weights.IsEmpty ? 1 : data.Weights[rows[i]];
            _labels[i] = data.Labels[rows[i]];
            _coefficients[i] = weight / rows.Length;
            _weightSum += weight;
        }
        _count = rows.Length;
    }

    /// <summary>The batch, rows × channels × height × width.</summary>
    public Tensor Input() => _input!.Fresh(0, _count, _layout.Padded.Channels, _layout.Padded.Height, _layout.Padded.Width);

    public BatchResult ReplaceLogitsByError(Tensor logits, int classes)
    {
        (double loss, int correct) = SoftmaxCrossEntropy.ReplaceRowsByError(logits, _labels.AsSpan(0, _count), _coefficients, classes);
        return new BatchResult(loss * _count, _weightSum, correct, _count);
    }

    public void Dispose() => _input?.Dispose();

    /// <summary>One image into its place: (x − mean)/deviation per channel, black around it where the network pads.</summary>
    public static void Place(ReadOnlySpan<float> pixels, GraphLayout layout, ReadOnlySpan<float> statistics, Span<float> destination)
    {
        ImageShape image = layout.Image, padded = layout.Padded;
        int top = (padded.Height - image.Height) / 2, left = (padded.Width - image.Width) / 2;
        for (int channel = 0; channel < image.Channels; channel++)
        {
            float mean = statistics[layout.InputMean.Offset + channel], scale = 1 / statistics[layout.InputDeviation.Offset + channel];
            Span<float> plane = destination.Slice(channel * padded.Height * padded.Width, padded.Height * padded.Width);
            ReadOnlySpan<float> source = pixels.Slice(channel * image.Height * image.Width, image.Height * image.Width);
            if (padded == image)
            {
                TensorPrimitives.Subtract(source, mean, plane);
                TensorPrimitives.Multiply(plane, scale, plane);
                continue;
            }
            plane.Fill(-mean * scale);
            for (int row = 0; row < image.Height; row++)
            {
                Span<float> line = plane.Slice((top + row) * padded.Width + left, image.Width);
                TensorPrimitives.Subtract(source.Slice(row * image.Width, image.Width), mean, line);
                TensorPrimitives.Multiply(line, scale, line);
            }
        }
    }
}
