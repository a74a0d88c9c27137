using System.Numerics;
using System.Runtime.CompilerServices;

namespace FaMLNet.Training.Optimizers;

/// <summary>m, v: decaying averages of g and g²; w −= rate·m̂/(√v̂ + ε), as torch.optim.Adam; with decay apart from the gradient, as AdamW.</summary>
internal sealed class AdamOptimizer : Optimizer
{
    private readonly float _beta1, _beta2, _epsilon, _weightDecay;
    private readonly bool _decoupled;
    private readonly float[] _mean, _square;
    private float _rate, _rootCorrection;

    public AdamOptimizer(OptimizerOptions.Adam options, int length)
        : this(options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay, false, length) { }

    public AdamOptimizer(OptimizerOptions.AdamW options, int length)
        : this(options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay, true, length) { }

    private AdamOptimizer(float beta1, float beta2, float epsilon, float weightDecay, bool decoupled, int length)
    {
        (_beta1, _beta2, _epsilon, _weightDecay, _decoupled) = (beta1, beta2, epsilon, weightDecay, decoupled);
        _mean = Allocate(length);
        _square = Allocate(length);
    }

    public override IReadOnlyList<float[]> State => [_mean, _square];

    protected override void BeginStep(float learningRate)
    {
        _rate = (float)(learningRate / (1 - Math.Pow(_beta1, Steps)));
        _rootCorrection = (float)(1 / Math.Sqrt(1 - Math.Pow(_beta2, Steps)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Update(Span<float> weights, ReadOnlySpan<float> gradient, int start, float learningRate)
    {
        int lanes = Vector<float>.Count;
        Vector<float> rate = new(_rate), rootCorrection = new(_rootCorrection);
        Vector<float> beta1 = new(_beta1), beta2 = new(_beta2), rest1 = new(1 - _beta1), rest2 = new(1 - _beta2), epsilon = new(_epsilon);
        Vector<float> penalty = new(_decoupled ? 0 : _weightDecay), kept = new(_decoupled ? 1 - learningRate * _weightDecay : 1);
        ref float w = ref Start(weights);
        ref float g = ref Start(gradient);
        ref float m = ref At(_mean, start);
        ref float v = ref At(_square, start);
        for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)lanes)
        {
            Vector<float> weight = Vector.LoadUnsafe(ref w, i), slope = Vector.LoadUnsafe(ref g, i) + penalty * weight;
            Vector<float> mean = beta1 * Vector.LoadUnsafe(ref m, i) + rest1 * slope;
            Vector<float> square = beta2 * Vector.LoadUnsafe(ref v, i) + rest2 * slope * slope;
            mean.StoreUnsafe(ref m, i);
            square.StoreUnsafe(ref v, i);
            (weight * kept - rate * mean / (Vector.SquareRoot(square) * rootCorrection + epsilon)).StoreUnsafe(ref w, i);
        }
    }
}
