using System.Numerics.Tensors;
using FaMLNet.Computing.Kernels;

namespace FaMLNet.Scoring;

/// <summary>
/// Scores rows by a dense network in managed SIMD code: no native library is loaded. Thread-safe; scratch memory belongs to the caller.
/// </summary>
internal sealed class DenseScorer : NetworkScorer
{
    private const int LeastSparseInputs = 256;

    private readonly DenseLayout _layout;
    private readonly float[] _parameters;
    private readonly int _scratchLength;

    private readonly FoldedNormalization _folded;
    private readonly Lazy<float[]> _firstByFeature;

    public DenseScorer(DenseLayout layout, float[] parameters, float[] statistics)
    {
        _layout = layout;
        _parameters = parameters;
        _folded = new FoldedNormalization(layout, parameters, statistics);
        _firstByFeature = new Lazy<float[]>(Pack);
        _scratchLength = Math.Max(layout.FeatureStride, layout.Layers.Max(layer => NetworkLayout.Padded(layer.Outputs)));
    }

    public override bool GainsFromBatches => false;

    public override IScoringSession Open() => new Session(this);

    public override IDisposable? Lease() => null;

    public override void Dispose() { }

    /// <summary>Logits of one row.</summary>
    /// <param name="features">As many as the network has inputs.</param>
    /// <param name="logits">Receives one per class.</param>
    /// <param name="first">Scratch memory as wide as the widest layer, padded.</param>
    /// <param name="second">Another.</param>
    private void ComputeLogits(ReadOnlySpan<float> features, Span<float> logits, Span<float> first, Span<float> second)
    {
        Multiply(_layout.Layers[0], features, _layout.Layers.Count == 1 ? logits : first);
        Finish(logits, first, second);
        if (_layout.Skip is not { } skip)
            return;
        ReadOnlySpan<float> weights = skip.In(_parameters);
        for (int output = 0; output < _layout.Outputs; output++)
            logits[output] += TensorPrimitives.Dot(weights.Slice(output * _layout.Inputs, _layout.Inputs), features);
    }

    /// <summary>The same of the values that are not 0, by the weights of their features.</summary>
    private unsafe void ComputeLogits(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, Span<float> logits, Span<float> first,
        Span<float> second, Span<float> straight)
    {
        DenseLayer layer = _layout.Layers[0];
        fixed (float* weights = _firstByFeature.Value, value = values, products = first)
        fixed (int* features = indices)
            SparseProduct.Run(weights, _layout.FeatureStride, features, value, indices.Length, products);
        first.Slice(layer.Outputs, straight.Length).CopyTo(straight);
        if (_layout.Layers.Count == 1)
            first[..layer.Outputs].CopyTo(logits);
        Finish(logits, first, second);
        TensorPrimitives.Add(logits[..straight.Length], straight, logits);
    }

    private float[] Pack()
    {
        float[] packed = new float[(long)_layout.Inputs * _layout.FeatureStride];
        _layout.PackFeatures(_parameters, packed);
        return packed;
    }

    /// <summary>From the first layer's products, in <paramref name="first"/> or, of the only layer, in <paramref name="logits"/>, upwards.</summary>
    private void Finish(Span<float> logits, Span<float> first, Span<float> second)
    {
        ReadOnlySpan<float> below = default;
        int top = _layout.Layers.Count - 1;
        for (int i = 0; i <= top; i++)
        {
            DenseLayer layer = _layout.Layers[i];
            Span<float> above = i == top ? logits : first;
            if (i > 0)
                Multiply(layer, below, above);
            if (i < top)
            {
                Normalize(i, layer, above[..layer.Outputs]);
                Activate(above, layer.Outputs);
            }
            below = above[..layer.Outputs];
            Span<float> swap = first;
            first = second;
            second = swap;
        }
        Add(layer: _layout.Layers[top], logits);
    }

    private void Multiply(DenseLayer layer, ReadOnlySpan<float> below, Span<float> above)
    {
        ReadOnlySpan<float> weights = layer.Weight.In(_parameters);
        for (int unit = 0; unit < layer.Outputs; unit++)
            above[unit] = TensorPrimitives.Dot(weights.Slice(unit * layer.Inputs, layer.Inputs), below);
    }

    private void Add(DenseLayer layer, Span<float> values) => TensorPrimitives.Add(values, layer.Bias.In((ReadOnlySpan<float>)_parameters), values);

    private void Normalize(int index, DenseLayer layer, Span<float> values)
    {
        if (_layout.Network.Normalization == Normalization.Layer)
            _folded.NormalizeLayer(layer, values, standardized: []);
        else
            _folded.Normalize(index, layer, values);
    }

    /// <summary>The training's own kernel on a padded row; what it writes past the units is not read.</summary>
    private unsafe void Activate(Span<float> values, int units)
    {
        int width = NetworkLayout.Padded(units);
        values[units..width].Clear();
        fixed (float* start = values)
            DenseKernels.Activate(_layout.Network.Activation, start, null, null, 1, width);
    }

    private sealed class Session(DenseScorer scorer) : IScoringSession
    {
        private readonly float[] _first = new float[scorer._scratchLength], _second = new float[scorer._scratchLength];
        private readonly float[] _straight = new float[scorer._layout.SkipUnits];

        public bool TryComputeSparse(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, Span<float> logits)
        {
            // Few features are not worth another copy of their weights.
            if (scorer._layout.Inputs < LeastSparseInputs || (long)indices.Length * 4 > scorer._layout.Inputs)
                return false;
            scorer.ComputeLogits(indices, values, logits, _first, _second, _straight);
            return true;
        }

        public void ComputeLogits(ReadOnlySpan<float> features, int count, Span<float> logits)
        {
            int inputs = scorer._layout.Inputs, outputs = scorer._layout.Outputs;
            for (int row = 0; row < count; row++)
                scorer.ComputeLogits(features.Slice(row * inputs, inputs), logits.Slice(row * outputs, outputs), _first, _second);
        }
    }
}
