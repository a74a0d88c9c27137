using FaMLNet.Computing.Graph;
using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training.Graph;

/// <summary>The kernels of batch normalisation; the gradients of whole networks are in <see cref="GraphGradientTests"/>.</summary>
public sealed unsafe class BatchNormTests
{
    public BatchNormTests() => LibTorch.EnsureLoaded();

    /// <summary>A mean that is large beside the deviation costs a naive variance all its digits.</summary>
    [Theory]
    [InlineData(1, 8), InlineData(7, 16), InlineData(513, 64), InlineData(4097, 48), InlineData(100_003, 16)]
    public void Statistics_keep_their_digits(int positions, int channels)
    {
        float[] values = Values(positions * channels, offset: 1000);
        float[] mean = new float[channels], squares = new float[channels];
        fixed (float* x = values)
            BatchNormKernels.Statistics(x, positions, channels, mean, squares);
        for (int c = 0; c < channels; c++)
        {
            double[] column = [.. Enumerable.Range(0, positions).Select(i => (double)values[i * channels + c])];
            double expected = column.Average(), deviations = column.Sum(value => (value - expected) * (value - expected));
            Assert.Equal(expected, mean[c], 1e-3);
            Assert.InRange(squares[c], deviations * (1 - 1e-3) - 1e-6, deviations * (1 + 1e-3) + 1e-6);
        }
    }

    [Fact]
    public void Results_do_not_depend_on_the_number_of_threads()
    {
        const int positions = 20_000, channels = 32;
        int before = get_num_threads();
        try
        {
            float[][] results = [.. new[] { 1, 2, 5 }.Select(threads =>
            {
                set_num_threads(threads);
                return Everything(Values(positions * channels, 3), Values(positions * channels, 0), positions, channels);
            })];
            Assert.Equal(results[0], results[1]);
            Assert.Equal(results[0], results[2]);
        }
        finally
        {
            set_num_threads(before);
        }
    }

    /// <summary>A diverging training must show: ReLU does not turn NaN into 0.</summary>
    [Fact]
    public void Not_a_number_passes_ReLU()
    {
        const int channels = 16;
        float[] values = Values(4 * channels, 0), output = new float[4 * channels];
        values[5] = float.NaN;
        fixed (float* x = values, y = output)
            BatchNormKernels.Apply(x, null, y, 4, channels, new float[channels], [.. Enumerable.Repeat(1f, channels)], new float[channels],
                rectified: true);
        for (int i = 0; i < output.Length; i++)
            Assert.Equal(i == 5 ? float.NaN : Math.Max(0, values[i]), output[i]);
    }

    /// <summary>Running statistics, and prediction from them, by the definition as libtorch computes it.</summary>
    [Fact]
    public void Running_statistics_and_prediction_are_libtorchs()
    {
        GraphLayout layout = new(NetworkDefinition.Sequential(new Layer.Conv2d(16, 3), new Layer.BatchNorm(), new Layer.Activate(Activation.ReLU),
            new Layer.Conv2d(16, 3), new Layer.Flatten(), new Layer.Dense()), new ImageShape(1, 12, 12), 4);
        GraphNodeSpec spec = layout.Nodes[1];
        using FloatBuffer weights = new(layout.ParameterLength), statistics = new(layout.StatisticsLength), gradient = new(layout.ParameterLength);
        Values(weights.Length, 0).CopyTo(weights.Span);
        spec.RunningVariance!.In(statistics.Span).Fill(1);
        BatchNormNode node = new(spec, new GraphBuffers(weights, statistics, gradient, null, ConvolutionGuard.Machine, passesErrors: true,
            channelsLast: true), units: "conv1", ownsGradient: false);
        using DisposeScope scope = NewDisposeScope();
        Tensor scale = weights.View(spec.Weight!).clone(), shift = weights.View(spec.Bias!).clone(), mean = zeros(16), variance = ones(16);
        for (int step = 0; step < 3; step++)
        {
            Tensor x = tensor(Values(5 * 16 * 10 * 10, step), [5, 16, 10, 10]);
            Tensor expected = nn.functional.batch_norm(x, mean, variance, scale, shift, true, NormalizationKernels.Momentum,
                NormalizationKernels.Epsilon).relu();
            Close(expected, node.Forward(ChannelsLast.Of(x), Pass.Training));
            node.Backward(ones(5, 16, 10, 10), default)?.Dispose();
            expected = nn.functional.batch_norm(x, mean, variance, scale, shift, false, NormalizationKernels.Momentum,
                NormalizationKernels.Epsilon).relu();
            Close(expected, node.Forward(x, Pass.Prediction));
        }
        Close(mean, statistics.View(spec.RunningMean!));
        Close(variance, statistics.View(spec.RunningVariance!));
    }

    private static void Close(Tensor expected, Tensor found) =>
        Assert.True(RandomTask.RelativeError(found.contiguous().data<float>().ToArray(),
            [.. expected.contiguous().data<float>().ToArray().Select(value => (double)value)]) < 1e-5);

    private static float[] Values(int length, float offset)
    {
        float[] values = new float[length];
        new RandomGenerator((int)offset, "batch normalisation").FillUniform(values, offset - 1, offset + 1);
        return values;
    }

    private static float[] Everything(float[] values, float[] errors, int positions, int channels)
    {
        float[] mean = new float[channels], squares = new float[channels], factor = [.. Enumerable.Repeat(0.7f, channels)],
            shift = [.. Enumerable.Repeat(0.1f, channels)];
        float[] output = new float[values.Length], result = new float[values.Length], sums = new float[channels], products = new float[channels];
        fixed (float* x = values, e = errors, y = output, r = result)
        {
            BatchNormKernels.Statistics(x, positions, channels, mean, squares);
            BatchNormKernels.Apply(x, null, y, positions, channels, mean, factor, shift, rectified: true);
            BatchNormKernels.Sums(e, x, null, null, positions, channels, mean, factor, shift, rectified: true, sums, products);
            BatchNormKernels.InputGradient(e, x, r, positions, channels, mean, factor, shift, rectified: true, sums, products);
        }
        return [.. mean, .. squares, .. output, .. sums, .. products, .. result];
    }
}
