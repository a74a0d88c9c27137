using System.Numerics.Tensors;

namespace FaMLNet.Diagnostics;

/// <summary>How far forward weights have come into line with feedback weights.</summary>
internal static class Alignment
{
    /// <summary>Angle and norm ratio of every layer that an error passes: of none where none does, as by input modulation.</summary>
    public static (Dictionary<string, double> Angle, Dictionary<string, double> NormRatio) Measure(IMeasuredTraining training)
    {
        Dictionary<string, double> angles = [], ratios = [];
        IReadOnlyList<string> names = training.LayerNames;
        for (int i = 0; i < names.Count && !training.Route.RunsTwice; i++)
        {
            ReadOnlySpan<float> feedback = training.FeedbackOf(i);
            if (i == 0 && feedback.IsEmpty)
                continue; // no error passes the first layer
            ReadOnlySpan<float> weights = training.WeightsOf(i);
            ratios[names[i]] = feedback.IsEmpty ? 1 : Vectors.Norm(feedback) / Vectors.Norm(weights);
            double? angle = feedback.IsEmpty ? 0
                : training.Route.StartsAtOutput ? DirectAngle(training, i) : Vectors.Angle(weights, feedback);
            if (angle is { } degrees)
                angles[names[i]] = degrees;
        }
        return (angles, ratios);
    }

    /// <summary>
    /// The angle between W and B′ᵀB, B′ the feedback weights of the next layer: what W would be if W_L⋯W_{i+1} were B′ and W_L⋯W_i were B. For the
    /// last layer between W and B. Null where layers are not matrices that follow each other.
    /// </summary>
    private static double? DirectAngle(IMeasuredTraining training, int layer)
    {
        if (training.MatrixOf(layer) is not { } size)
            return null;
        ReadOnlySpan<float> weights = training.WeightsOf(layer), feedback = training.FeedbackOf(layer);
        int classes = feedback.Length / size.Inputs;
        if (layer == training.LayerNames.Count - 1)
            return classes == size.Outputs ? Vectors.Angle(weights, feedback) : null;
        ReadOnlySpan<float> next = training.FeedbackOf(layer + 1);
        if (training.MatrixOf(layer + 1) is not { } above || above.Inputs != size.Outputs || next.Length != classes * size.Outputs)
            return null;
        // ⟨W, B′ᵀB⟩ = ⟨B′W, B⟩ and ‖B′ᵀB‖² = ⟨B′B′ᵀ, BBᵀ⟩: the product itself, as large as the weights, is not needed.
        float[] projected = new float[feedback.Length];
        double squares = 0;
        for (int c = 0; c < classes; c++)
        {
            Span<float> row = projected.AsSpan(c * size.Inputs, size.Inputs);
            for (int unit = 0; unit < size.Outputs; unit++)
                TensorPrimitives.MultiplyAdd(weights.Slice(unit * size.Inputs, size.Inputs), next[c * size.Outputs + unit], row, row);
            for (int other = 0; other <= c; other++)
            {
                double product = Vectors.Dot(Row(feedback, c, size.Inputs), Row(feedback, other, size.Inputs))
                    * Vectors.Dot(Row(next, c, size.Outputs), Row(next, other, size.Outputs));
                squares += other == c ? product : 2 * product;
            }
        }
        return Vectors.Angle(Vectors.Dot(projected, feedback), Vectors.Norm(weights) * Math.Sqrt(squares));
    }

    private static ReadOnlySpan<float> Row(ReadOnlySpan<float> matrix, int row, int width) => matrix.Slice(row * width, width);
}
