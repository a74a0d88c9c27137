using System.Numerics.Tensors;
using FaMLNet.Computing;
using FaMLNet.Persistence;

namespace FaMLNet.Training;

/// <summary>Between a model's weights, which see features as they are, and a training's, which may see them centred.</summary>
internal static class StartingWeights
{
    /// <summary>Starts from a trained model: its weights and statistics, and its feedback weights if the rule is the same.</summary>
    /// <param name="network">Receives them.</param>
    /// <param name="initial">The model.</param>
    /// <param name="means">What is subtracted from the features; null for nothing.</param>
    /// <param name="rule">The rule that trains on.</param>
    public static void Take(TrainingNetwork network, TrainedNetwork initial, float[]? means, FeedbackRule rule)
    {
        if (network.Layout is DenseLayout { IsFeatureMajor: true } dense)
            dense.Pack(initial.Parameters, network.Weights.Span);
        else
            initial.Parameters.CopyTo(network.Weights.Span);
        initial.Statistics.CopyTo(network.Statistics.Span);
        FoldMeans(network.Layout, network.Weights.Span, means, sign: 1);
        if (initial.Rule.ShortName == rule.ShortName && initial.Feedback.Length == network.Feedback.Buffer.Length)
        {
            initial.Feedback.CopyTo(network.Feedback.Buffer.Span);
            network.Feedback.Forget();
        }
        else
            network.Feedback.Draw(network.Weights); // the signs are those of these weights
    }

    /// <summary>Folds the features' means into the biases above them: W(x − μ) + b = Wx + (b − Wμ).</summary>
    /// <param name="layout">The network.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="means">μ; null for none.</param>
    /// <param name="sign">−1 for a model's weights from a training's, 1 for the way back.</param>
    public static void FoldMeans(NetworkLayout layout, Span<float> parameters, float[]? means, float sign)
    {
        if (means == null)
            return;
        IReadOnlyList<DenseLayer> layers = ((DenseLayout)layout).Layers;
        Fold(layers[0].Weight, layers[0].Bias, parameters);
        if (layout.Skip is { } skip)
            Fold(skip, layers[^1].Bias, parameters);

        void Fold(ParameterSlice weight, ParameterSlice shift, Span<float> all)
        {
            ReadOnlySpan<float> weights = weight.In((ReadOnlySpan<float>)all);
            Span<float> bias = shift.In(all);
            for (int unit = 0; unit < bias.Length; unit++)
                bias[unit] += sign * TensorPrimitives.Dot(weights.Slice(unit * layout.Inputs, layout.Inputs), means);
        }
    }
}
