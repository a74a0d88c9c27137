using System.Numerics.Tensors;
using TorchSharp;

namespace FaMLNet.Diagnostics;

/// <summary>Which units of activations that can die have been other than 0 in the last mini-batches watched.</summary>
/// <param name="batches">How many mini-batches count.</param>
internal sealed class UnitActivity(int batches)
{
    private readonly Queue<Dictionary<string, bool[]>> _batches = [];
    private Dictionary<string, bool[]> _current = [];

    /// <summary>A further mini-batch, behind the last one or after a gap.</summary>
    public void Begin(bool afterGap)
    {
        if (afterGap)
            _batches.Clear();
        _batches.Enqueue(_current = []);
        if (_batches.Count > batches)
            _batches.Dequeue();
    }

    /// <summary>Rows × units, or rows × channels × positions.</summary>
    public void Observe(string layer, torch.Tensor output)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable grad = torch.no_grad();
        long[] others = [.. Enumerable.Range(0, output.shape.Length).Where(dimension => dimension != 1).Select(dimension => (long)dimension)];
        float[] largest = output.detach().amax(others).cpu().data<float>().ToArray();
        Span<bool> alive = UnitsOf(layer, largest.Length);
        for (int unit = 0; unit < alive.Length; unit++)
            alive[unit] |= largest[unit] > 0;
    }

    /// <summary>Units × width, of which the first columns hold rows.</summary>
    public void Observe(string layer, ReadOnlySpan<float> output, int width, int rows)
    {
        Span<bool> alive = UnitsOf(layer, output.Length / width);
        for (int unit = 0; unit < alive.Length; unit++)
            alive[unit] |= TensorPrimitives.Max(output.Slice(unit * width, rows)) > 0;
    }

    /// <summary>The share of units that were 0 throughout, by layer.</summary>
    public Dictionary<string, double> DeadShares()
    {
        Dictionary<string, bool[]> alive = [];
        foreach (Dictionary<string, bool[]> batch in _batches)
        {
            foreach ((string layer, bool[] units) in batch)
                alive[layer] = alive.TryGetValue(layer, out bool[]? known) ? [.. known.Zip(units, (a, b) => a || b)] : units;
        }
        return alive.ToDictionary(pair => pair.Key, pair => (double)pair.Value.Count(unit => !unit) / pair.Value.Length);
    }

    /// <summary>
    /// Where an activation is used again, a unit lives if it does anywhere; with another number of units it goes by a name of its own.
    /// </summary>
    private bool[] UnitsOf(string layer, int units)
    {
        string name = layer;
        for (int number = 2; _current.TryGetValue(name, out bool[]? alive); number++)
        {
            if (alive.Length == units)
                return alive;
            name = $"{layer}.{number}";
        }
        return _current[name] = new bool[units];
    }
}
