namespace FaMLNet;

/// <summary>The distribution from which weights are drawn. Biases start at 0, but for <see cref="PyTorchDefault"/>.</summary>
public enum WeightInitialization
{
    /// <summary>Uniform with standard deviation √(2/(fan-in + fan-out)) (Glorot and Bengio 2010).</summary>
    XavierUniform,

    /// <summary>Normal with standard deviation √(2/(fan-in + fan-out)) (Glorot and Bengio 2010).</summary>
    XavierNormal,

    /// <summary>Uniform with standard deviation √(2/fan-in) (He et al. 2015).</summary>
    KaimingUniform,

    /// <summary>Normal with standard deviation √(2/fan-in) (He et al. 2015).</summary>
    KaimingNormal,

    /// <summary>
    /// Uniform in ±1/√fan-in, biases of the first weights alike: what PyTorch's layers draw unless told otherwise, written there as He's
    /// initialisation for a leaky ReLU of slope √5.
    /// </summary>
    PyTorchDefault,
}
