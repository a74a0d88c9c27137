using FaMLNet.Diagnostics;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>The forward pass of a network of any kind, recorded by autograd.</summary>
internal abstract class ForwardPass(NetworkLayout layout) : IDisposable
{
    /// <summary>Lets each weighted layer see another input: the index of the layer and the tensor that reaches it.</summary>
    public delegate Tensor Cut(int layer, Tensor input);

    public NetworkLayout Layout => layout;

    /// <summary>The learnt parameters: leaves whose storage is in the flat tensor.</summary>
    public List<(Tensor Leaf, ParameterSlice Slice)> Leaves { get; } = [];

    /// <summary>The stream of its dropout; null if it has none of its own.</summary>
    public virtual RandomGenerator? Dropout => null;

    /// <summary>Whether it must run without oneDNN, which is wrong for it on this machine.</summary>
    public virtual bool RunsWithoutOneDnn => false;

    /// <summary>Watches the activations of passes in training; null where no one asks.</summary>
    public UnitActivity? Activity { get; set; }

    /// <summary>Copies what the network brings with it, if anything, into the host's buffers.</summary>
    public virtual void TakeInitialValues(TrainingNetwork network) { }

    /// <summary>Makes the parameters and statistics views of flat tensors.</summary>
    public abstract void Attach(Tensor weights, Tensor statistics);

    /// <param name="x">Rows × features as they come.</param>
    /// <param name="training">Whether batch statistics and dropout apply.</param>
    /// <param name="cut">Called at the input of each weighted layer but the first.</param>
    /// <param name="modulation">Added to what the network sees, rows × that; null for nothing.</param>
    /// <returns>Logits, rows × classes.</returns>
    public abstract Tensor Run(Tensor x, bool training, Cut cut, Tensor? modulation = null);

    public abstract void Dispose();
}
