using Microsoft.ML.Data;

namespace FaMLNet.Errors;

/// <summary>Whether a vector is what ML.NET says a vector is: whoever makes one can put anything into it.</summary>
internal static class VectorForm
{
    /// <summary>What is wrong with a vector; null for nothing.</summary>
    /// <param name="vector">The vector.</param>
    /// <param name="width">The size that it must have.</param>
    public static string? Fault<T>(in VBuffer<T> vector, int width)
    {
        if (vector.Length != width)
            return FormattableString.Invariant($"it has {vector.Length} values instead of {width}");
        if (vector.IsDense)
            return null;
        int before = -1;
        foreach (int index in vector.GetIndices())
        {
            if ((uint)index >= (uint)width)
                return FormattableString.Invariant($"it has a value at index {index}, outside of 0 to {width - 1}");
            if (index <= before)
                return FormattableString.Invariant($"index {index} comes after {before}, but indices must rise");
            before = index;
        }
        return null;
    }
}
