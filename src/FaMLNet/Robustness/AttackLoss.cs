using System.Numerics.Tensors;

namespace FaMLNet;

/// <summary>What an attack tries to raise: a function of the network's logits and the right class, with its gradient. Open to losses of the
/// user's own. Thread-safe as long as they keep nothing.</summary>
public abstract class AttackLoss
{
    /// <summary>Cross-entropy, −log softmax(z)[y].</summary>
    /// <remarks>
    /// The gradient is divided by its largest element, and computed in double precision: where the network is certain, p_y − 1 is 0 in single
    /// precision, and an attack that only used that would take certainty for robustness.
    /// </remarks>
    public static AttackLoss CrossEntropy { get; } = new CrossEntropyLoss();

    /// <summary>
    /// The difference-of-logits ratio, −(z_y − max_{i≠y} z_i) / (z_π1 − z_π3) with π the order of the logits, the largest first (Croce and Hein
    /// 2020, eq. 6): unlike cross-entropy it does not change when the logits are scaled. With two classes there is no third logit: the loss is
    /// then the margin, max_{i≠y} z_i − z_y.
    /// </summary>
    public static AttackLoss DifferenceOfLogitsRatio { get; } = new DifferenceOfLogitsRatioLoss(null);

    /// <summary>The margin by which another class leads, max_{i≠y} z_i − z_y (Carlini and Wagner 2017).</summary>
    public static AttackLoss Margin { get; } = new MarginLoss();

    /// <summary>
    /// The targeted form, −(z_y − z_t) / (z_π1 − (z_π3 + z_π4)/2) (Croce and Hein 2020, eq. 7). With three classes z_π3 stands for both of the
    /// lower ones; with two the loss is z_t − z_y.
    /// </summary>
    /// <param name="target">The class that the network shall see, from 0.</param>
    public static AttackLoss TargetedDifferenceOfLogitsRatio(int target) => new DifferenceOfLogitsRatioLoss(target);

    /// <summary>z_raised − z_lowered: the gradient of one logit against another.</summary>
    /// <param name="raised">A class, from 0.</param>
    /// <param name="lowered">Another.</param>
    public static AttackLoss LogitDifference(int raised, int lowered) => new LogitDifferenceLoss(raised, lowered);

    /// <summary>The Kullback-Leibler divergence of softmax(z) from the distribution of other logits, Σ q log(q/p) (Zhang et al. 2019).</summary>
    /// <param name="logits">Those of the clean row; copied.</param>
    public static AttackLoss KullbackLeibler(ReadOnlySpan<float> logits) => new KullbackLeiblerLoss(logits);

    /// <summary>The loss and its gradient.</summary>
    /// <param name="logits">One per class.</param>
    /// <param name="label">The right class, from 0.</param>
    /// <param name="gradient">Receives ∂loss/∂logits; a positive factor does not matter.</param>
    /// <returns>The loss, which attacks raise.</returns>
    public abstract double Evaluate(ReadOnlySpan<float> logits, int label, Span<float> gradient);

    /// <summary>The largest logit but one.</summary>
    private static int LargestBut(ReadOnlySpan<float> logits, int excepted)
    {
        int best = -1;
        for (int i = 0; i < logits.Length; i++)
        {
            if (i != excepted && (best < 0 || logits[i] > logits[best]))
                best = i;
        }
        return best;
    }

    /// <summary>log softmax(z), in double precision.</summary>
    private static double[] LogProbabilities(ReadOnlySpan<float> logits)
    {
        double[] result = new double[logits.Length];
        double largest = TensorPrimitives.Max(logits), sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp(logit - largest);
        for (int i = 0; i < result.Length; i++)
            result[i] = logits[i] - largest - Math.Log(sum);
        return result;
    }

