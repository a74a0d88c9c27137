namespace FaMLNet.Diagnostics;

/// <summary>
/// What measurements see of a training: its layers with weights, from the input upwards, as they stand after the last gradient was
/// computed.
/// </summary>
internal interface IMeasuredTraining
{
    /// <summary>The names of the layers.</summary>
    public IReadOnlyList<string> LayerNames { get; }

    /// <summary>What the feedback weights connect; nothing where the error passes the forward weights themselves.</summary>
    public ErrorRoute Route { get; }

    /// <summary>Outputs and inputs of a layer that is a matrix; null for a convolution.</summary>
    public (int Outputs, int Inputs)? MatrixOf(int layer);

    /// <summary>A layer's forward weights.</summary>
    public ReadOnlySpan<float> WeightsOf(int layer);

    /// <summary>A layer's feedback weights; empty where it has none.</summary>
    public ReadOnlySpan<float> FeedbackOf(int layer);

    /// <summary>The rule's gradient of a layer's weights on the last mini-batch.</summary>
    public ReadOnlySpan<float> GradientOf(int layer);

    /// <summary>The rule's gradient of all parameters on the last mini-batch.</summary>
    public ReadOnlySpan<float> WholeGradient { get; }

    /// <summary>Computes what backpropagation's gradient on the same mini-batch would be.</summary>
    public void ComputeBackpropagationGradient();

    /// <summary>That gradient, once it is computed.</summary>
    public ReadOnlySpan<float> BackpropagationGradientOf(int layer);

    /// <summary>That gradient of all parameters, once it is computed.</summary>
    public ReadOnlySpan<float> WholeBackpropagationGradient { get; }
}
