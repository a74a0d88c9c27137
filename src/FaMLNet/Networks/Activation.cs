namespace FaMLNet;

/// <summary>The function between the layers, applied to each unit.</summary>
public enum Activation
{
    /// <summary>max(0, x).</summary>
    ReLU,

    /// <summary>tanh x.</summary>
    Tanh,

    /// <summary>1/(1 + e^−x).</summary>
    Sigmoid,

    /// <summary>x where positive, else 0.01·x.</summary>
    LeakyReLU,

    /// <summary>x where positive, else e^x − 1 (Clevert et al. 2016, α = 1).</summary>
    ELU,

    /// <summary>x·Φ(x) with the normal distribution function Φ, not its tanh approximation (Hendrycks and Gimpel 2016).</summary>
    GELU,

    /// <summary>x: a linear network.</summary>
    Identity,
}
