using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Backward;

/// <summary>What a rule wants to see of the step at hand, on the host.</summary>
internal sealed class StepTrace
{
    private readonly float[]?[] _activations;
    private float[] _errors = [];

    /// <param name="signals">What it wants.</param>
    /// <param name="layout">The network.</param>
    public StepTrace(StepSignals signals, NetworkLayout layout)
    {
        if (signals.HasFlag(StepSignals.Update))
            Update = GC.AllocateArray<float>(layout.ParameterLength, pinned: true);
        WantsActivations = signals.HasFlag(StepSignals.Activations);
        _activations = new float[layout.WeightedLayers.Count][];
        FirstLayer = layout.FirstWithFeedback;
    }

    /// <summary>What the step added to the parameters; null unless wanted.</summary>
    public float[]? Update { get; }

    public bool WantsActivations { get; }

    /// <summary>The first layer whose activations are wanted.</summary>
    public int FirstLayer { get; }

    public float LearningRate { get; set; }

    /// <summary>The share that the step's decay took.</summary>
    public float Decay { get; set; }

    public int Rows { get; private set; }

    /// <summary>Of the step, row by row; empty unless wanted.</summary>
    public ReadOnlySpan<float> OutputErrors => _errors;

    /// <summary>A layer's, row by row; empty unless wanted.</summary>
    public ReadOnlySpan<float> Activations(int layer) => _activations[layer];

    /// <summary>What the step added to a parameter; empty unless wanted.</summary>
    public ReadOnlySpan<float> UpdateOf(ParameterSlice slice) => Update == null ? [] : slice.In((ReadOnlySpan<float>)Update);

    /// <summary>A new step.</summary>
    /// <param name="rows">Of its mini-batch.</param>
    /// <param name="outputs">Of the network.</param>
    /// <returns>Where its errors go, row by row.</returns>
    public Span<float> Begin(int rows, int outputs)
    {
        Rows = rows;
        if (_errors.Length != rows * outputs)
            _errors = new float[rows * outputs];
        foreach (float[]? values in _activations)
            values?.AsSpan().Clear();
        return _errors;
    }

    /// <summary>Where a layer's activations go, row by row; they are added up if a layer is used more than once.</summary>
    public Span<float> ActivationsOf(int layer, int length)
    {
        if (_activations[layer]?.Length != length)
            _activations[layer] = new float[length];
        return _activations[layer];
    }

    /// <summary>Takes errors and activations, of which the last index runs fastest.</summary>
    /// <param name="errors">Rows × outputs.</param>
    /// <param name="inputs">What each layer was given; null for layers that no one asks for.</param>
    public void Take(Tensor errors, IReadOnlyList<Tensor?> inputs)
    {
        Copy(errors, Begin((int)errors.shape[0], (int)errors.shape[1]));
        for (int i = FirstLayer; i < inputs.Count; i++)
        {
            if (inputs[i] is { } input)
                Copy(input, ActivationsOf(i, checked((int)input.numel())));
        }
    }

    private static void Copy(Tensor source, Span<float> destination)
    {
        using DisposeScope scope = NewDisposeScope();
        TensorMemory.Read(source.detach().cpu().contiguous()).CopyTo(destination);
    }
}
