using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>
/// Whether a rule reaches every layer with weights of a module of the user's own. A layer that the module invokes by <c>forward(x)</c> passes
/// TorchSharp's hooks by, and would silently backpropagate; a direct rule needs to know which part of a layer's input belongs to which row.
/// </summary>
internal static class RuleReach
{
    private const int Rows = 3;

    /// <summary>Tries the module on a few rows.</summary>
    /// <param name="layout">The module's layout.</param>
    /// <param name="module">The module.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="checkCancelled">Called before each layer with weights; throws to stop. Null for nothing.</param>
    /// <exception cref="InvalidOperationException">The rule cannot reach a layer, or not as it should; the message names the layer and the
    /// cure.</exception>
    public static void Check(CustomLayout layout, nn.Module<Tensor, Tensor> module, FeedbackRule rule, Action? checkCancelled = null)
    {
        if (rule.Route == ErrorRoute.Backpropagation)
            return;
        bool training = module.training;
        module.eval();
        using DisposeScope scope = NewDisposeScope();
        try
        {
            bool direct = rule.Route.StartsAtOutput;
            Dictionary<string, List<Visit>> visits = Run(layout, module, first: 0, keepInputs: direct, scope, checkCancelled,
                out Tensor output);
            CheckEscapes(layout, module, rule, output, visits);
            if (direct)
                CheckRows(layout, rule, visits, Run(layout, module, first: 1, keepInputs: true, scope, checkCancelled, out _));
        }
        finally
        {
            module.train(training);
        }
    }

    private static void CheckEscapes(CustomLayout layout, nn.Module<Tensor, Tensor> module, FeedbackRule rule,
        Tensor output, Dictionary<string, List<Visit>> visits)
    {
        (string Name, Tensor Weight)[] passedBy = [.. CustomLayout.WeightedModules(module).Where(pair => !visits.ContainsKey(pair.Key))
            .Select(pair => (pair.Key, module.named_parameters().Single(parameter => parameter.name == $"{pair.Key}.weight").parameter))
            .Where(pair => pair.Item2.requires_grad)];
        if (passedBy.Length == 0 || !output.requires_grad)
            return;
        IList<Tensor> gradients = autograd.grad([output], [.. passedBy.Select(pair => pair.Weight)], [ones_like(output)], allow_unused: true);
        string[] escaped = [.. passedBy.Zip(gradients).Where(pair => pair.Second is { IsInvalid: false }).Select(pair => pair.First.Name)];
        if (escaped.Length > 0)
        {
            string layers = (escaped.Length == 1 ? "layer " : "layers ") + string.Join(", ", escaped.Select(name => $"'{name}'"));
            throw new InvalidOperationException($"Option Network: {layers} of {layout.Network} would silently backpropagate: "
                + $"the module uses the weights without invoking call(x) on the layer, and {rule} acts there. In the module's forward, write "
                + $"layer.call(x) instead of layer.forward(x) (or of a function on layer.weight), "
                + "or train by FeedbackRule.Backpropagation.");
        }
    }

    /// <summary>
    /// A direct rule gives row i of a layer's input the projected error of row i: the input must be rows × the rest in memory order.
    /// </summary>
    private static void CheckRows(CustomLayout layout, FeedbackRule rule,
        Dictionary<string, List<Visit>> visits, Dictionary<string, List<Visit>> changed)
    {
        foreach (WeightedLayer layer in layout.WeightedLayers.Skip(layout.FirstWithFeedback))
        {
            foreach ((Visit before, Visit after) in visits[layer.Name].Zip(changed.GetValueOrDefault(layer.Name, [])))
            {
                string? lack = before.Length != layer.InputLength ? $"is met with {before.Length} inputs a row and with {layer.InputLength}"
                    : before.Input is null ? $"gets an input of {string.Join(" × ", before.Shape)} for {Rows} rows"
                    : !SameButFirst(before.Input, after.Input!)
                    ? $"gets an input of {string.Join(" × ", before.Shape)} for {Rows} rows, in which the rows do not come first" : null;
                if (lack != null)
                {
                    throw new InvalidOperationException(
                        $"Option Network: layer '{layer.Name}' of {layout.Network} {lack}: {rule} projects the output's error to rows × inputs. "
                            + $"Keep the batch in the first dimension of what the layer is given "
                        + "(batch_first for sequences), give each use of one size a layer of its own, or train by a layer-wise rule.");
                }
            }
        }
    }

    private static bool SameButFirst(Tensor a, Tensor b)
    {
        using Tensor one = a.slice(0, 1, Rows, 1), other = b.slice(0, 1, Rows, 1);
        return one.contiguous().bytes.SequenceEqual(other.contiguous().bytes);
    }

    /// <summary>Runs rows of zeros, the first of another value. Zeros and ones are also legal indices of an embedding.</summary>
    private static Dictionary<string, List<Visit>> Run(CustomLayout layout, nn.Module<Tensor, Tensor> module, float first, bool keepInputs,
        DisposeScope scope, Action? checkCancelled, out Tensor output)
    {
        Dictionary<string, List<Visit>> visits = [];
        List<Action> hooks = [];
        foreach ((string name, nn.Module<Tensor, Tensor> layer) in CustomLayout.WeightedModules(module))
        {
            hooks.Add(layer.register_forward_pre_hook((_, input) =>
            {
                checkCancelled?.Invoke();
                if (!visits.TryGetValue(name, out List<Visit>? list))
                    visits[name] = list = [];
                Tensor? rows = null;
                if (keepInputs && input.numel() % Rows == 0)
                {
                    // A module may run its layers in a scope of its own, which the copy outlives. Not by MoveToOther: to the scope in which a
                    // tensor is already, it leaves the tensor with a scope that does not know of it, and its finaliser throws.
                    rows = input.detach().clone().reshape(Rows, -1).DetachFromDisposeScope();
                    scope.Attach(rows);
                }
                list.Add(new Visit(input.shape, (int)(input.numel() / Rows), rows));
                return input;
            }).remove);
        }
        try
        {
            float[] values = new float[Rows * layout.Inputs];
            values.AsSpan(0, layout.Inputs).Fill(first);
            output = module.call(tensor(values, [Rows, .. layout.Shape.Input.Select(size => (long)size)]));
            return visits;
        }
        finally
        {
            hooks.ForEach(remove => remove());
        }
    }

    /// <param name="Shape">Of the input.</param>
    /// <param name="Length">Of the input a row.</param>
    /// <param name="Input">The input as rows × the rest; null if it does not divide, or was not asked for.</param>
    private sealed record Visit(long[] Shape, int Length, Tensor? Input);
}
