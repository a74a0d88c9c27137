namespace FaMLNet;

public abstract partial class FeedbackAlignmentOptions
{
    /// <summary>What is measured of the layers, at the last step of each epoch. It changes no weight.</summary>
    /// <value>Default: <see cref="LayerDiagnostics.Alignment"/>.</value>
    public LayerDiagnostics Diagnostics { get; set; } = LayerDiagnostics.Alignment;

    /// <summary>
    /// Steps from one point to the next that is measured within epochs as well and handed to <see cref="StepCallback"/>.
    /// </summary>
    /// <value>Range: 1 or more. Default: null, only once an epoch.</value>
    public int? DiagnosticsEverySteps { get; set; }

    /// <summary>
    /// Called at every <see cref="DiagnosticsEverySteps"/>-th step, after its update, on the training thread. An exception from it stops the
    /// training.
    /// </summary>
    /// <value>Default: null.</value>
    public Action<StepMetrics>? StepCallback { get; set; }

    /// <summary>
    /// Called after each epoch, on the training thread. An exception from it stops the training; one of input or output, such as a log that cannot be
    /// written, is a warning in the log instead. <see cref="StopWhen"/> ends a training on purpose.
    /// </summary>
    /// <value>Default: null.</value>
    public Action<EpochMetrics>? MetricsCallback { get; set; }

    /// <summary>
    /// Asked after each epoch, before its checkpoint is saved and before <see cref="MetricsCallback"/>: where it is true, the training ends with this
    /// epoch. The model has this epoch's weights, or those of the best one where <see cref="FeedbackAlignmentOptions.EarlyStopping"/> restores them.
    /// Checkpoints record that the training is over: fitted again, it returns the same model.
    /// </summary>
    /// <value>Default: null, all epochs are trained.</value>
    public Func<EpochMetrics, bool>? StopWhen { get; set; }
}
