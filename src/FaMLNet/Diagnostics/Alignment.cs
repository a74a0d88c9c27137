using System.Numerics.Tensors;
using FaMLNet.Training;

namespace FaMLNet.Diagnostics;

/// <summary>Measures how far feedback and forward weights have come into line.</summary>
internal static class Alignment
{
    /// <summary>arccos(⟨a, b⟩/(‖a‖‖b‖)) in degrees; 90 if either is zero.</summary>
    public static double Angle(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double lengths = (double)Norm(a) * Norm(b);
        if (lengths == 0)
            return 90;
        double cosine = Dot(a, b) / lengths;
        return Math.Acos(Math.Clamp(cosine, -1, 1)) * (180 / Math.PI);
    }

    /// <summary>‖feedback‖/‖weights‖.</summary>
    public static double NormRatio(ReadOnlySpan<float> feedback, ReadOnlySpan<float> weights) => Norm(feedback) / Norm(weights);

    /// <summary>Angle and norm ratio of every layer, from the state after the last gradient was computed.</summary>
    public static (IReadOnlyDictionary<string, double> Angle, IReadOnlyDictionary<string, double> NormRatio) Measure(TrainingNetwork network)
    {
        Dictionary<string, double> angles = [], ratios = [];
        FeedbackWeights feedback = network.Feedback;
        ReadOnlySpan<float> weights = network.Weights.Span, gradient = network.Gradient.Span;
        List<WeightedLayer> layers = network.Layout.WeightedLayers;
        ReadOnlySpan<float> backpropagation = feedback.IsDirect && layers.Count > 1 ? network.ComputeBackpropagationGradient().Span : [];
        for (int i = 1; i < layers.Count; i++)
        {
            WeightedLayer layer = layers[i];
            if (feedback.Slices[i] is not { } slice)
            {
                angles[layer.Name] = 0;
                ratios[layer.Name] = 1;
                continue;
            }
            ReadOnlySpan<float> w = layer.Weight.In(weights), b = slice.In((ReadOnlySpan<float>)feedback.Buffer.Span);
            ratios[layer.Name] = NormRatio(b, w);
            if (feedback.IsDirect)
                angles[layers[i - 1].Name] = Angle(layers[i - 1].Weight.In(gradient), layers[i - 1].Weight.In(backpropagation));
            else
                angles[layer.Name] = Angle(w, b);
        }
        return (angles, ratios);
    }

    private static double Norm(ReadOnlySpan<float> values) => Math.Sqrt(Dot(values, values));

    /// <summary>In blocks, so that a long sum keeps its digits.</summary>
    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        const int Block = 4096;
        double sum = 0;
        for (int i = 0; i < a.Length; i += Block)
        {
            int length = Math.Min(Block, a.Length - i);
            sum += TensorPrimitives.Dot(a.Slice(i, length), b.Slice(i, length));
        }
        return sum;
    }
}
