using static TorchSharp.torch;

namespace FaMLNet.Training.Graph;

/// <summary>How an error passes the layers with weights on its way down.</summary>
/// <param name="Feedback">The rule's feedback weights; null for backpropagation.</param>
/// <param name="OutputError">∂L/∂logits, rows × classes: what direct rules project.</param>
internal readonly record struct BackwardPath(FeedbackWeights? Feedback, Tensor OutputError);

/// <summary>
/// A layer at work. A forward pass in training keeps what the backward pass needs, and the backward pass frees it: a network holds no more
/// than it must at any moment. Tensors passed in stay the caller's; tensors returned become the caller's.
/// </summary>
internal abstract class GraphNode
{
    /// <summary>The layer's output.</summary>
    /// <param name="x">Rows × the input's shape.</param>
    /// <param name="training">False for prediction: nothing is kept, and threads may share the node.</param>
    public abstract Tensor Forward(Tensor x, bool training);

    /// <summary>Adds the gradients of the layer's parameters, and returns that of its input.</summary>
    /// <param name="gradient">∂L/∂output.</param>
    /// <param name="path">How to pass weights.</param>
    /// <returns>∂L/∂input by the rule; null if nothing below wants it.</returns>
    public abstract Tensor? Backward(Tensor gradient, in BackwardPath path);

    /// <summary>Runs nodes one after the other.</summary>
    public static Tensor Forward(IReadOnlyList<GraphNode> nodes, Tensor x, bool training)
    {
        Tensor current = x.alias();
        foreach (GraphNode node in nodes)
        {
            Tensor next = node.Forward(current, training);
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
