using FaMLNet.Computing.Kernels;
using FaMLNet.Interop;

namespace FaMLNet.Computing.Dense;

/// <summary>The passes between the matrix products of a chain, divided among libtorch's threads where a layer is large.</summary>
internal static unsafe class DensePasses
{
    private const int PartLength = 8192;

    /// <summary>a = f(a + bias), and f′ where it does not follow from f.</summary>
    public static void Activate(Activation activation, float* a, float* bias, float* derivative, int rows, int width)
    {
        int parts = Parts(rows, width);
        if (parts == 1)
            DenseKernels.Activate(activation, a, bias, derivative, rows, width);
        else
            ActivateInParts(activation, parts, a, bias, derivative, rows, width);
    }

    private static void ActivateInParts(Activation activation, int parts, float* a, float* bias, float* derivative, int rows, int width)
        => OpenMp.Run(parts, part =>
    {
        int start = rows * part / parts, count = rows * (part + 1) / parts - start, first = start * width;
        DenseKernels.Activate(activation, a + first, bias == null ? null : bias + start, derivative == null ? null : derivative
            + first, count, width);
    });

    /// <summary>e = e ⊙ f′, and its sums over each row.</summary>
    public static void Differentiate(Activation activation, float* e, float* a, float* derivative, float* sums, int rows, int width)
    {
        int parts = Parts(rows, width);
        if (parts == 1)
            DenseKernels.Differentiate(activation, e, a, derivative, sums, rows, width);
        else
            DifferentiateInParts(activation, parts, e, a, derivative, sums, rows, width);
    }

    private static void DifferentiateInParts(Activation activation, int parts, float* e, float* a, float* derivative, float* sums, int rows,
        int width) => OpenMp.Run(parts, part =>
    {
        int start = rows * part / parts, count = rows * (part + 1) / parts - start, first = start * width;
        DenseKernels.Differentiate(activation, e + first, a + first, derivative == null ? null : derivative + first, sums + start,
            count, width);
    });

    /// <summary>
    /// Into how many parts a layer's rows are divided among the threads of the matrix products. What a thread has computed lies in its own
    /// cache; where processors are far apart, fetching it from there costs one thread far more than the pass itself.
    /// </summary>
    private static int Parts(int rows, int width) => Math.Min(rows, OpenMp.Parts((long)rows * width, PartLength));
}
