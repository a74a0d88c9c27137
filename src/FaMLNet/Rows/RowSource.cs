using FaMLNet.Tasks.Labels;

namespace FaMLNet.Rows;

/// <summary>Rows of one mini-batch: where they are and which.</summary>
internal readonly record struct RowBatch(TrainingData Data, ReadOnlyMemory<int> Rows);

/// <summary>Rows that are not trained on.</summary>
internal sealed record ValidationRows(TrainingData Data, int[] Rows);

/// <summary>The rows of a training, epoch by epoch.</summary>
internal abstract class RowSource : IDisposable
{
    public abstract int Features { get; }

    /// <summary>The classes of the label; 1 for numbers.</summary>
    public abstract int Classes { get; }

    /// <summary>What labels are.</summary>
    public abstract LabelKind Kind { get; }

    /// <summary>Values per label.</summary>
    public abstract int LabelWidth { get; }

    /// <summary>Outputs of a network that learns the label.</summary>
    public int Outputs => Kind == LabelKind.Class ? Classes : LabelWidth;

    /// <summary>Mean and deviation of labels that are numbers or vectors, over the training rows.</summary>
    public TargetMoments Targets { get; protected init; } = new();

    /// <summary>Rows of an epoch.</summary>
    public abstract long Count { get; }

    /// <summary>What the training rows are like, if they are sparse; else null.</summary>
    public SparseFeatures? Sparse { get; protected set; }

    /// <summary>The rows kept aside; null for none.</summary>
    public ValidationRows? Validation { get; protected init; }

    /// <summary>A hash of all rows in their order; for checkpoints.</summary>
    public abstract string Fingerprint { get; }

    /// <summary>Subtracts every feature's mean over the training rows from all rows, now or as they come.</summary>
    /// <returns>The means.</returns>
    public abstract float[] Center();

    /// <summary>Mean and standard deviation of each channel of images over the training rows; a constant channel has deviation 1.</summary>
    public abstract void MeasureChannels(int channels, Span<float> mean, Span<float> deviation);

    /// <summary>The mini-batches of an epoch, all of one size but the last.</summary>
    /// <param name="batchSize">Rows of a mini-batch.</param>
    /// <param name="shuffle">Decides the order; not to be used by anyone else until the epoch is over.</param>
    /// <param name="skip">Rows at the start to pass over: those of mini-batches that a former run has done.</param>
    public abstract IEnumerable<RowBatch> Epoch(int batchSize, RandomGenerator shuffle, long skip);

    public virtual void Dispose() { }

    /// <summary>Refuses rows kept aside that count nothing: their loss would be 0/0.</summary>
    protected void CheckValidationWeight()
    {
        if (Validation is not { Data.Weights: { IsEmpty: false } weights, Rows: var rows })
            return;
        foreach (int row in rows)
        {
            if (weights[row] > 0)
                return;
        }
        throw new InvalidOperationException($"The weights of all {rows.Length} validation rows are 0, so no loss can be measured. Check ClassWeights "
            + "(Balanced gives classes without training rows the weight 0) and the example weight column, or validate on other rows.");
    }

    /// <summary>
    /// Factors on the weights: by class, and one for all that makes the mean weight 1, so that its unit does not act as a learning rate.
    /// </summary>
    /// <param name="classWeights">The option.</param>
    /// <param name="counts">Rows of each class.</param>
    /// <param name="weights">Summed example weights of each class; the counts without a weight column.</param>
    protected static (float[]? ByClass, double Factor) WeightFactors(ClassWeights? classWeights, long[] counts, double[] weights)
    {
        float[]? byClass = classWeights?.Resolve(counts);
        double sum = 0, rows = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            sum += weights[i] * (byClass?[i] ?? 1);
            rows += counts[i];
        }
        if (!(sum > 0))
            throw new InvalidOperationException(
                "The weights of all training rows are 0: no row counts. Check ClassWeights and the example weight column.");
        return (byClass, rows / sum);
    }
}
