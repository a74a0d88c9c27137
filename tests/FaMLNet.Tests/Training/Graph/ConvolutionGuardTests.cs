using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FaMLNet.Tests.Training.Graph;

/// <summary>The guard against convolutions that are wrong without saying so.</summary>
public sealed class ConvolutionGuardTests
{
    private static readonly Layer[] Layers =
        [new Layer.Conv2d(8, 3) { Padding = 1 }, new Layer.Activate(Activation.Tanh), new Layer.Conv2d(12, 3), new Layer.Activate(Activation.Tanh),
        new Layer.Flatten(), new Layer.Dense()];

    public ConvolutionGuardTests() => LibTorch.EnsureLoaded();

    [Fact]
    [Trait("Speed", "Slow")]
    public void A_convolution_that_is_wrong_on_purpose_is_replaced_and_gradients_stay_right()
    {
        // Wrong as oneDNN is on some machines: the input gradient, for some numbers of channels only.
        Convolution wrong = new("wrong", (x, w, b, layer) =>
        {
            Tensor y = ConvolutionGuard.Plain.Invoke(x, w, b, layer);
            return w.shape[0] == 12 ? y + (x.sum() - x.sum().detach()) * 1e-2 : y;
        });
        ConvolutionGuard guard = new(wrong, ConvolutionGuard.Unfolded);
        foreach (string rule in new[] { "bp", "fa", "brsf", "dfa" })
            GraphGradientTests.Check(rule, NetworkDefinition.Sequential(Layers), new ImageShape(2, 8, 8), rows: 3, guard);
        Assert.Equal(["8→12 @3×3 (matrix product)"], guard.Rerouted);
        // What is right is left alone, and so keeps its speed.
        Assert.Same(wrong, guard.Choose(new ConvolutionShape(new ImageShape(16, 8, 8), 16, 3, 1, 1, 1, 1, ConvolutionUse.InputGradient, false)));
        // Where no input gradient is wanted, that one may be wrong.
        Assert.Same(wrong, guard.Choose(new ConvolutionShape(new ImageShape(8, 8, 8), 12, 3, 1, 0, 1, 1, ConvolutionUse.WeightGradient, false)));
    }

    [Fact]
    public void A_convolution_that_is_wrong_now_and_then_is_found()
    {
        int calls = 0;
        Convolution sometimes = new("sometimes wrong", (x, w, b, layer) =>
        {
            Tensor y = ConvolutionGuard.Plain.Invoke(x, w, b, layer);
            return Interlocked.Increment(ref calls) % 4 == 3 ? y * 1.01 : y;
        });
        Assert.Same(ConvolutionGuard.Unfolded.Name,
            new ConvolutionGuard(sometimes, ConvolutionGuard.Unfolded)
            .Choose(new ConvolutionShape(new ImageShape(16, 8, 8), 16, 3, 1, 1, 1, 1, ConvolutionUse.Forward, false)).Name);
    }

    /// <summary>What is wrong in one of ten runs passes eight trials as often as not: on such a machine it is not left to them.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public void On_a_machine_that_is_suspect_channels_at_risk_are_not_left_to_a_trial()
    {
        static string Choice(bool suspect, int inputs, int outputs, ConvolutionUse use, int kernel = 3) =>
            new ConvolutionGuard(() => suspect, ConvolutionGuard.Plain, ConvolutionGuard.Padded, ConvolutionGuard.Unfolded)
                .Choose(new ConvolutionShape(new ImageShape(inputs, 8, 8), outputs, kernel, 1, 1, 1, 1, use, false)).Name;
        string plain = ConvolutionGuard.Plain.Name, padded = ConvolutionGuard.Padded.Name;
        Assert.Equal(padded, Choice(true, 6, 6, ConvolutionUse.InputGradient));
        Assert.Equal(padded, Choice(true, 20, 48, ConvolutionUse.Forward));
        Assert.Equal(plain, Choice(true, 16, 32, ConvolutionUse.InputGradient));
        Assert.Equal(plain, Choice(true, 3, 6, ConvolutionUse.WeightGradient));
        if (!ConvolutionGuard.MachineIsSuspect)
            Assert.Equal(plain, Choice(false, 6, 6, ConvolutionUse.InputGradient));
    }

    [Fact]
    public void Every_way_computes_the_same_convolution()
    {
        foreach (Layer.Conv2d layer in new Layer.Conv2d[]
        {
            new(16, 3), new(16, 5) { Padding = 2 }, new(16, 3) { Stride = 2, Padding = 1 }, new(16, 3) { Dilation = 2, Padding = 2 },
                new(16, 3) { Groups = 4 }, new(16, 1), new(16, 2) { Stride = 3 },
        })
        {
            using DisposeScope scope = NewDisposeScope();
            foreach (bool biased in new[] { true, false })
            {
                Tensor x = rand(3, 16, 9, 11, dtype: ScalarType.Float64),
                    w = rand(layer.Channels, 16 / layer.Groups, layer.Kernel, layer.Kernel, dtype: ScalarType.Float64);
                Tensor? b = biased ? rand(layer.Channels, dtype: ScalarType.Float64) : null;
                Tensor expected = ConvolutionGuard.Plain.Invoke(x, w, b, layer);
                foreach (Convolution way in new[] { ConvolutionGuard.Padded, ConvolutionGuard.Unfolded })
                    Assert.True(way.Invoke(x, w, b, layer).allclose(expected, 1e-10, 1e-10), $"{way.Name}, {layer}");
            }
        }
    }
}
