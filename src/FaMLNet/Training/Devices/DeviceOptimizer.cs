using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Training.Devices;

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
            gradient.add_(weights, alpha: options.WeightDecay);
        switch (options)
        {
            case OptimizerOptions.Sgd sgd:
                Momentum(weights, gradient, state[0], sgd.Momentum, rate, sgd.Nesterov);
                break;
            case OptimizerOptions.Adam adam:
                Adam(weights, gradient, rate, steps, adam.Beta1, adam.Beta2, adam.Epsilon);
                break;
            case OptimizerOptions.AdamW adamW:
                weights.mul_(1 - rate * adamW.WeightDecay);
                Adam(weights, gradient, rate, steps, adamW.Beta1, adamW.Beta2, adamW.Epsilon);
                break;
            case OptimizerOptions.RmsProp rms:
                state[0].mul_(rms.Decay).addcmul_(gradient, gradient, 1 - rms.Decay);
                Momentum(weights, gradient.div(state[0].sqrt().add_(rms.Epsilon)), state[1], rms.Momentum, rate, nesterov: false);
                break;
            default:
                throw new NotSupportedException($"Option Optimizer: {options.GetType().Name} is not known.");
        }
    }

    private static void Momentum(Tensor weights, Tensor gradient, Tensor velocity, float momentum, float rate, bool nesterov)
    {
        velocity.mul_(momentum).add_(gradient);
        weights.add_(nesterov ? gradient.add(velocity, alpha: momentum) : velocity, alpha: -rate);
    }

    private void Adam(Tensor weights, Tensor gradient, float rate, long steps, float beta1, float beta2, float epsilon)
    {
        state[0].mul_(beta1).add_(gradient, alpha: 1 - beta1);
        state[1].mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
        double correction1 = 1 - Math.Pow(beta1, steps), correction2 = 1 - Math.Pow(beta2, steps);
        weights.addcdiv_(state[0], state[1].sqrt().mul_((float)(1 / Math.Sqrt(correction2))).add_(epsilon), (float)(-rate / correction1));
    }
}
