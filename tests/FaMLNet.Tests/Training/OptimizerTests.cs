using FaMLNet.Interop;
using FaMLNet.Training.Optimizers;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training;

/// <summary>Every optimiser against libtorch's own.</summary>
public sealed class OptimizerTests
{
    public OptimizerTests() => LibTorch.EnsureLoaded();

    public static TheoryData<OptimizerOptions> All =>
    [
        new OptimizerOptions.Sgd { Momentum = 0 },
        new OptimizerOptions.Sgd { Momentum = 0, WeightDecay = 0.1f },
        new OptimizerOptions.Sgd { LearningRate = 0.05f, Momentum = 0.9f, WeightDecay = 1e-2f },
        new OptimizerOptions.Sgd { LearningRate = 0.05f, Momentum = 0.8f, Nesterov = true, WeightDecay = 1e-2f },
        new OptimizerOptions.Adam(),
        new OptimizerOptions.Adam { LearningRate = 0.02f, Beta1 = 0.8f, Beta2 = 0.95f, Epsilon = 1e-4f, WeightDecay = 0.1f },
        new OptimizerOptions.AdamW { LearningRate = 0.02f, WeightDecay = 0.3f },
        new OptimizerOptions.RmsProp(),
        new OptimizerOptions.RmsProp { LearningRate = 0.003f, Decay = 0.9f, Momentum = 0.5f, WeightDecay = 0.05f },
    ];

    [Theory, MemberData(nameof(All))]
    public void Takes_the_steps_that_libtorch_takes(OptimizerOptions options) => Check(options, 64);

    /// <summary>As many weights as are divided among threads.</summary>
    [Theory, MemberData(nameof(All))]
    public void Takes_the_same_steps_on_many_threads(OptimizerOptions options) => Check(options, 200_016);

    private static void Check(OptimizerOptions options, int length)
    {
        RandomGenerator random = new(1, "optimiser");
        float[] weights = new float[length], gradient = new float[length];
        random.FillNormal(weights, 0, 1);
        using DisposeScope scope = NewDisposeScope();
        using Parameter parameter = new(tensor(weights));
        Optimizer mine = Optimizer.Create(options, length);
        using optim.Optimizer theirs = Torch(options, parameter);
        for (int step = 0; step < 25; step++)
        {
            random.FillNormal(gradient, 0.1f, 1);
            parameter.grad = tensor(gradient);
            theirs.step();
            mine.Step(weights, gradient, options.LearningRate);
            Assert.True(RandomTask.RelativeError(weights, [.. parameter.data<float>().Select(value => (double)value)]) < 2e-6, $"step {step}");
        }
        Assert.Equal(25, mine.Steps);
    }

    private static optim.Optimizer Torch(OptimizerOptions options, Parameter parameter) => options switch
    {
        OptimizerOptions.Sgd o => optim.SGD([parameter], o.LearningRate, o.Momentum, weight_decay: o.WeightDecay, nesterov: o.Nesterov),
        OptimizerOptions.Adam o => optim.Adam([parameter], o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay),
        OptimizerOptions.AdamW o => optim.AdamW([parameter], o.LearningRate, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay),
        OptimizerOptions.RmsProp o => optim.RMSProp([parameter], o.LearningRate, o.Decay, o.Epsilon, o.WeightDecay, o.Momentum),
        _ => throw new NotSupportedException(),
    };
}
