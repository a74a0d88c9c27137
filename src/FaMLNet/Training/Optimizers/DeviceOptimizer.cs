using FaMLNet.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Training.Optimizers;

/// <summary>The optimisers as a few operations on flat tensors: the arithmetic of their twins in <c>Optimizers/</c>.</summary>
internal sealed class DeviceOptimizer(OptimizerOptions options, IReadOnlyList<Tensor> state)
{
    /// <summary>What the optimiser remembers, in the order of its twin's.</summary>
    public IReadOnlyList<Tensor> State => state;

    /// <summary>Takes one step, the <paramref name="steps"/>-th.</summary>
    public void Step(Tensor weights, Tensor gradient, float rate, long steps)
    {
        using DisposeScope scope = NewDisposeScope();
        if (options.WeightDecay != 0 && options is not OptimizerOptions.AdamW)
            gradient.AddScaled(weights, options.WeightDecay);
        switch (options)
        {
            case OptimizerOptions.Sgd sgd:
                Momentum(weights, gradient, state[0], sgd.Momentum, rate, sgd.Nesterov);
                break;
            case OptimizerOptions.Adam adam:
                Adam(weights, gradient, rate, steps, adam.Beta1, adam.Beta2, adam.Epsilon);
                break;
            case OptimizerOptions.AdamW adamW:
                weights.Scale(1 - rate * adamW.WeightDecay);
                Adam(weights, gradient, rate, steps, adamW.Beta1, adamW.Beta2, adamW.Epsilon);
                break;
            case OptimizerOptions.RmsProp rms:
                AddSquares(state[0].Scale(rms.Decay), gradient, 1 - rms.Decay);
                Momentum(weights, gradient.div(state[0].sqrt().Shift(rms.Epsilon)), state[1], rms.Momentum, rate, nesterov: false);
                break;
            default:
                throw new NotSupportedException($"Option Optimizer: {options.GetType().Name} is not known.");
        }
    }

    private static void Momentum(Tensor weights, Tensor gradient, Tensor velocity, float momentum, float rate, bool nesterov)
    {
        velocity.Scale(momentum).add_(gradient, Scalars.One);
        weights.AddScaled(nesterov ? gradient.clone().AddScaled(velocity, momentum) : velocity, -rate);
    }

    private void Adam(Tensor weights, Tensor gradient, float rate, long steps, float beta1, float beta2, float epsilon)
    {
        state[0].Scale(beta1).AddScaled(gradient, 1 - beta1);
        AddSquares(state[1].Scale(beta2), gradient, 1 - beta2);
        double correction1 = 1 - Math.Pow(beta1, steps), correction2 = 1 - Math.Pow(beta2, steps);
        Tensor root = state[1].sqrt().Scale((float)(1 / Math.Sqrt(correction2))).Shift(epsilon);
        Scalars.With((float)(-rate / correction1), scalar => weights.addcdiv_(state[0], root, scalar));
    }

    private static void AddSquares(Tensor average, Tensor gradient, float share) =>
        Scalars.With(share, scalar => average.addcmul_(gradient, gradient, scalar));
}
