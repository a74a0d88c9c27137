namespace FaMLNet.Persistence;

/// <summary>What a saved network is for.</summary>
internal enum ModelTask
{
    /// <summary>A score per class.</summary>
    Multiclass,

    /// <summary>One logit.</summary>
    Binary,

    /// <summary>One number.</summary>
    Regression,

    /// <summary>Several numbers.</summary>
    VectorRegression,

    /// <summary>Several logits, one per label.</summary>
    MultiLabel,
}
