using TorchSharp;
using static TorchSharp.torch;

namespace FaMLNet.Interop;

/// <summary>
/// Numbers handed to libtorch. TorchSharp 0.107 wraps a number in an object with a finaliser and does not keep it alive during the call: a
/// collection at the wrong moment frees it under libtorch's hands ("Unknown scalar type", once in some ten thousand trainings). So no number is
/// passed by implicit conversion: constants live here, others until the operation is over.
/// </summary>
internal static class Scalars
{
    /// <summary>0.</summary>
    public static readonly Scalar Zero = 0;

    /// <summary>1: also for sums of tensors, whose factor is implied otherwise, and wrapped all the same.</summary>
    public static readonly Scalar One = 1;

    /// <summary>Not a number.</summary>
    public static readonly Scalar NaN = float.NaN;

    /// <summary>0.01: the slope of LeakyReLU.</summary>
    public static readonly Scalar Hundredth = 0.01f;

    /// <summary>Runs an operation with a number that lives until it is over.</summary>
    public static Tensor With(float value, Func<Scalar, Tensor> operation)
    {
        using Scalar scalar = value;
        return operation(scalar);
    }

    /// <summary>0, 1, 2, … as numbers of 32 bits.</summary>
    public static Tensor Count(long length)
    {
        using Scalar stop = length;
        return arange(Zero, stop, One, ScalarType.Float32);
    }

    /// <summary>x + factor · y, in place.</summary>
    public static Tensor AddScaled(this Tensor x, Tensor y, float factor) => With(factor, scalar => x.add_(y, scalar));

    /// <summary>x · factor, in place.</summary>
    public static Tensor Scale(this Tensor x, float factor) => With(factor, scalar => x.mul_(scalar));

    /// <summary>x + value, in place.</summary>
    public static Tensor Shift(this Tensor x, float value) => With(value, scalar => x.add_(scalar));

    /// <summary>x · factor, a new tensor.</summary>
    public static Tensor Times(this Tensor x, float factor) => With(factor, scalar => x.mul(scalar));
}
