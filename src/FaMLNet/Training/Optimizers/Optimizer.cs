using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using FaMLNet.Interop;

namespace FaMLNet.Training.Optimizers;

/// <summary>Updates flat weights by a flat gradient in one fused pass. Lengths are multiples of 16; the gaps of the layout stay 0.</summary>
internal abstract unsafe class Optimizer
{
    /// <summary>Weights that are worth a part.</summary>
    private const int PartLength = 1 << 15;

    /// <summary>Weights whose step, and a copy of them, stay in a processor's own cache.</summary>
    private const int PieceLength = 1 << 11;

    /// <summary>Length of a cache line.</summary>
    private const int Line = 16;

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
    /// <param name="change">Receives what the step added to the weights, as long as they are; empty if no one asks.</param>
    public void Step(Span<float> weights, ReadOnlySpan<float> gradient, float learningRate, Span<float> change = default)
    {
        Steps++;
        int length = weights.Length, parts = OpenMp.Parts(length, PartLength);
        if (parts == 1)
        {
            Update(weights, gradient, 0, learningRate, change);
            return;
        }
        fixed (float* first = weights, firstGradient = gradient, firstChange = change)
        {
            float* w = first, g = firstGradient, c = firstChange;
            OpenMp.Run(parts, part =>
            {
                // Every weight by itself: the result is the same however they are divided.
                int start = (int)((long)length / Line * part / parts) * Line, end = part == parts - 1 ? length
                    : (int)((long)length / Line * (part + 1) / parts) * Line;
                Update(new Span<float>(w + start, end - start), new ReadOnlySpan<float>(g + start, end - start), start, learningRate,
                    c == null ? default : new Span<float>(c + start, end - start));
            });
        }
    }

    private void Update(Span<float> weights, ReadOnlySpan<float> gradient, int start, float learningRate, Span<float> change)
    {
        if (change.IsEmpty)
        {
            Update(weights, gradient, start, learningRate);
            return;
        }
        // In pieces that stay in the cache: what the step added is the difference to a copy.
        for (int from = 0; from < weights.Length; from += PieceLength)
        {
            int length = Math.Min(PieceLength, weights.Length - from);
            Span<float> own = weights.Slice(from, length), added = change.Slice(from, length);
            own.CopyTo(added);
            Update(own, gradient.Slice(from, length), start + from, learningRate);
            TensorPrimitives.Subtract<float>(own, added, added);
        }
    }

    /// <summary>The step for a stretch of the weights.</summary>
    /// <param name="weights">Updated in place.</param>
    /// <param name="gradient">As long as the weights.</param>
    /// <param name="start">Where the stretch begins.</param>
    /// <param name="learningRate">The rate of this step.</param>
    protected abstract void Update(Span<float> weights, ReadOnlySpan<float> gradient, int start, float learningRate);

    /// <summary>Where a stretch of what the optimiser remembers begins; nothing if it remembers no such thing.</summary>
    protected static ref float At(float[] state, int start) => ref MemoryMarshal.GetReference(state.Length == 0 ? [] : state.AsSpan(start));

    protected static float[] Allocate(int length) => GC.AllocateArray<float>(length, pinned: true);

    protected static ref float Start(Span<float> span) => ref MemoryMarshal.GetReference(span);

    protected static ref float Start(ReadOnlySpan<float> span) => ref MemoryMarshal.GetReference(span);
}
