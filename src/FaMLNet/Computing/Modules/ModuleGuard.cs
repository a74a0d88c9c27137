using System.Collections.Concurrent;
using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaMLNet.Computing.Modules;

/// <summary>
/// Tries a module of the user's own on the machine at hand: where oneDNN computes its convolutions wrongly (see <see cref="ConvolutionGuard"/>),
/// the module must run without it, slower but right.
/// </summary>
internal static class ModuleGuard
{
    private const int Trials = 6;

    private static readonly ConcurrentDictionary<string, bool> Known = new();

    /// <summary>Whether a module must run without oneDNN here; tried once a process for a network, on a machine that is suspect.</summary>
    /// <param name="layout">The network.</param>
    /// <param name="module">Its module.</param>
    /// <param name="checkCancelled">Called between trials; throws to stop, and nothing is kept. Null for nothing.</param>
    public static bool NeedsOneDnnOff(CustomLayout layout, nn.Module<Tensor, Tensor> module, Action? checkCancelled = null) =>
        Known.GetOrAdd(KeyOf(layout, module), _ => NeedsOneDnnOff(module, layout.Shape, ConvolutionGuard.MachineIsSuspect,
            layout.FirstWithFeedback > 0 ? layout.WeightedLayers[0].Name : null, checkCancelled));

    /// <summary>
    /// What must not even be tried with oneDNN on such a machine: the backward pass of a 1×1 convolution with a stride and 1024 channels or
    /// more (ResNet-50) ends the process with a division by zero.
    /// </summary>
    private static bool EndsTheProcess(nn.Module<Tensor, Tensor> module) => module.modules().OfType<Conv2d>()
        .Any(part => part.kernel_size is [1, 1] && part.stride.Any(stride => stride > 1) && Math.Max(part.in_channels, part.out_channels) >= 1024);

    /// <summary>What is wrong in a part of all runs only, so that a trial may miss it.</summary>
    private static bool IsAtRisk(nn.Module<Tensor, Tensor> module, string? first)
    {
        return module.named_modules().Any(part => part.module switch
        {
            Conv1d { groups: 1 } layer when layer.kernel_size[0] > 1 => AtRisk(part.name, layer.in_channels, layer.out_channels),
            Conv2d { groups: 1 } layer when layer.kernel_size.Any(size => size > 1) => AtRisk(part.name, layer.in_channels, layer.out_channels),
            ConvTranspose1d or ConvTranspose2d => true,
            _ => false,
        });

        bool AtRisk(string name, long inputs, long outputs) => ConvolutionShape.AreAtRisk(inputs, outputs, passesError: name != first);
    }

    /// <summary>Looks at a module, and tries it.</summary>
    /// <param name="module">The module.</param>
    /// <param name="shape">Its input and outputs.</param>
    /// <param name="machineIsSuspect">Whether any convolution is wrong here.</param>
    /// <param name="first">The name of the layer through which no error passes; null for none.</param>
    /// <param name="checkCancelled">Called between trials; throws to stop. Null for nothing.</param>
    public static bool NeedsOneDnnOff(nn.Module<Tensor, Tensor> module, NetworkShape shape, bool machineIsSuspect, string? first,
        Action? checkCancelled = null)
    {
        if (!OneDnn.CanSwitch || !machineIsSuspect)
            return false;
        if (EndsTheProcess(module) || IsAtRisk(module, first))
            return true;
        bool training = module.training;
        module.eval();
        try
        {
            return Enumerable.Range(0, Trials).Any(trial =>
            {
                checkCancelled?.Invoke();
                return !IsRight(module, shape, trial);
            });
        }
        finally
        {
            module.train(training);
        }
    }

    /// <summary>What of a network decides which kernels libtorch takes: two contexts may have factories of one name.</summary>
    private static string KeyOf(CustomLayout layout, nn.Module<Tensor, Tensor> module) => string.Join('|',
        [module.GetType().FullName, layout.Network.ContractName, string.Join('×', layout.Shape.Input),
            .. layout.Parameters.Select(slice => $"{slice.Name}:{string.Join('×', slice.Shape)}")]);

    private static bool IsRight(nn.Module<Tensor, Tensor> module, NetworkShape shape, int trial)
    {
        using DisposeScope scope = NewDisposeScope();
        float[] values = new float[2 * shape.Input.Aggregate(1, (product, size) => product * size)];
        // Zeros and ones: legal indices too, for a module that has an embedding.
        RandomGenerator random = new(trial, "module guard");
        for (int i = 0; i < values.Length; i++)
            values[i] = random.NextInt32(2);
        Tensor x = tensor(values, [2, .. shape.Input.Select(size => (long)size)]);
        Tensor[] expected;
        using (OneDnn.Off(wanted: true))
            expected = Run(module, x, dirty: false);
        Tensor[] found = Run(module, x, dirty: true);
        // What is next to nothing beside the rest is rounding.
        double largest = expected.Skip(1).Select(Norm).DefaultIfEmpty(0).Max();
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Norm(found[i] - expected[i]);
            if (!(difference <= 1e-3 * Math.Max(Norm(expected[i]), i == 0 ? 1e-3 : 1e-3 * largest) + 1e-7))
                return false;
        }
        return true;
    }

    /// <summary>Output, and gradients of the input and of all kernels: the errors that reach those have passed everything else.</summary>
    private static Tensor[] Run(nn.Module<Tensor, Tensor> module, Tensor x, bool dirty)
    {
        using IDisposable grad = enable_grad();
        Tensor input = x.clone().requires_grad_();
        if (dirty)
            ConvolutionGuard.Dirty();
        Tensor y = module.call(input);
        if (dirty)
            ConvolutionGuard.Dirty();
        // Any fixed gradient will do; this one has no zeros and no symmetry.
        Tensor gradient = Scalars.Count(y.numel()).Scale(0.37f).sin().reshape(y.shape);
        Parameter[] parameters = [.. module.parameters().Where(parameter => parameter.requires_grad && parameter.shape.Length > 2)];
        IList<Tensor> gradients = autograd.grad([y], [input, .. parameters], [gradient], allow_unused: true);
        return [y.detach(), .. gradients.Where(found => found is not null && !found.IsInvalid)];
    }

    private static double Norm(Tensor tensor)
    {
        using Tensor norm = tensor.norm();
        return norm.item<float>();
    }
}
