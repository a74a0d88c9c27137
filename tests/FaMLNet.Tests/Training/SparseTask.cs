using FaMLNet.Rows;
using FaMLNet.Tasks.Labels;

namespace FaMLNet.Tests.Training;

/// <summary>Random rows of which most values are 0, kept in both ways.</summary>
internal static class SparseTask
{
    /// <summary>The same rows sparse and dense; the first is empty, one has a single value, some features never occur.</summary>
    public static (TrainingData Sparse, TrainingData Dense) Data(int features, int classes, int rows, int seed, double share = 0.1,
        LabelKind kind = LabelKind.Class, bool weighted = false)
    {
        TrainingData sparse = new(features, classes, rows, kind: kind, sparse: true), dense = new(features, classes, rows, kind: kind);
        RandomGenerator random = new(seed, "sparse test data");
        for (int row = 0; row < rows; row++)
        {
            List<int> indices = [];
            List<float> values = [];
            for (int feature = 0; feature < features; feature++)
            {
                bool occurs = row == 1 ? feature == features / 2 : row > 0 && feature % 7 != 3 && random.NextSingle() < share;
                if (!occurs)
                    continue;
                indices.Add(feature);
                values.Add(random.NextSingle() + 0.1f);
            }
            int label = kind == LabelKind.Number ? LabelBits.OfNumber(random.NextSingle()) : random.NextInt32(classes);
            float? weight = weighted ? random.NextSingle() * 2 : null;
            sparse.Add(new SparseRow([.. indices], [.. values]), [label], weight);
            sparse.CopyRow(row, dense.Next());
            dense.Commit(label, weight);
        }
        return (sparse, dense);
    }
}
