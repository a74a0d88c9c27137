using System.Runtime.InteropServices;

namespace FaMLNet.Training.Optimizers;

/// <summary>Updates flat weights by a flat gradient in one fused pass. Lengths are multiples of 16; the gaps of the layout stay 0.</summary>
internal abstract class Optimizer
{
    /// <summary>What the optimiser remembers between steps, each of the length of the weights; for checkpoints.</summary>
    public abstract IReadOnlyList<float[]> State { get; }

    /// <summary>Steps taken.</summary>
    public long Steps { get; set; }

    /// <summary>The optimiser that <paramref name="options"/> describe, for <paramref name="length"/> weights.</summary>
    public static Optimizer Create(OptimizerOptions options, int length) => options switch
    {
        OptimizerOptions.Sgd sgd => new SgdOptimizer(sgd, length),
        OptimizerOptions.Adam adam => new AdamOptimizer(adam, length),
        OptimizerOptions.AdamW adamW => new AdamOptimizer(adamW, length),
        OptimizerOptions.RmsProp rmsProp => new RmsPropOptimizer(rmsProp, length),
        _ => throw new NotSupportedException($"Option Optimizer: {options.GetType().Name} is not known."),
    };

    /// <summary>Takes one step.</summary>
    /// <param name="weights">Updated in place.</param>
    /// <param name="gradient">As long as the weights.</param>
    /// <param name="learningRate">The rate of this step.</param>
    public abstract void Step(Span<float> weights, ReadOnlySpan<float> gradient, float learningRate);

    protected static float[] Allocate(int length) => GC.AllocateArray<float>(length, pinned: true);

    protected static ref float Start(Span<float> span) => ref MemoryMarshal.GetReference(span);

    protected static ref float Start(ReadOnlySpan<float> span) => ref MemoryMarshal.GetReference(span);
}
