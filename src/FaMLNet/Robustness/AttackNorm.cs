namespace FaMLNet;

/// <summary>How the size of a perturbation is measured.</summary>
public enum AttackNorm
{
    /// <summary>L∞: the largest change of any feature.</summary>
    LInfinity,

    /// <summary>L2: the Euclidean length of the change.</summary>
    L2,

    /// <summary>L0: how many features change; of an image, how many pixels, whatever their channels.</summary>
    L0,
}
