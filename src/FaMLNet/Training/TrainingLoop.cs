using System.Numerics.Tensors;
using FaMLNet.Computing;
using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using FaMLNet.Persistence;
using FaMLNet.Rows;
using FaMLNet.Training.Checkpoints;

namespace FaMLNet.Training;

/// <summary>Epochs over shuffled mini-batches, from the start, from a trained model or from a checkpoint.</summary>
/// <param name="plan">What to train and how.</param>
/// <param name="factory">Makes the network of the plan.</param>
/// <param name="source">The rows; owned by the caller.</param>
/// <param name="listener">Hears of it.</param>
/// <param name="folder">Where checkpoints go; null for none.</param>
internal sealed class TrainingLoop(TrainingPlan plan, NetworkFactory factory, RowSource source, TrainingListener listener,
    CheckpointFolder? folder = null)
{
    private readonly FailedWrites _failed = new($"Option CheckpointFolder: checkpoints in '{folder?.Folder}'", listener.Warn);

    /// <summary>Checkpoints of trainings on other rows in the same folder: they must have the same options.</summary>
    public IReadOnlyList<Checkpoint> Siblings { get; init; } = [];

    /// <summary>Trains to the end.</summary>
    /// <param name="diverged">Makes the exception for a network that diverged in an epoch, from the network as it was before.</param>
    /// <param name="checkpoint">Where to go on; null to start.</param>
    /// <param name="initial">A trained network to start from; null for random weights.</param>
    public TrainedNetwork Run(Func<int, TrainedNetwork, Exception> diverged, Checkpoint? checkpoint = null, TrainedNetwork? initial = null)
    {
        TrainingState state;
        try
        {
            using TrainingNetwork network = factory.Create(plan.Gradient);
            state = Train(network, diverged, checkpoint, initial);
        }
        finally
        {
            _failed.End();
            listener.Over();
        }
        // The network's memory is free by now: a model of many features need not find room beside it.
        return state.Result();
    }

    private TrainingState Train(TrainingNetwork network, Func<int, TrainedNetwork, Exception> diverged, Checkpoint? checkpoint,
        TrainedNetwork? initial)
    {
        using ThreadCount threads = new(plan.NumberOfThreads);
        WarnOfWrongKernels(network);
        TellOfSparseRows(network.Layout);
        float[]? means = plan.CentersFeatures ? source.Center() : null;
        if (initial != null)
            StartingWeights.Take(network, initial, means, plan.Rule);
        else if (network.Layout is GraphLayout graph)
            source.MeasureChannels(graph.Image.Channels, graph.InputMean.In(network.Statistics.Span),
                graph.InputDeviation.In(network.Statistics.Span));
        using TrainingStep step = TrainingStep.Create(network, plan.Update);
        TrainingState state = new(plan, step, means);
        foreach (Checkpoint sibling in Siblings)
            state.CheckSibling(sibling);
        bool complete = checkpoint != null && Restore(state, checkpoint);
        step.Upload();
        state.KeepLastGood();
        CheckpointWriter checkpoints = new(plan, state, folder, listener, _failed);
        EpochRunner runner = new(plan, source, step, state, checkpoints, listener);
        for (int epoch = state.History.Count + 1; epoch <= plan.NumberOfEpochs && !complete; epoch++)
        {
            EpochMetrics? metrics = runner.Run(epoch);
            if (metrics != null)
                step.EndEpoch();
            step.Download();
            if (metrics == null || !float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(network.Weights.Span)))
                throw diverged(epoch, state.LastGood);
            state.EndEpoch(metrics with { Histograms = null, TrainingId = null });
            complete = End(epoch, metrics, state, checkpoints);
        }
        return state;
    }

    /// <summary>Judges the epoch, saves and tells.</summary>
    /// <returns>Whether the training is over.</returns>
    private bool End(int epoch, EpochMetrics metrics, TrainingState state, CheckpointWriter checkpoints)
    {
        (int bestEpoch, bool stop) = Judge(state);
        bool ended = listener.StopWhen(metrics), complete = ended || epoch == plan.NumberOfEpochs || (stop && plan.EarlyStopping != null);
        if (bestEpoch == epoch && plan.EarlyStopping is { RestoreBest: true })
            state.KeepBest();
        checkpoints.AfterEpoch(epoch, complete, isBest: bestEpoch == epoch);
        listener.EpochDone(metrics);
        if (ended)
            listener.Info($"Stopped after epoch {epoch} of {plan.NumberOfEpochs}: option StopWhen was true.");
        else if (stop && plan.EarlyStopping is { } stopping)
        {
            listener.Info($"Stopped after epoch {epoch}: {stopping.Metric} was best in epoch {bestEpoch}, {stopping.Patience} epochs ago."
                + (stopping.RestoreBest ? $" The model has the weights of epoch {bestEpoch}." : ""));
        }
        return complete;
    }

    private void WarnOfWrongKernels(TrainingNetwork network)
    {
        if (ConvolutionGuard.Machine.TakeUnreported() is { Count: > 0 } rerouted)
            listener.Warn($"On this processor libtorch's own kernels compute some convolutions wrongly; these are computed another way: "
                + $"{string.Join(", ", rerouted)}.");
        if (network.IsRerouted)
        {
            listener.Warn($"On this processor libtorch's oneDNN computes convolutions of {network.Layout.Definition} wrongly: the network is "
                + "trained without oneDNN, which is slower. Numbers of channels that are multiples of 16 avoid it.");
        }
    }

    private void TellOfSparseRows(NetworkLayout layout)
    {
        if (source.Sparse is not { } sparse)
            return;
        listener.Info(InvariantText.Of($"Rows are kept sparse: {sparse.ValuesPerRow:0.#} of {source.Features} values a row are not 0 "
            + $"(FeatureStorage). Features are not centred, which would make them dense.")
            + (layout is DenseLayout { IsFeatureMajor: true }
                ? InvariantText.Of($" The learning rate is {plan.Optimizer.LearningRate}; a feature's weights change where it occurs.")
                : " The network computes on all of them."));
    }

    /// <returns>Whether that training is over.</returns>
    private bool Restore(TrainingState state, Checkpoint checkpoint)
    {
        state.Restore(checkpoint);
        // One that had all its epochs, and is to have more by now, goes on; one that was stopped is over.
        if (checkpoint.IsComplete && checkpoint.Epochs == checkpoint.EpochsWanted && checkpoint.Epochs < plan.NumberOfEpochs)
        {
            listener.Info($"Going on from a training of {checkpoint.Epochs} epochs that was complete, to {plan.NumberOfEpochs}.");
            return false;
        }
        if (checkpoint.IsComplete && plan.EarlyStopping == null && checkpoint.Epochs < plan.NumberOfEpochs)
            listener.Warn($"The training in '{plan.Checkpoints?.Folder}' was ended by option StopWhen after {checkpoint.Epochs} of "
                + $"{plan.NumberOfEpochs} epochs: its model is returned, and nothing is trained. Use another folder to train on.");
        else
            listener.Info(checkpoint.IsComplete ? $"The training in '{plan.Checkpoints?.Folder}' is complete: its model is returned."
                : $"Going on from a checkpoint: {checkpoint.Epochs} epochs and {checkpoint.Rows} rows done.");
        return checkpoint.IsComplete;
    }

    /// <summary>The best epoch and whether to stop, where anyone asks.</summary>
    private (int BestEpoch, bool Stop) Judge(TrainingState state) => (plan.EarlyStopping, folder) switch
    {
        (null, null) => (0, false),
        (null, _) => new EarlyStopping
        {
            Metric = source.Validation == null ? StoppingMetric.TrainingLoss : StoppingMetric.ValidationLoss,
        }.Judge(state.History),
        ({ } stopping, _) => stopping.Judge(state.History),
    };
}
