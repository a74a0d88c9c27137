namespace FaMLNet;

/// <summary>
/// How right predictions of several labels at once are. Definitions are scikit-learn's, but for one: labels that are true in no row are left out of
/// <see cref="MacroF1"/> and <see cref="MeanAveragePrecision"/>, since nothing can be found of them (scikit-learn counts them as 0).
/// </summary>
public sealed class MultiLabelMetrics
{
    internal MultiLabelMetrics(IReadOnlyList<LabelMetrics> labels, long rows, long rowsRight, long missing)
    {
        Labels = labels;
        NumberOfRows = rows;
        NumberOfMissingScores = missing;
        long hits = labels.Sum(label => label.TruePositives), wrong = labels.Sum(label => label.FalsePositives + label.FalseNegatives);
        MicroF1 = LabelMetrics.F1Of(hits, wrong);
        LabelMetrics[] known = [.. labels.Where(label => label.NumberOfPositives > 0)];
        NumberOfLabelsLeftOut = labels.Count - known.Length;
        MacroF1 = known.Length == 0 ? double.NaN : known.Average(label => label.F1);
        MeanAveragePrecision = known.Length == 0 ? double.NaN : known.Average(label => label.AveragePrecision);
        SubsetAccuracy = (double)rowsRight / rows;
        HammingLoss = (double)wrong / rows / labels.Count;
    }

    /// <summary>The metrics of each label, in the order of the label column.</summary>
    public IReadOnlyList<LabelMetrics> Labels { get; }

    /// <summary>F1 over all labels of all rows together: 2·hits / (2·hits + wrong). Between 0 and 1.</summary>
    public double MicroF1 { get; }

    /// <summary>Mean of the labels' F1, of those that are true in some row. Between 0 and 1.</summary>
    public double MacroF1 { get; }

    /// <summary>Mean of the labels' average precision, of those that are true in some row. Between 0 and 1.</summary>
    public double MeanAveragePrecision { get; }

    /// <summary>Share of rows of which every label is right. Between 0 and 1.</summary>
    public double SubsetAccuracy { get; }

    /// <summary>Share of labels that are wrong. Between 0 and 1; lower is better.</summary>
    public double HammingLoss { get; }

    /// <summary>Labels that are true in no row, and so left out of the means.</summary>
    public int NumberOfLabelsLeftOut { get; }

    /// <summary>Rows that the metrics are of.</summary>
    public long NumberOfRows { get; }

    /// <summary>Rows whose scores are not numbers, as for rows with missing features: they are left out.</summary>
    public long NumberOfMissingScores { get; }

    /// <summary>How right predictions of one label are.</summary>
    public sealed class LabelMetrics
    {
        internal LabelMetrics(string? name, long truePositives, long falsePositives, long falseNegatives, double averagePrecision)
        {
            (Name, TruePositives, FalsePositives, FalseNegatives) = (name, truePositives, falsePositives, falseNegatives);
            AveragePrecision = averagePrecision;
            Precision = truePositives == 0 ? 0 : (double)truePositives / (truePositives + falsePositives);
            Recall = NumberOfPositives == 0 ? double.NaN : (double)truePositives / NumberOfPositives;
            F1 = F1Of(truePositives, falsePositives + falseNegatives);
        }

        /// <summary>The slot name of the label column; null if it has none.</summary>
        public string? Name { get; }

        /// <summary>Rows in which the label is true and was predicted.</summary>
        public long TruePositives { get; }

        /// <summary>Rows in which the label is false and was predicted.</summary>
        public long FalsePositives { get; }

        /// <summary>Rows in which the label is true and was not predicted.</summary>
        public long FalseNegatives { get; }

        /// <summary>Rows in which the label is true.</summary>
        public long NumberOfPositives => TruePositives + FalseNegatives;

        /// <summary>Share of rows with this prediction in which the label is true; 0 where it was never predicted.</summary>
        public double Precision { get; }

        /// <summary>Share of rows with this label in which it was predicted; not a number (NaN) where the label is true in no row.</summary>
        public double Recall { get; }

        /// <summary>2·precision·recall/(precision + recall); 0 where the label was neither true nor predicted.</summary>
        public double F1 { get; }

        /// <summary>
        /// Σ (recall − recall before)·precision over the score's thresholds, from the highest down: how well the score ranks rows with the label
        /// above the others. NaN where the label is true in no row.
        /// </summary>
        public double AveragePrecision { get; }

        internal static double F1Of(long hits, long wrong) => hits == 0 ? 0 : 2.0 * hits / (2 * hits + wrong);
    }
}
