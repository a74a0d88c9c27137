using System.Diagnostics.CodeAnalysis;

namespace FaMLNet;

/// <summary>One dense layer of a network: its sizes and where its parameters lie.</summary>
internal sealed record DenseLayer(string Name, int Inputs, int Outputs, ParameterSlice Weight, ParameterSlice Bias)
{
    /// <summary>Scale of the normalisation after the weights; null without one.</summary>
    public ParameterSlice? NormScale { get; init; }

    /// <summary>Shift of the normalisation after the weights; null without one.</summary>
    public ParameterSlice? NormShift { get; init; }

    /// <summary>Running mean of batch normalisation, in the buffer of statistics.</summary>
    public ParameterSlice? RunningMean { get; init; }

    /// <summary>Running variance of batch normalisation, in the buffer of statistics.</summary>
    public ParameterSlice? RunningVariance { get; init; }
}

/// <summary>The layout of a chain of dense layers.</summary>
internal sealed class DenseLayout : NetworkLayout
{
    private readonly int _inputsThatCount;

    /// <param name="network">The layers.</param>
    /// <param name="inputs">Features per row.</param>
    /// <param name="outputs">Outputs of the network.</param>
    /// <param name="valuesPerRow">
    /// Of sparse rows, how many values are not 0: the first layer's weights then lie feature by feature (<see cref="IsFeatureMajor"/>), and as
    /// many inputs count for their size. Null for dense rows, and for networks that are not in training.
    /// </param>
    [SetsRequiredMembers]
    public DenseLayout(MlpDefinition network, int inputs, int outputs, double? valuesPerRow = null)
    {
        IsFeatureMajor = valuesPerRow != null;
        _inputsThatCount = valuesPerRow is { } values ? Math.Max(1, (int)Math.Round(values)) : inputs;
        SkipUnits = network.LinearSkip ? outputs : 0;
        Network = network;
        Inputs = inputs;
        Outputs = outputs;
        int count = network.HiddenUnits.Count + 1;
        DenseLayer[] layers = new DenseLayer[count];
        for (int i = 0; i < count; i++)
        {
            int below = i == 0 ? inputs : network.HiddenUnits[i - 1];
            int units = i == count - 1 ? outputs : network.HiddenUnits[i];
            string name = $"dense{i + 1}", norm = $"norm{i + 1}";
            layers[i] = new DenseLayer(name, below, units, i == 0 && IsFeatureMajor ? AddParameter($"{name}.weight", below, Padded(units + SkipUnits))
                : AddParameter($"{name}.weight", units, below), AddParameter($"{name}.bias", units));
            WeightedLayers.Add(new WeightedLayer(name, layers[i].Weight, i == 0 ? _inputsThatCount : below, units, below));
            if (i == count - 1 || network.Normalization == Normalization.None)
                continue;
            layers[i] = layers[i] with { NormScale = AddParameter($"{norm}.weight", units), NormShift = AddParameter($"{norm}.bias", units) };
            Scales.Add(layers[i].NormScale!);
            if (network.Normalization == Normalization.Batch)
            {
                layers[i] = layers[i] with
                {
                    RunningMean = AddStatistic($"{norm}.running_mean", units),
                    RunningVariance = AddStatistic($"{norm}.running_var", units)
                };
                Variances.Add(layers[i].RunningVariance!);
            }
        }
        Layers = layers;
        if (network.LinearSkip && !IsFeatureMajor)
            Skip = AddParameter("skip.weight", outputs, inputs);
    }

    public MlpDefinition Network { get; }

    /// <summary>
    /// Whether the first layer's weights are inputs × units made up to a multiple of <see cref="NetworkLayout.Alignment"/>, the gaps 0, instead
    /// of units × inputs: what a feature that occurs reaches lies together. Behind the units of the layer come those of <see cref="Skip"/>.
    /// </summary>
    public bool IsFeatureMajor { get; }

    /// <summary>Outputs that the input reaches straight: all or none.</summary>
    public int SkipUnits { get; }

    /// <summary>In a feature-major layout it lies among the first layer's weights, and this is null.</summary>
    public override ParameterSlice? Skip { get; }

    /// <summary>Elements from one feature's weights to the next one's, in a feature-major layout.</summary>
    public int FeatureStride => FeatureMajor.StrideOf(Layers[0].Outputs + SkipUnits);

    public override NetworkDefinition Definition => Network;

    public override WeightInitialization Initialization => Network.Initialization;

    public IReadOnlyList<DenseLayer> Layers { get; }

    public override long WorkPerRow =>
        Layers.Sum(layer => 3L * (layer == Layers[0] ? _inputsThatCount : layer.Inputs) * layer.Outputs) + 2L * _inputsThatCount * SkipUnits;

    public override bool IsNormalized => Network.Normalization != Normalization.None;

    public override bool NeedsTwoRows => Network.Normalization == Normalization.Batch;

    public override (int Outputs, int Inputs)? MatrixOf(int layer) => (Layers[layer].Outputs, Layers[layer].Inputs);

    public override ReadOnlySpan<float> LayerOf(int layer, ReadOnlySpan<float> buffer)
    {
        if (layer > 0 || !IsFeatureMajor)
            return base.LayerOf(layer, buffer);
        float[] weights = new float[Inputs * Layers[0].Outputs];
        FeatureMajor.Unpack(Parameters[0].In(buffer), weights, Inputs, Layers[0].Outputs, FeatureStride);
        return weights;
    }

    /// <summary>The same network as models keep it, every layer units × inputs.</summary>
    public DenseLayout ToModel() => IsFeatureMajor ? new DenseLayout(Network, Inputs, Outputs) : this;

    /// <summary>Brings parameters from this layout, a feature-major one, into <see cref="ToModel"/>'s.</summary>
    public float[] Unpack(ReadOnlySpan<float> parameters)
    {
        DenseLayout model = ToModel();
        float[] result = new float[model.ParameterLength];
        foreach ((ParameterSlice from, ParameterSlice to) in Parameters.Zip(model.Parameters).Skip(1))
            from.In(parameters).CopyTo(to.In(result.AsSpan()));
        ReadOnlySpan<float> packed = Parameters[0].In(parameters);
        FeatureMajor.Unpack(packed, model.Parameters[0].In(result.AsSpan()), Inputs, Layers[0].Outputs, FeatureStride);
        if (model.Skip is { } skip)
            FeatureMajor.Unpack(packed[Layers[0].Outputs..], skip.In(result.AsSpan()), Inputs, Outputs, FeatureStride);
        return result;
    }

    /// <summary>Brings parameters from <see cref="ToModel"/>'s layout into this, a feature-major one.</summary>
    public void Pack(ReadOnlySpan<float> parameters, Span<float> result)
    {
        DenseLayout model = ToModel();
        foreach ((ParameterSlice to, ParameterSlice from) in Parameters.Zip(model.Parameters).Skip(1))
            from.In(parameters).CopyTo(to.In(result));
        Span<float> packed = Parameters[0].In(result);
        packed.Clear();
        model.PackFeatures(parameters, packed);
    }

    /// <summary>
    /// Of a model's layout: the weights that see the input, feature by feature, <see cref="FeatureStride"/> apart; gaps are left alone.
    /// </summary>
    public void PackFeatures(ReadOnlySpan<float> parameters, Span<float> packed)
    {
        FeatureMajor.Pack(Layers[0].Weight.In(parameters), packed, Inputs, Layers[0].Outputs, FeatureStride);
        if (Skip is { } skip)
            FeatureMajor.Pack(skip.In(parameters), packed[Layers[0].Outputs..], Inputs, Outputs, FeatureStride);
    }
}
