using System.Numerics;
using System.Runtime.CompilerServices;

namespace FaMLNet.Training.Optimizers;

/// <summary>v: decaying average of g²; w −= rate·g/(√v + ε), with momentum if wanted, as torch.optim.RMSprop.</summary>
internal sealed class RmsPropOptimizer(OptimizerOptions.RmsProp options, int length) : Optimizer
{
    private readonly float[] _square = Allocate(length), _velocity = options.Momentum == 0 ? [] : Allocate(length);

    public override IReadOnlyList<float[]> State => [_square, _velocity];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Update(Span<float> weights, ReadOnlySpan<float> gradient, int start, float learningRate)
    {
        int lanes = Vector<float>.Count;
        bool hasMomentum = _velocity.Length > 0;
        Vector<float> rate = new(learningRate), decay = new(options.Decay), rest = new(1 - options.Decay), epsilon = new(options.Epsilon);
        Vector<float> penalty = new(options.WeightDecay), momentum = new(options.Momentum);
        ref float w = ref Start(weights);
        ref float g = ref Start(gradient);
        ref float v = ref At(_square, start);
        ref float u = ref At(_velocity, start);
        for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)lanes)
        {
            Vector<float> weight = Vector.LoadUnsafe(ref w, i), slope = Vector.LoadUnsafe(ref g, i) + penalty * weight;
            Vector<float> square = decay * Vector.LoadUnsafe(ref v, i) + rest * slope * slope;
            square.StoreUnsafe(ref v, i);
            Vector<float> step = slope / (Vector.SquareRoot(square) + epsilon);
            if (hasMomentum)
            {
                step += momentum * Vector.LoadUnsafe(ref u, i);
                step.StoreUnsafe(ref u, i);
            }
            (weight - rate * step).StoreUnsafe(ref w, i);
        }
    }
}
