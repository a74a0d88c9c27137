using FaMLNet.Computing.Backward;
using FaMLNet.Computing.Dense;
using FaMLNet.Rows;

namespace FaMLNet.Tests.Training;

/// <summary>Random rows for tests of the training step.</summary>
internal static class RandomTask
{
    public static TrainingData Data(int features, int classes, int rows, int seed, bool weighted = false)
    {
        TrainingData data = new(features, classes, rows);
        RandomGenerator random = new(seed, "test data");
        for (int row = 0; row < rows; row++)
        {
            random.FillNormal(data.Next(), 0, 1);
            data.Commit(random.NextInt32(classes), weighted ? random.NextSingle() * 2 : null);
        }
        return data;
    }

    public static float[] RowOf(TrainingData data, int row) => data.Row(row, new float[data.Features]).ToArray();

    public static int[] AllRows(TrainingData data) => [.. Enumerable.Range(0, data.Count)];

    public static double[][] Features(TrainingData data, int[] rows) =>
        [.. rows.Select(row => RowOf(data, row).Select(value => (double)value).ToArray())];

    public static int[] Labels(TrainingData data, int[] rows) => [.. rows.Select(row => data.Labels[row])];

    public static double[] Weights(TrainingData data, int[] rows) => [.. rows.Select(row => data.Weights.IsEmpty ? 1.0 : data.Weights[row])];

    public static double[]?[] Feedback(FeedbackWeights feedback) =>
        [.. feedback.Slices.Select(slice => slice == null ? null
            : slice.In((ReadOnlySpan<float>)feedback.Buffer.Span).ToArray().Select(value => (double)value).ToArray())];

    public static ReferenceNetwork Reference(DenseLayout layout, DenseChain chain) =>
        new(layout, chain.Weights.Span, Feedback(chain.Feedback), chain.Feedback.Route.StartsAtOutput);

    /// <summary>‖a − b‖/‖b‖.</summary>
    public static double RelativeError(ReadOnlySpan<float> a, ReadOnlySpan<double> b)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < b.Length; i++)
        {
            difference += (a[i] - b[i]) * (a[i] - b[i]);
            norm += b[i] * b[i];
        }
        return norm == 0 ? Math.Sqrt(difference) : Math.Sqrt(difference / norm);
    }
}
