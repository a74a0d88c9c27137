namespace FaMLNet;

/// <summary>Normalisation between each hidden layer's weights and its activation, with a learnt scale and shift per unit.</summary>
public enum Normalization
{
    /// <summary>No normalisation.</summary>
    None,

    /// <summary>
    /// Over the rows of a mini-batch, per unit (Ioffe and Szegedy 2015). Prediction uses running averages (momentum 0.1); ε = 1e-5. A last
    /// mini-batch of a single row is left out of the epoch.
    /// </summary>
    Batch,

    /// <summary>Over the units of a layer, per row (Ba, Kiros and Hinton 2016); ε = 1e-5.</summary>
    Layer,
}
