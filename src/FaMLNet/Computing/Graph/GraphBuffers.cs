using FaMLNet.Computing.Kernels;
using FaMLNet.Diagnostics;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Graph;

/// <summary>
/// The flat buffers of a network and the views that its nodes use. Without a gradient the network predicts, or, if errors pass, returns the
/// gradient of its input.
/// </summary>
internal sealed class GraphBuffers(FloatBuffer weights, FloatBuffer statistics, FloatBuffer? gradient, RandomGenerator? dropout,
    ConvolutionGuard guard, bool passesErrors, bool channelsLast, Action? checkCancelled = null)
{
    private readonly List<(Tensor Leaf, ParameterSlice Slice)> _leaves = [];
    private FloatBuffer? _gradient = gradient;

    public FloatBuffer Weights { get; } = weights;

    /// <summary>Running means and variances.</summary>
    public FloatBuffer Statistics { get; } = statistics;

    public RandomGenerator? Dropout { get; } = dropout;

    /// <summary>A convolution that is right on this machine. The first search for a shape takes a while, and can be cancelled.</summary>
    public Convolution Choose(ConvolutionShape shape)
    {
        checkCancelled?.Invoke();
        return guard.Choose(shape, checkCancelled);
    }

    /// <summary>Whether images lie with their channels together.</summary>
    public bool ChannelsLast { get; } = channelsLast;

    /// <summary>Watches activations; null where no one asks.</summary>
    public UnitActivity? Activity { get; set; }

    /// <summary>Takes what each layer with weights is given in a pass in training, by its index; null where no one asks.</summary>
    public Tensor?[]? Inputs { get; set; }

    /// <summary>Notes what a layer is given.</summary>
    public void Record(int weightedIndex, Tensor input)
    {
        if (Inputs is { } inputs)
            inputs[weightedIndex] = input.detach();
    }

    /// <summary>Whether the gradients of the parameters are wanted.</summary>
    public bool HasGradient => _gradient != null;

    /// <summary>Whether errors pass the first layer too, to the input of the network.</summary>
    public bool ReachesInput => _gradient == null && passesErrors;

    /// <summary>What a convolution must get right here.</summary>
    public ConvolutionUse UseOf(GraphNodeSpec spec) =>
        passesErrors && (spec.WeightedIndex > 0 || ReachesInput) ? ConvolutionUse.InputGradient
            : HasGradient ? ConvolutionUse.WeightGradient : ConvolutionUse.Forward;

    /// <summary>A leaf of the autograd graph whose storage is in the flat parameters and whose gradient is in the flat gradient.</summary>
    public Tensor Parameter(ParameterSlice slice)
    {
        Tensor leaf = Weights.View(slice);
        if (_gradient != null)
        {
            leaf.requires_grad = true;
            leaf.grad = _gradient.View(slice);
            _leaves.Add((leaf, slice));
        }
        return leaf;
    }

    public Tensor Statistic(ParameterSlice slice) => Statistics.View(slice);

    /// <summary>The buffer to which gradients go now.</summary>
    public FloatBuffer Gradient => _gradient!;

    /// <summary>A gradient as a matrix, in the buffer to which gradients go now.</summary>
    public Tensor GradientMatrix(int offset, int rows, int columns) => Gradient.Matrix(offset, rows, columns);

    /// <summary>Lets gradients go to another buffer of the same layout.</summary>
    public void PointGradientsTo(FloatBuffer buffer)
    {
        _gradient = buffer;
        foreach ((Tensor leaf, ParameterSlice slice) in _leaves)
            leaf.grad = buffer.View(slice);
    }
}
