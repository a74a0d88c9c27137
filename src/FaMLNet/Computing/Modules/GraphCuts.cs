using FaMLNet.Interop;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>Where a direct rule has cut a graph: the inputs of layers at which backward starts with the projected error of the output.</summary>
internal sealed class GraphCuts
{
    private readonly List<(int Layer, Tensor Input)> _cuts = [];

    /// <summary>
    /// Hands on a copy that ends the graph and remembers where it began. A copy and not a view, so that an operation in place on the input
    /// further up does not come between; out of the scope in which a module may run its forward pass.
    /// </summary>
    public Tensor Cut(int layer, Tensor input)
    {
        if (!input.requires_grad)
            return input;
        Tensor root = input.clone().DetachFromDisposeScope();
        _cuts.Add((layer, root));
        return root.detach();
    }

    /// <summary>Adds the cuts to what backward starts from, and e·B of each layer to its gradients.</summary>
    /// <param name="error">The output's error, rows × classes.</param>
    /// <param name="feedbackOf">A layer's feedback weights, outputs of the network × inputs of the layer.</param>
    /// <param name="roots">Takes the cuts.</param>
    /// <param name="gradients">Takes a gradient a cut.</param>
    /// <param name="limit">Where the projected errors are clipped; null for nowhere.</param>
    public void Project(Tensor error, Func<int, Tensor> feedbackOf, List<Tensor> roots, List<Tensor> gradients, float? limit = null)
    {
        foreach ((int layer, Tensor input) in _cuts)
        {
            roots.Add(input);
            Tensor projected = error.mm(feedbackOf(layer)).reshape(input.shape);
            if (limit is { } most)
                GradientClipping.Clamp(projected, most);
            gradients.Add(projected);
        }
    }

    /// <summary>
    /// Adds the cuts to what backward starts from, and to its gradients what was given there in another pass less what is given now.
    /// </summary>
    /// <param name="before">What the layers were given in the other pass, in the order of the cuts.</param>
    /// <param name="factor">On the differences.</param>
    /// <param name="roots">Takes the cuts.</param>
    /// <param name="gradients">Takes a gradient a cut.</param>
    /// <param name="limit">Where the differences are clipped; null for nowhere.</param>
    public void Subtract(IReadOnlyList<Tensor> before, float factor, List<Tensor> roots, List<Tensor> gradients, float? limit)
    {
        // A cut is made where something below learns: the first inputs may have none.
        int skipped = before.Count - _cuts.Count;
        for (int i = 0; i < _cuts.Count; i++)
        {
            roots.Add(_cuts[i].Input);
            Tensor difference = before[skipped + i].sub(_cuts[i].Input.detach()).Scale(factor);
            if (limit is { } most)
                GradientClipping.Clamp(difference, most);
            gradients.Add(difference);
        }
    }

    /// <summary>Forgets and frees the cuts.</summary>
    public void Clear()
    {
        foreach ((_, Tensor input) in _cuts)
            input.Dispose();
        _cuts.Clear();
    }
}
