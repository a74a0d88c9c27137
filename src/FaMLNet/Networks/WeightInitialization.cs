namespace FaMLNet;

/// <summary>The distribution from which the initial weights are drawn. Biases start at 0.</summary>
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
}
