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
    [SetsRequiredMembers]
    public DenseLayout(MlpDefinition network, int inputs, int outputs)
    {
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
            layers[i] = new DenseLayer(name, below, units, AddParameter($"{name}.weight", units, below), AddParameter($"{name}.bias", units));
            WeightedLayers.Add(new WeightedLayer(name, layers[i].Weight, below, units, below));
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
    }

    public MlpDefinition Network { get; }

    public override NetworkDefinition Definition => Network;

    public override WeightInitialization Initialization => Network.Initialization;

    public IReadOnlyList<DenseLayer> Layers { get; }

    public override long WorkPerRow => Layers.Sum(layer => 3L * layer.Inputs * layer.Outputs);

    public override bool IsNormalized => Network.Normalization != Normalization.None;

    public override bool NeedsTwoRows => Network.Normalization == Normalization.Batch;
}
