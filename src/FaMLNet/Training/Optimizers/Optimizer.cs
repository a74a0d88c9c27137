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
    /// <param name="change">Receives what the step added to the weights, as long as they are; empty if no one asks. Of weights that lie
    /// feature by feature it receives nothing.</param>
    /// <param name="active">
    /// Weights that lie feature by feature and those of them that have a gradient: the others stay as they are, and so does what is remembered
    /// of them. Null if all weights have a gradient.
    /// </param>
    public void Step(Span<float> weights, ReadOnlySpan<float> gradient, float learningRate, Span<float> change = default,
        ActiveFeatures? active = null)
    {
        Steps++;
        BeginStep(learningRate);
        int from = active?.Length ?? 0, parts = OpenMp.Parts(weights.Length - from, PartLength);
        if (parts == 1)
            Update(weights[from..], gradient[from..], from, learningRate, change.IsEmpty ? default : change[from..]);
        else
            UpdateInParts(parts, from, weights, gradient, learningRate, change);
        if (active != null)
            UpdateActive(weights, gradient, learningRate, active);
    }

    private void UpdateInParts(int parts, int from, Span<float> weights, ReadOnlySpan<float> gradient, float learningRate, Span<float> change)
    {
        int length = weights.Length - from;
        fixed (float* first = weights, firstGradient = gradient, firstChange = change)
        {
            float* w = first, g = firstGradient, c = firstChange;
            OpenMp.Run(parts, part =>
            {
                // Every weight by itself: the result is the same however they are divided.
                int start = from + (int)((long)length / Line * part / parts) * Line, end = part == parts - 1 ? from + length
                    : from + (int)((long)length / Line * (part + 1) / parts) * Line;
                Update(new Span<float>(w + start, end - start), new ReadOnlySpan<float>(g + start, end - start), start, learningRate,
                    c == null ? default : new Span<float>(c + start, end - start));
            });
        }
    }

    private void UpdateActive(Span<float> weights, ReadOnlySpan<float> gradient, float learningRate, ActiveFeatures active)
    {
        int stride = active.Stride, count = active.Count, parts = OpenMp.Parts((long)count * stride, PartLength);
        int[] features = active.Features;
        fixed (float* first = weights, firstGradient = gradient)
        {
            float* w = first, g = firstGradient;
            OpenMp.Run(parts, part =>
            {
                for (int i = (int)((long)count * part / parts); i < (int)((long)count * (part + 1) / parts); i++)
                {
                    int start = features[i] * stride;
                    Update(new Span<float>(w + start, stride), new ReadOnlySpan<float>(g + start, stride), start, learningRate);
                }
            });
        }
    }

    /// <summary>What all stretches of a step have in common may be computed here.</summary>
    protected virtual void BeginStep(float learningRate) { }

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
