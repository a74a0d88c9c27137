using System.Diagnostics;
using FaMLNet.Computing;
using FaMLNet.Diagnostics;
using FaMLNet.Rows;
using FaMLNet.Tasks.Losses;

namespace FaMLNet.Training;

/// <summary>Runs the steps of one epoch after another, and measures what an epoch showed.</summary>
internal sealed class EpochRunner(TrainingPlan plan, RowSource source, TrainingStep step, TrainingState state, CheckpointWriter checkpoints,
    TrainingListener listener)
{
    private readonly MeasuredSteps _measured = new(plan, step);
    private readonly TrainingNetwork _network = step.Network;

    /// <summary>Runs an epoch, or what is left of it.</summary>
    /// <param name="epoch">Its number, from 1.</param>
    /// <returns>Null if the training has diverged.</returns>
    public EpochMetrics? Run(int epoch)
    {
        long start = Stopwatch.GetTimestamp(), seenBefore = state.RowsSeen;
        if (RunSteps(epoch) is not var (learningRate, atEnd))
            return null;
        state.Add(_network.TakeTotals());
        if (!double.IsFinite(state.Loss))
            return null;
        EpochMetrics metrics = new()
        {
            TrainingId = plan.Id,
            Epoch = epoch,
            Loss = state.Loss,
            Accuracy = state.Accuracy,
            RootMeanSquaredError = state.RootMeanSquaredError,
            LearningRate = learningRate,
            SamplesPerSecond = (state.RowsSeen - seenBefore) / Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
        if (source.Validation is { } validation)
            metrics = AddTo(metrics, Evaluate(validation));
        return atEnd == null ? metrics : atEnd.AddTo(metrics);
    }

    /// <returns>The last step's learning rate, and what was measured at it; null if the training has diverged.</returns>
    private (float LearningRate, Measurement? AtEnd)? RunSteps(int epoch)
    {
        float learningRate = plan.Optimizer.LearningRate;
        // A last mini-batch that is too small is no step.
        int smallest = plan.Layout.NeedsTwoRows ? 2 : 1, size = plan.BatchSize;
        long total = source.Count;
        double steps = total / size + (total % size >= smallest ? 1 : 0);
        double plateau = plan.Schedule.DependsOnLosses
            ? plan.Schedule.FactorAfter([.. state.History.Select(past => past.ValidationLoss ?? past.Loss)]) : 1;
        Measurement? atEnd = null;
        foreach (RowBatch batch in source.Epoch(size, state.Shuffle, state.RowsDone))
        {
            int count = batch.Rows.Length;
            if (count < smallest)
                continue;
            checkpoints.CheckCancelled();
            long left = total - state.RowsDone - count;
            bool last = left < smallest;
            Measurement? measurement = _measured.Begin(left, last);
            if (measurement != null)
                state.Add(_network.TakeTotals());
            BatchResult result = _network.ComputeGradient(batch.Data, batch.Rows.Span);
            if (!double.IsFinite(result.Loss))
                return null;
            if (measurement != null)
            {
                step.Download();
                measurement.BeforeUpdate(_network.Activity);
            }
            learningRate = (float)(plan.Optimizer.LearningRate * plateau * plan.Schedule.Factor(epoch - 1 + (double)state.RowsDone / total,
                plan.NumberOfEpochs, after: epoch - 1 + (state.RowsDone / size + 1) / steps));
            step.Update(learningRate);
            if (measurement != null)
            {
                step.Download();
                measurement.AfterUpdate();
                result += _network.TakeTotals();
                if (_measured.Point(epoch, result, learningRate) is { } point)
                    listener.StepDone(point);
                atEnd = last ? measurement : null;
            }
            state.Add(result);
            state.RowsDone += count;
            if (!last)
                checkpoints.AfterStep();
        }
        return (learningRate, atEnd);
    }

    private EpochMetrics AddTo(EpochMetrics metrics, EvaluationResult result) => metrics with
    {
        ValidationLoss = result.Weight > 0 ? result.Loss / result.Weight : 0,
        ValidationAccuracy = plan.Task.AccuracyOf(result.Correct, result.Count),
        ValidationRootMeanSquaredError = result.Weight > 0 ? plan.Task.ErrorOf(result.Squares, result.Weight) : null,
        ValidationTopKAccuracy = plan.TopK == null ? null : (double)result.AmongTop / result.Count,
    };

    private EvaluationResult Evaluate(ValidationRows validation)
    {
        EvaluationResult total = default;
        for (int from = 0; from < validation.Rows.Length; from += plan.BatchSize)
        {
            // Nothing is saved here: the latest checkpoint is from before this epoch's measurements.
            listener.CheckCancelled();
            total += _network.Evaluate(validation.Data, validation.Rows.AsSpan(from, Math.Min(plan.BatchSize, validation.Rows.Length - from)),
                plan.TopK ?? 1);
        }
        return total;
    }
}
