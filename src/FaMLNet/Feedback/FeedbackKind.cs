namespace FaMLNet;

/// <summary>What feedback weights connect.</summary>
internal enum FeedbackKind
{
    /// <summary>Nothing: there are none.</summary>
    None,

    /// <summary>A layer's outputs with its inputs.</summary>
    Layerwise,

    /// <summary>The outputs of the network with the inputs of a layer.</summary>
    Direct,

    /// <summary>The outputs of the network with its inputs.</summary>
    Modulation,
}
