using System.Diagnostics;
using System.Numerics.Tensors;
using FaMLNet.Diagnostics;
using FaMLNet.Interop;
using FaMLNet.Training.Graph;

namespace FaMLNet.Training;

/// <summary>Epochs over shuffled mini-batches.</summary>
internal sealed class TrainingLoop
{
    private readonly TrainingSettings _settings;
    private readonly TrainingData _data;
    private readonly Action<EpochMetrics> _epochDone;
    private readonly Action _checkCancelled;
    private readonly Action<string> _warn;
    private readonly List<EpochMetrics> _history = [];

    /// <param name="settings">What to train and how.</param>
    /// <param name="data">The rows; more than none.</param>
    /// <param name="epochDone">Called after each epoch.</param>
    /// <param name="checkCancelled">Called before each step; throws to stop the training.</param>
    /// <param name="warn">Receives what the user should know.</param>
    public TrainingLoop(TrainingSettings settings, TrainingData data, Action<EpochMetrics> epochDone, Action checkCancelled, Action<string> warn)
    {
        _warn = warn;
        _settings = settings;
        _data = data;
        _epochDone = epochDone;
        _checkCancelled = checkCancelled;
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="diverged">Makes the exception for a network that diverged in an epoch, from the network as it was before.</param>
    public TrainedNetwork Run(Func<int, TrainedNetwork, Exception> diverged)
    {
        LibTorch.EnsureLoaded();
        using TrainingNetwork network = _settings.CreateNetwork(_data.Features, _data.Classes);
        NetworkLayout layout = network.Layout;
        using ThreadCount threads = new(_settings.NumberOfThreads ?? (layout is DenseLayout ? ThreadCount.For(layout.WorkPerRow * _settings.BatchSize) : ThreadCount.Present));
        if (ConvolutionGuard.Machine.TakeUnreported() is { Count: > 0 } rerouted)
            _warn($"On this processor libtorch's own kernels compute some convolutions wrongly; these are computed another way: {string.Join(", ", rerouted)}.");
        float[]? means = layout is DenseLayout && _settings.CenterFeatures ? _data.Center() : null;
        if (layout is GraphLayout graph)
            _data.MeasureChannels(graph.Image.Channels, graph.InputMean.In(network.Statistics.Span), graph.InputDeviation.In(network.Statistics.Span));
        RandomGenerator shuffle = new(_settings.Seed, "shuffle");
        int[] order = new int[_data.Count];
        TrainedNetwork lastGood = new(layout, _settings.Rule, new float[network.Weights.Length], new float[network.Statistics.Length], new float[network.Feedback.Buffer.Length], _history);
        Keep(network, means, lastGood);
        for (int epoch = 1; epoch <= _settings.NumberOfEpochs; epoch++)
        {
            // From the same start each time, so that an epoch's order depends on the generator alone.
            for (int i = 0; i < order.Length; i++)
                order[i] = i;
            shuffle.Shuffle(order);
            EpochMetrics? metrics = RunEpoch(epoch, network, order);
            if (metrics == null || !float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(network.Weights.Span)))
                throw diverged(epoch, lastGood with { History = [.. _history] });
            Keep(network, means, lastGood);
            _history.Add(metrics);
            _epochDone(metrics);
        }
        return lastGood with { History = [.. _history] };
    }

    private EpochMetrics? RunEpoch(int epoch, TrainingNetwork network, int[] order)
    {
        long start = Stopwatch.GetTimestamp();
        double loss = 0, weight = 0;
        int correct = 0, seen = 0;
        float learningRate = _settings.Optimizer.LearningRate;
        int smallest = network.Layout.NeedsTwoRows ? 2 : 1;
        (IReadOnlyDictionary<string, double> angle, IReadOnlyDictionary<string, double> ratio)? alignment = null;
        for (int from = 0; from < order.Length; from += _settings.BatchSize)
        {
            int count = Math.Min(_settings.BatchSize, order.Length - from);
            if (count < smallest)
                break;
            _checkCancelled();
            BatchResult result = network.ComputeGradient(_data, order.AsSpan(from, count));
            if (!double.IsFinite(result.Loss))
                return null;
            bool last = order.Length - from - count < smallest;
            if (last && _settings.TrackAlignment)
                alignment = Alignment.Measure(network);
            learningRate = RateAt(epoch - 1 + (double)from / order.Length);
            network.Update(learningRate);
            loss += result.Loss;
            weight += result.Weight;
            correct += result.Correct;
            seen += result.Count;
        }
        EpochMetrics metrics = new()
        {
            Epoch = epoch,
            Loss = weight > 0 ? loss / weight : 0,
            Accuracy = (double)correct / seen,
            LearningRate = learningRate,
            SamplesPerSecond = seen / Stopwatch.GetElapsedTime(start).TotalSeconds,
        };
        return alignment is { } measured ? metrics with { AlignmentAngle = measured.angle, NormRatio = measured.ratio } : metrics;
    }

    private float RateAt(double epoch) => (float)(_settings.Optimizer.LearningRate * _settings.Schedule.Factor(epoch, _settings.NumberOfEpochs));

    /// <summary>Copies the state out, with the features' means folded into the first bias: W(x − μ) + b = Wx + (b − Wμ).</summary>
    private static void Keep(TrainingNetwork network, float[]? means, TrainedNetwork copy)
    {
        network.Weights.Span.CopyTo(copy.Parameters);
        if (means != null)
        {
            DenseLayer first = ((DenseLayout)copy.Layout).Layers[0];
            ReadOnlySpan<float> weights = first.Weight.In((ReadOnlySpan<float>)copy.Parameters);
            Span<float> bias = first.Bias.In(copy.Parameters.AsSpan());
            for (int unit = 0; unit < bias.Length; unit++)
                bias[unit] -= TensorPrimitives.Dot(weights.Slice(unit * first.Inputs, first.Inputs), means);
        }
        network.Statistics.Span.CopyTo(copy.Statistics);
        network.Feedback.Buffer.Span.CopyTo(copy.Feedback);
    }
}
