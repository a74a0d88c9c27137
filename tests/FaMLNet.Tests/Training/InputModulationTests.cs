using FaMLNet.Computing;
using FaMLNet.Computing.Dense;
using FaMLNet.Computing.Graph;
using FaMLNet.Interop;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;
using Xunit;

namespace FaMLNet.Tests.Training;

/// <summary>Rules that modulate the input and pass twice, against a reference in float64.</summary>
public sealed class InputModulationTests
{
    private static readonly DenseLayout Layout = new(NetworkDefinition.Mlp(24, 13, 8), 10, 5);
    private readonly TrainingData _data = RandomTask.Data(10, 5, 64, seed: 7, weighted: true);
    private readonly int[] _rows;

    public InputModulationTests()
    {
        LibTorch.EnsureLoaded();
        _rows = RandomTask.AllRows(_data);
    }

    /// <summary>Two passes in float64, by the definition.</summary>
    [Fact]
    public void Input_modulation_is_that_of_a_reference()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(24, 13) with { Activation = Activation.Tanh }, 10, 5);
        using DenseChain chain = new DenseChain(layout, Plans.Of(FeedbackRule.Pepita, 11)).With(new OptimizerOptions.Sgd());
        chain.ComputeGradient(_data, _rows);
        float[] f = chain.Feedback.Slices[0]!.In(chain.Feedback.Buffer.Span).ToArray();
        Assert.Equal([5, 10], chain.Feedback.Slices[0]!.Shape);
        double[] expected = new double[layout.ParameterLength];
        float[] parameters = chain.Weights.Span.ToArray();
        for (int row = 0; row < _data.Count; row++)
        {
            double[] x = [.. RandomTask.RowOf(_data, row).Select(value => (double)value)];
            double[][] clean = Activations(layout, parameters, x);
            double[] error = [.. clean[^1]];
            double weight = _data.Weights[row], sum = error.Sum(Math.Exp);
            for (int c = 0; c < 5; c++)
                error[c] = weight * (Math.Exp(error[c]) / sum - (_data.Labels[row] == c ? 1 : 0));
            double[] modulated = [.. x.Select((value, i) => value + Enumerable.Range(0, 5).Sum(c => error[c] * f[c * 10 + i]))];
            double[][] second = Activations(layout, parameters, modulated);
            for (int layer = 0; layer < 3; layer++)
            {
                DenseLayer own = layout.Layers[layer];
                double[] input = layer == 0 ? modulated : second[layer - 1];
                for (int unit = 0; unit < own.Outputs; unit++)
                {
                    double h = second[layer][unit];
                    double delta = (layer == 2 ? error[unit] : (clean[layer][unit] - h) * (1 - h * h)) / _data.Count;
                    expected[own.Bias.Offset + unit] += delta;
                    for (int i = 0; i < own.Inputs; i++)
                        expected[own.Weight.Offset + unit * own.Inputs + i] += delta * input[i];
                }
            }
        }
        foreach (ParameterSlice slice in layout.Parameters)
        {
            double error = RandomTask.RelativeError(slice.In((ReadOnlySpan<float>)chain.Gradient.Span),
                expected.AsSpan(slice.Offset, slice.Length));
            Assert.True(error < 1e-3, $"{slice.Name}: {error:E2}");
        }
    }

    private static double[][] Activations(DenseLayout layout, float[] parameters, double[] x)
    {
        double[][] all = new double[layout.Layers.Count][];
        for (int layer = 0; layer < all.Length; layer++)
        {
            DenseLayer own = layout.Layers[layer];
            double[] below = layer == 0 ? x : all[layer - 1];
            all[layer] = [.. Enumerable.Range(0, own.Outputs).Select(unit => parameters[own.Bias.Offset + unit]
                + Enumerable.Range(0, own.Inputs).Sum(i => parameters[own.Weight.Offset + unit * own.Inputs + i] * below[i]))];
            if (layer < all.Length - 1)
                all[layer] = [.. all[layer].Select(Math.Tanh)];
        }
        return all;
    }

    /// <summary>Without feedback nothing below the output learns: no error comes another way.</summary>
    [Fact]
    public void Input_modulation_without_feedback_leaves_the_layers_below_the_output_alone()
    {
        GraphLayout images = new(NetworkDefinition.LeNet(), new ImageShape(1, 28, 28), 10);
        TrainingData pixels = Graph.GraphGradientTests.Images(images, 5);
        foreach (TrainingNetwork network in new TrainingNetwork[] { Chain(FeedbackRule.Pepita),
            new GraphNetwork(images, Plans.Of(FeedbackRule.Pepita, 11)).With(new OptimizerOptions.Sgd()) })
        {
            using TrainingNetwork owned = network;
            TrainingData data = network is DenseChain ? _data : pixels;
            network.Feedback.Buffer.Span.Clear();
            network.ComputeGradient(data, RandomTask.AllRows(data));
            int top = network.Layout.WeightedLayers[^1].Weight.Offset;
            Assert.All(network.Gradient.Span[..top].ToArray(), value => Assert.Equal(0, value));
            Assert.Contains(network.Gradient.Span[top..].ToArray(), value => value != 0);
        }
    }

    [Fact]
    public void Running_statistics_and_dropout_of_two_passes_are_those_of_one()
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(24, 13) with { Normalization = Normalization.Batch, Dropout = 0.3f }, 10, 5);
        using DenseChain bp = new DenseChain(layout, Plans.Of(FeedbackRule.Backpropagation, 11)).With(new OptimizerOptions.Sgd());
        using DenseChain pepita = new DenseChain(layout, Plans.Of(FeedbackRule.Pepita, 11)).With(new OptimizerOptions.Sgd());
        BatchResult a = bp.ComputeGradient(_data, _rows), b = pepita.ComputeGradient(_data, _rows);
        Assert.Equal(a, b);
        Assert.Equal(bp.Statistics.Span.ToArray(), pepita.Statistics.Span.ToArray());
        Assert.Equal(bp.Dropout.GetState(), pepita.Dropout.GetState());
        Assert.Equal(bp.ComputeBackpropagationGradient().Span.ToArray(), pepita.ComputeBackpropagationGradient().Span.ToArray());
    }

    private static DenseChain Chain(FeedbackRule rule) => GradientTests.Chain(Layout, rule, 11);
}
