using static TorchSharp.torch;

namespace FaMLNet.Training.Graph;

/// <summary>The flat buffers of a network and the views that its nodes use. For prediction there is no gradient.</summary>
internal sealed class GraphBuffers(FloatBuffer weights, FloatBuffer statistics, FloatBuffer? gradient, RandomGenerator? dropout, ConvolutionGuard guard, bool passesErrors)
{
    private readonly List<(Tensor Leaf, ParameterSlice Slice)> _leaves = [];
    private readonly List<(Tensor Matrix, int Offset, int Rows, int Columns)> _matrices = [];

    public FloatBuffer Weights { get; } = weights;

    public RandomGenerator? Dropout { get; } = dropout;

    public ConvolutionGuard Guard { get; } = guard;

    /// <summary>What a convolution must get right here.</summary>
    public ConvolutionUse UseOf(GraphNodeSpec spec) =>
        gradient == null ? ConvolutionUse.Forward : passesErrors && spec.WeightedIndex > 0 ? ConvolutionUse.InputGradient : ConvolutionUse.WeightGradient;

    /// <summary>A leaf of the autograd graph whose storage is in the flat parameters and whose gradient is in the flat gradient.</summary>
    public Tensor Parameter(ParameterSlice slice)
    {
        Tensor leaf = Weights.View(slice);
        if (gradient != null)
        {
            leaf.requires_grad = true;
            leaf.grad = gradient.View(slice);
            _leaves.Add((leaf, slice));
        }
        return leaf;
    }

    public Tensor Statistic(ParameterSlice slice) => statistics.View(slice);

    public Tensor GradientMatrix(int offset, int rows, int columns)
    {
        FloatBuffer buffer = gradient ?? Weights;
        Tensor matrix = buffer.Matrix(offset, rows, columns);
        if (gradient != null)
            _matrices.Add((matrix, offset, rows, columns));
        return matrix;
    }

    /// <summary>Lets gradients go to another buffer of the same layout.</summary>
    public void PointGradientsTo(FloatBuffer buffer)
    {
        foreach ((Tensor leaf, ParameterSlice slice) in _leaves)
            leaf.grad = buffer.View(slice);
        foreach ((Tensor matrix, int offset, int rows, int columns) in _matrices)
        {
            using (no_grad())
                matrix.set_(buffer.Matrix(offset, rows, columns));
        }
    }
}
