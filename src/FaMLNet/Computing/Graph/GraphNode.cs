using FaMLNet.Computing.Backward;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>How an error passes the layers with weights on its way down.</summary>
/// <param name="Feedback">The rule's feedback weights; null for backpropagation.</param>
/// <param name="Signal">What direct rules project, rows × outputs: ∂L/∂logits, or the targets.</param>
/// <param name="ErrorLimit">Where errors are clipped as they leave a layer with weights; null for nowhere.</param>
/// <param name="Differences">What stands for the error at the input of each layer with weights, where the input is modulated; else null.</param>
internal readonly record struct BackwardPath(FeedbackWeights? Feedback, Tensor Signal, float? ErrorLimit = null,
    IReadOnlyList<Tensor?>? Differences = null);

/// <summary>What a forward pass is for.</summary>
internal enum Pass
{
    /// <summary>The output alone, by running statistics and without dropout: nothing is kept, and threads may share the nodes.</summary>
    Prediction,

    /// <summary>Batch statistics and dropout; a backward pass follows that leaves the gradients of the parameters.</summary>
    Training,

    /// <summary>As prediction sees the network; a backward pass follows that returns the gradient of the input.</summary>
    InputGradient,
}

/// <summary>
/// A layer at work. A forward pass that a backward pass follows keeps what the backward pass needs, and the backward pass frees it: a network
/// holds no more
/// than it must at any moment. Tensors passed in stay the caller's; tensors returned become the caller's.
/// </summary>
internal abstract class GraphNode
{
    /// <summary>The layer's output.</summary>
    /// <param name="x">Rows × the input's shape.</param>
    /// <param name="pass">What for.</param>
    public abstract Tensor Forward(Tensor x, Pass pass);

    /// <summary>Adds the gradients of the layer's parameters, if they are wanted, and returns that of its input.</summary>
    /// <param name="gradient">∂L/∂output.</param>
    /// <param name="path">How to pass weights.</param>
    /// <returns>∂L/∂input by the rule; null if nothing below wants it.</returns>
    public abstract Tensor? Backward(Tensor gradient, in BackwardPath path);

    /// <summary>Runs nodes one after the other.</summary>
    public static Tensor Forward(IReadOnlyList<GraphNode> nodes, Tensor x, Pass pass)
    {
        Tensor current = x.alias();
        foreach (GraphNode node in nodes)
        {
            Tensor next = node.Forward(current, pass);
            current.Dispose();
            current = next;
        }
        return current;
    }

    /// <summary>Runs nodes backwards.</summary>
    public static Tensor? Backward(IReadOnlyList<GraphNode> nodes, Tensor gradient, in BackwardPath path)
    {
        Tensor? current = gradient.alias();
        for (int i = nodes.Count - 1; i >= 0 && current is not null; i--)
        {
            Tensor? next = nodes[i].Backward(current, path);
            current.Dispose();
            current = next;
        }
        return current;
    }
}
