namespace FaMLNet;

/// <summary>
/// How far predictions of several numbers are off: for each number in its own unit, and on average. Numbers that are not known (NaN) are left out,
/// each for itself.
/// </summary>
public sealed class VectorRegressionMetrics
{
    internal VectorRegressionMetrics(IReadOnlyList<OutputMetrics> outputs)
    {
        Outputs = outputs;
        RootMeanSquaredError = Mean(output => output.RootMeanSquaredError);
        MeanAbsoluteError = Mean(output => output.MeanAbsoluteError);
        RSquared = Mean(output => output.RSquared);
    }

    /// <summary>The metrics of each number, in the order of the label.</summary>
    public IReadOnlyList<OutputMetrics> Outputs { get; }

    /// <summary>
    /// Mean of the numbers' root mean squared errors: scikit-learn's <c>root_mean_squared_error</c>. It mixes units where the numbers have different
    /// ones.
    /// </summary>
    public double RootMeanSquaredError { get; }

    /// <summary>
    /// Mean of the numbers' mean absolute errors: scikit-learn's <c>mean_absolute_error</c>. It mixes units where the numbers have different ones.
    /// </summary>
    public double MeanAbsoluteError { get; }

    /// <summary>Mean of the numbers' R², whatever their units; numbers whose R² is not defined are left out.</summary>
    public double RSquared { get; }

    private double Mean(Func<OutputMetrics, double> metric) =>
        Outputs.Select(metric).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();

    /// <summary>How far predictions of one number are off.</summary>
    public sealed class OutputMetrics
    {
        internal OutputMetrics(string? name, Sums sums)
        {
            Name = name;
            NumberOfTargets = sums.Count;
            NumberOfMissingScores = sums.MissingScores;
            RootMeanSquaredError = Math.Sqrt(sums.Squares / sums.Count);
            MeanAbsoluteError = sums.Magnitudes / sums.Count;
            RSquared = sums.Spread > 0 ? 1 - sums.Squares / sums.Spread : double.NaN;
        }

        /// <summary>The slot name of the label column; null if it has none.</summary>
        public string? Name { get; }

        /// <summary>Root of the mean squared error, in the number's unit; not a number (NaN) where no target is known.</summary>
        public double RootMeanSquaredError { get; }

        /// <summary>Mean absolute error, in the number's unit; NaN where no target is known.</summary>
        public double MeanAbsoluteError { get; }

        /// <summary>
        /// Share of the targets' variance that predictions explain, at most 1. NaN where all known targets are alike (scikit-learn says 0 or
        /// 1 there).
        /// </summary>
        public double RSquared { get; }

        /// <summary>Rows in which the number was known and predicted: what the metrics are of.</summary>
        public long NumberOfTargets { get; }

        /// <summary>
        /// Rows in which the number was known but the score was not a number, as for rows with missing features: they are left out of the metrics.
        /// </summary>
        public long NumberOfMissingScores { get; }
    }

    /// <summary>Sums over the rows of one number.</summary>
    internal sealed class Sums
    {
        private double _mean;

        public long Count { get; private set; }

        public long MissingScores { get; private set; }

        public double Squares { get; private set; }

        public double Magnitudes { get; private set; }

        /// <summary>Σ (target − mean)².</summary>
        public double Spread { get; private set; }

        public void Add(float target, float score)
        {
            if (float.IsNaN(target))
                return;
            if (float.IsNaN(score))
            {
                MissingScores++;
                return;
            }
            double error = (double)score - target, distance = target - _mean;
            Squares += error * error;
            Magnitudes += Math.Abs(error);
            _mean += distance / ++Count;
            Spread += distance * (target - _mean);
        }
    }
}
