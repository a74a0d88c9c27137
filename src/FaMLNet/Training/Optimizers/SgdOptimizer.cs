using System.Numerics;
using System.Runtime.CompilerServices;

namespace FaMLNet.Training.Optimizers;

/// <summary>g += λw; v = μv + g; w −= rate·v (Nesterov: w −= rate·(g + μv)), as torch.optim.SGD.</summary>
internal sealed class SgdOptimizer(OptimizerOptions.Sgd options, int length) : Optimizer
{
    private readonly float[] _velocity = options.Momentum == 0 ? [] : Allocate(length);

    public override IReadOnlyList<float[]> State => [_velocity];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Update(Span<float> weights, ReadOnlySpan<float> gradient, int start, float learningRate)
    {
        int lanes = Vector<float>.Count;
        Vector<float> rate = new(learningRate), decay = new(options.WeightDecay), momentum = new(options.Momentum);
        ref float w = ref Start(weights);
        ref float g = ref Start(gradient);
        if (_velocity.Length == 0)
        {
            for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)lanes)
            {
                Vector<float> weight = Vector.LoadUnsafe(ref w, i);
                (weight - rate * (Vector.LoadUnsafe(ref g, i) + decay * weight)).StoreUnsafe(ref w, i);
            }
            return;
        }
        ref float v = ref At(_velocity, start);
        if (options.Nesterov)
        {
            for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)lanes)
            {
                Vector<float> weight = Vector.LoadUnsafe(ref w, i), slope = Vector.LoadUnsafe(ref g, i) + decay * weight;
                Vector<float> velocity = momentum * Vector.LoadUnsafe(ref v, i) + slope;
                velocity.StoreUnsafe(ref v, i);
                (weight - rate * (slope + momentum * velocity)).StoreUnsafe(ref w, i);
            }
            return;
        }
        for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)lanes)
        {
            Vector<float> weight = Vector.LoadUnsafe(ref w, i);
            Vector<float> velocity = momentum * Vector.LoadUnsafe(ref v, i) + (Vector.LoadUnsafe(ref g, i) + decay * weight);
            velocity.StoreUnsafe(ref v, i);
            (weight - rate * velocity).StoreUnsafe(ref w, i);
        }
    }
}
