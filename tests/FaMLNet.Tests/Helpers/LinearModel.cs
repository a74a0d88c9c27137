using FaMLNet.Persistence;
using Microsoft.ML;

namespace FaMLNet.Tests.Robustness;

/// <summary>A network without hidden layers, whose best perturbations are known.</summary>
internal static class LinearModel
{
    public static FeedbackAlignmentMulticlassTransformer Of(MLContext mlContext, float[][] weights, float[]? biases = null)
    {
        DenseLayout layout = new(NetworkDefinition.Mlp(), weights[0].Length, weights.Length);
        float[] parameters = new float[layout.ParameterLength];
        weights.SelectMany(row => row).ToArray().CopyTo(layout.Layers[0].Weight.In(parameters.AsSpan()));
        (biases ?? new float[weights.Length]).CopyTo(layout.Layers[0].Bias.In(parameters.AsSpan()));
        return RandomModel.Transformer(mlContext, new FeedbackAlignmentMulticlassModelParameters((Microsoft.ML.Runtime.IHostEnvironment)mlContext,
            new TrainedNetwork(layout, FeedbackRule.Backpropagation, parameters, [], [], [])));
    }

    public static float[][] Weights(int classes, int features, int seed)
    {
        RandomGenerator random = new(seed, "linear model");
        float[][] weights = [.. Enumerable.Range(0, classes).Select(_ => new float[features])];
        foreach (float[] row in weights)
            random.FillNormal(row, 0, 1);
        return weights;
    }

    public static double[] Logits(float[][] weights, ReadOnlySpan<float> x)
    {
        double[] logits = new double[weights.Length];
        for (int k = 0; k < logits.Length; k++)
        {
            for (int i = 0; i < x.Length; i++)
                logits[k] += (double)weights[k][i] * x[i];
        }
        return logits;
    }
}
