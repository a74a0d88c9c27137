namespace FaMLNet.Tasks.Losses;

/// <summary>
/// What a training minimises: from outputs and labels to the loss and to its derivative, the error that starts its way back. A task differs from
/// another in this and in the shape of its output, and in nothing else of the training.
/// </summary>
internal abstract unsafe class TrainingLoss
{
    /// <summary>Turns outputs (before the bias) into the error, in place; they lie feature-major, a row an output.</summary>
    /// <param name="z">Outputs × width.</param>
    /// <param name="bias">One per output.</param>
    /// <param name="biasGradient">Receives the sums of the error over the batch, one per output.</param>
    /// <param name="outputs">How many there are.</param>
    /// <param name="width">Columns: rows of the batch, and empty ones.</param>
    /// <param name="labels">One per column; of several outputs with a label each, columns × outputs.</param>
    /// <param name="coefficients">Each column's weight in the loss; 0 beyond the batch.</param>
    /// <param name="count">Columns that hold rows of the batch.</param>
    /// <param name="smoothing">Share of the target that goes to all classes alike.</param>
    public abstract LossSums ReplaceColumnsByError(float* z, float* bias, float* biasGradient, int outputs, int width, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> coefficients, int count, float smoothing);

    /// <summary>The same for outputs that lie row by row, the bias included.</summary>
    public abstract LossSums ReplaceRowsByError(TorchSharp.torch.Tensor z, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients, int outputs,
        float smoothing);

    /// <summary>
    /// What <see cref="ProjectedSignal.Target"/> sends: −coefficient at the class of each row; of one output −coefficient for true and
    /// coefficient for false.
    /// </summary>
    /// <param name="destination">Receives it; cleared first.</param>
    /// <param name="labels">One per row.</param>
    /// <param name="coefficients">Each row's weight in the loss.</param>
    /// <param name="outputs">How many there are.</param>
    /// <param name="rowStride">From a row to the next.</param>
    /// <param name="outputStride">From an output to the next.</param>
    public virtual void WriteTargets(Span<float> destination, ReadOnlySpan<int> labels, ReadOnlySpan<float> coefficients, int outputs, int rowStride,
        int outputStride)
    {
        destination.Clear();
        for (int row = 0; row < labels.Length; row++)
        {
            int label = labels[row], output = outputs == 1 ? 0 : label;
            destination[row * rowStride + output * outputStride] = outputs == 1 && label == 0 ? coefficients[row] : -coefficients[row];
        }
    }

    /// <summary>What outputs that lie row by row show, and stay as they are.</summary>
    /// <param name="z">Rows × outputs.</param>
    /// <param name="labels">One per row.</param>
    /// <param name="weights">One per row.</param>
    /// <param name="outputs">How many there are.</param>
    /// <param name="k">How many of the likeliest classes count as a hit for the top-k accuracy.</param>
    public abstract EvaluationResult Evaluate(ReadOnlySpan<float> z, ReadOnlySpan<int> labels, ReadOnlySpan<float> weights, int outputs, int k);
}
