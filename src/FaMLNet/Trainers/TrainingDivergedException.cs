namespace FaMLNet;

/// <summary>Training stopped because the loss or a weight became infinite or not a number.</summary>
public sealed class TrainingDivergedException : Exception
{
    /// <summary>Creates the exception without detail.</summary>
    public TrainingDivergedException() : this("Training diverged.") { }

    /// <summary>Creates the exception with a message.</summary>
    public TrainingDivergedException(string message) : base(message) { }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public TrainingDivergedException(string message, Exception innerException) : base(message, innerException) { }

    internal TrainingDivergedException(string message, int epoch, double learningRate, IFeedbackAlignmentModel lastGoodModel)
        : base(message)
    {
        Epoch = epoch;
        LearningRate = learningRate;
        LastGoodModel = lastGoodModel;
    }

    /// <summary>The epoch in which it happened, from 1.</summary>
    public int Epoch { get; }

    /// <summary>The learning rate at that moment.</summary>
    public double LearningRate { get; }

    /// <summary>
    /// The model as it was at the end of the epoch before (in the first epoch: with its initial weights), with the history up to there; of the
    /// type of the trainer's models.
    /// </summary>
    public IFeedbackAlignmentModel? LastGoodModel { get; }
}
