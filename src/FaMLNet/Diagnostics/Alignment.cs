using System.Numerics.Tensors;

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

    /// <summary>Angle and norm ratio of every layer.</summary>
    public static (IReadOnlyDictionary<string, double> Angle, IReadOnlyDictionary<string, double> NormRatio) Measure(IMeasuredTraining training)
    {
        Dictionary<string, double> angles = [], ratios = [];
        IReadOnlyList<string> names = training.LayerNames;
        if (training.IsDirect && names.Count > 1)
            training.ComputeBackpropagationGradient();
        for (int i = 0; i < names.Count; i++)
        {
            ReadOnlySpan<float> weights = training.WeightsOf(i), feedback = training.FeedbackOf(i);
            if (i == 0 && feedback.IsEmpty)
                continue; // no error passes the first layer
            if (feedback.IsEmpty)
            {
                angles[names[i]] = 0;
                ratios[names[i]] = 1;
                continue;
            }
            ratios[names[i]] = NormRatio(feedback, weights);
            if (!training.IsDirect)
                angles[names[i]] = Angle(weights, feedback);
            else if (i > 0)
                angles[names[i - 1]] = Angle(training.GradientOf(i - 1), training.BackpropagationGradientOf(i - 1));
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
