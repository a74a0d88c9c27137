using FaMLNet.Diagnostics;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Training;

/// <summary>Which steps of a training are measured, and what a step showed.</summary>
internal sealed class MeasuredSteps
{
    /// <summary>Rows, at the least, over which a unit must be 0 to be dead.</summary>
    private const int RowsWatched = 1024;

    private readonly TrainingPlan _plan;
    private readonly TrainingStep _step;
    private readonly Measurement _measurement;
    private readonly UnitActivity? _activity;
    private readonly int _batchesWatched;
    private bool _watching;

    public MeasuredSteps(TrainingPlan plan, TrainingStep step)
    {
        _plan = plan;
        _step = step;
        _measurement = new Measurement(plan.Diagnostics, step.Network);
        _batchesWatched = (RowsWatched + plan.BatchSize - 1) / plan.BatchSize;
        _activity = plan.Diagnostics.HasFlag(LayerDiagnostics.DeadUnits) ? new UnitActivity(_batchesWatched) : null;
    }

    /// <summary>Before a step's gradient: watches activations where a measurement is near.</summary>
    /// <param name="rowsLeft">Of the epoch, after this step.</param>
    /// <param name="last">Whether it is the epoch's last.</param>
    /// <returns>The measurement to be made at this step; null for none.</returns>
    public Measurement? Begin(long rowsLeft, bool last)
    {
        long toNext = _plan.DiagnosticsEverySteps is { } every ? (every - (_step.Optimizer.Steps + 1) % every) % every : long.MaxValue;
        if (_activity != null)
        {
            bool watch = toNext < _batchesWatched || rowsLeft <= (_batchesWatched - 1L) * _plan.BatchSize;
            if (watch)
                _activity.Begin(afterGap: !_watching);
            _step.Network.Activity = watch ? _activity : null;
            _watching = watch;
        }
        return toNext == 0 || (last && _plan.Diagnostics != LayerDiagnostics.None) ? _measurement : null;
    }

    /// <summary>The point within an epoch that the step just taken is; null if it is none.</summary>
    public StepMetrics? Point(int epoch, BatchResult result, double learningRate) =>
        _plan.DiagnosticsEverySteps is not { } every || _step.Optimizer.Steps % every != 0 ? null : _measurement.AddTo(new StepMetrics
        {
            TrainingId = _plan.Id,
            Epoch = epoch,
            Step = _step.Optimizer.Steps,
            Loss = result.Weight > 0 ? result.Loss / result.Weight : result.Loss,
            Accuracy = _plan.Task.AccuracyOf(result.Correct, result.Count),
            LearningRate = learningRate,
        });
}
