using System.Runtime.InteropServices;

namespace FaMLNet.Interop;

/// <summary>
/// The matrix product that libtorch itself calls, without the way there: half a microsecond a product, a sixth of a small network's step. On
/// Linux x64 libtorch exports it, as MKL's Fortran interface with 32-bit sizes; elsewhere the product goes through libtorch's own operation.
/// </summary>
internal static unsafe class Blas
{
    private static readonly Lazy<nint> Function = new(Find);

    /// <summary>Whether the product can be called.</summary>
    public static bool IsThere => Function.Value != 0;

    /// <summary>c = a · b for matrices in row-major order; a and b may be stored transposed.</summary>
    /// <param name="a">rows × inner, or stored as inner × rows.</param>
    /// <param name="strideA">Elements from one stored row to the next.</param>
    /// <param name="aIsTransposed">Whether a is stored as its transpose.</param>
    /// <param name="b">inner × columns, or stored as columns × inner.</param>
    /// <param name="strideB">Elements from one stored row to the next.</param>
    /// <param name="bIsTransposed">Whether b is stored as its transpose.</param>
    /// <param name="c">rows × columns.</param>
    /// <param name="strideC">Elements from one row to the next.</param>
    /// <param name="rows">Rows of c.</param>
    /// <param name="columns">Columns of c.</param>
    /// <param name="inner">Terms of each sum.</param>
    public static void Multiply(float* a, int strideA, bool aIsTransposed, float* b, int strideB, bool bIsTransposed, float* c, int strideC, int rows,
        int columns, int inner)
    {
        // Fortran's order is by columns, in which our memory is the transpose: cᵀ = bᵀ · aᵀ.
        byte first = (byte)(bIsTransposed ? 'T' : 'N'), second = (byte)(aIsTransposed ? 'T' : 'N');
        float one = 1, zero = 0;
        ((delegate* unmanaged[Cdecl]<byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void>)Function.Value)(
            &first, &second, &columns, &rows, &inner, &one, b, &strideB, a, &strideA, &zero, c, &strideC);
    }

    private static nint Find() => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && LibTorch.InMemory() is var library and not 0
        && NativeLibrary.TryGetExport(library, "sgemm_", out nint function) ? function : 0;
}