    private sealed class CrossEntropyLoss : AttackLoss
    {
        public override double Evaluate(ReadOnlySpan<float> logits, int label, Span<float> gradient)
        {
            // 1 − p_y is the sum of the others: nothing cancels. The others relative to their own largest, so that none underflows.
            int other = LargestBut(logits, label);
            double sum = 0, gap = (double)logits[other] - logits[label];
            for (int i = 0; i < logits.Length; i++)
            {
                double exponential = i == label ? 0 : Math.Exp((double)logits[i] - logits[other]);
                sum += exponential;
                gradient[i] = (float)exponential;
            }
            for (int i = 0; i < logits.Length; i++)
                gradient[i] = (float)(i == label ? -1 : gradient[i] / sum);
            // log(1 + sum · e^gap)
            double exponent = gap + Math.Log(sum);
            return exponent > 30 ? exponent : LogOnePlus(Math.Exp(exponent));
        }

        private static double LogOnePlus(double x) => x < 1e-5 ? x - x * x / 2 : Math.Log(1 + x);
    }

    private sealed class MarginLoss : AttackLoss
    {
        public override double Evaluate(ReadOnlySpan<float> logits, int label, Span<float> gradient)
        {
            int other = LargestBut(logits, label);
            gradient.Clear();
            (gradient[other], gradient[label]) = (1, -1);
            return (double)logits[other] - logits[label];
        }
    }

    private sealed class LogitDifferenceLoss(int raised, int lowered) : AttackLoss
    {
        public override double Evaluate(ReadOnlySpan<float> logits, int label, Span<float> gradient)
        {
            gradient.Clear();
            gradient[raised] += 1;
            gradient[lowered] -= 1;
            return (double)logits[raised] - logits[lowered];
        }
    }

    private sealed class DifferenceOfLogitsRatioLoss(int? target) : AttackLoss
    {
        public override double Evaluate(ReadOnlySpan<float> logits, int label, Span<float> gradient)
        {
            int aim = target ?? LargestBut(logits, label);
            gradient.Clear();
            double difference = (double)logits[aim] - logits[label];
            if (logits.Length < 3)
            {
                gradient[aim] += 1;
                gradient[label] -= 1;
                return difference;
            }
            int first = LargestBut(logits, -1), third = Ranked(logits, 2), fourth = target != null && logits.Length > 3 ? Ranked(logits, 3) : third;
            double range = logits[first] - ((double)logits[third] + logits[fourth]) / 2 + 1e-12;
            // d(n/r) = dn/r − n/r² dr, times r.
            double slope = difference / range;
            gradient[aim] += 1;
            gradient[label] -= 1;
            gradient[first] -= (float)slope;
            gradient[third] += (float)(slope / 2);
            gradient[fourth] += (float)(slope / 2);
            return slope;
        }

        /// <summary>The class whose logit has so many larger ones; of equal ones the first.</summary>
        private static int Ranked(ReadOnlySpan<float> logits, int rank)
        {
            for (int i = 0; i < logits.Length; i++)
            {
                int above = 0;
                for (int j = 0; j < logits.Length; j++)
                    above += logits[j] > logits[i] || (logits[j] == logits[i] && j < i) ? 1 : 0;
                if (above == rank)
                    return i;
            }
            return 0; // not a number among the logits
        }
    }

    private sealed class KullbackLeiblerLoss(ReadOnlySpan<float> clean) : AttackLoss
    {
        private readonly double[] _expected = LogProbabilities(clean);

        public override double Evaluate(ReadOnlySpan<float> logits, int label, Span<float> gradient)
        {
            double[] found = LogProbabilities(logits);
            // ∂/∂z = p − q, which sums to 0: of the likeliest class it is what the others leave, to the size of the likeliest of those.
            int top = LargestBut(logits, -1);
            double divergence = 0, reference = double.NegativeInfinity;
            for (int i = 0; i < found.Length; i++)
            {
                divergence += Math.Exp(_expected[i]) * (_expected[i] - found[i]);
                if (i != top)
                    reference = Math.Max(reference, Math.Max(found[i], _expected[i]));
            }
            double[] differences = new double[found.Length];
            for (int i = 0; i < found.Length; i++)
            {
                if (i != top)
                    differences[top] -= differences[i] = Math.Exp(found[i] - reference) - Math.Exp(_expected[i] - reference);
            }
            double largest = differences.Max(Math.Abs);
            for (int i = 0; i < found.Length; i++)
                gradient[i] = largest > 0 ? (float)(differences[i] / largest) : 0;
            return divergence;
        }
    }
}
