using FaMLNet.Rows;
using Xunit;

namespace FaMLNet.Tests.Training.Rows;

/// <summary>Sums over rows that are seen once, beside sums in double precision over rows that are kept.</summary>
public sealed class FeatureSumsTests
{
    private const int Features = 12, Channels = 3;

    [Theory, InlineData(1), InlineData(255), InlineData(256), InlineData(1000)]
    public void Of_dense_rows(int rows)
    {
        // Far from 0, where the squares of floats would drown the spread; the last channel is constant.
        float[][] data = Draw(rows, (random, feature) => feature >= 8 ? 7 : 5000 + random.NextSingle());
        FeatureSums sums = new(Features, sparse: false);
        foreach (float[] row in data)
            sums.Add(row);
        Check(sums, data, tolerance: 1e-3);
        Assert.Equal(1, Deviations(sums)[^1]);
    }

    [Theory, InlineData(1), InlineData(1000)]
    public void Of_sparse_rows(int rows)
    {
        float[][] data = Draw(rows, (random, _) => random.Next(4) == 0 ? random.NextSingle() - 0.5f : 0);
        FeatureSums sums = new(Features, sparse: true);
        SparseRows kept = new();
        for (int i = 0; i < rows; i++)
        {
            kept.Add([], data[i]);
            sums.Add(kept[i]);
        }
        Check(sums, data, tolerance: 1e-5);
        Assert.Equal(Enumerable.Range(0, Features).Select(feature => data.Count(row => row[feature] != 0)), sums.Occurrences.Rows);
        Assert.Equal((double)kept.Values / rows, sums.Occurrences.ValuesPerRow);
    }

    private static float[][] Draw(int rows, Func<Random, int, float> draw)
    {
        Random random = new(rows);
        return [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, Features).Select(feature => draw(random, feature)).ToArray())];
    }

    private static void Check(FeatureSums sums, float[][] data, double tolerance)
    {
        Assert.Equal(data.Length, sums.Rows);
        Assert.All(sums.Means().Select((mean, feature) => mean - data.Average(row => (double)row[feature])),
            difference => Assert.Equal(0, difference, tolerance));
        float[] means = new float[Channels], deviations = new float[Channels];
        sums.MeasureChannels(Channels, means, deviations);
        for (int channel = 0; channel < Channels; channel++)
        {
            double[] values = [.. data.SelectMany(row => row.Skip(channel * Features / Channels).Take(Features / Channels)).Select(v => (double)v)];
            double mean = values.Average(), deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
            Assert.Equal(mean, means[channel], tolerance);
            Assert.Equal(deviation > 0 ? deviation : 1, deviations[channel], tolerance);
        }
    }

    private static float[] Deviations(FeatureSums sums)
    {
        float[] means = new float[Channels], deviations = new float[Channels];
        sums.MeasureChannels(Channels, means, deviations);
        return deviations;
    }
}
