using System.Numerics;
using System.Runtime.CompilerServices;

namespace FaMLNet.Diagnostics;

/// <summary>Lengths and angles of long vectors, summed in double precision: an angle near 0 is lost in single.</summary>
internal static class Vectors
{
    /// <summary>arccos(⟨a, b⟩/(‖a‖‖b‖)) in degrees; 90 if either is zero.</summary>
    public static double Angle(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => Angle(Dot(a, b), Norm(a) * Norm(b));

    /// <summary>arccos(product/lengths) in degrees; 90 if the lengths are zero.</summary>
    public static double Angle(double product, double lengths) =>
        lengths == 0 ? 90 : Math.Acos(Math.Clamp(product / lengths, -1, 1)) * (180 / Math.PI);

    public static double Norm(ReadOnlySpan<float> values) => Math.Sqrt(Dot(values, values));

    /// <summary>‖a − b‖.</summary>
    public static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double difference = (double)a[i] - b[i];
            sum += difference * difference;
        }
        return Math.Sqrt(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<double> low = default, high = default;
        int i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(a[i..]), out Vector<double> aLow, out Vector<double> aHigh);
            Vector.Widen(new Vector<float>(b[i..]), out Vector<double> bLow, out Vector<double> bHigh);
            low += aLow * bLow;
            high += aHigh * bHigh;
        }
        double sum = Vector.Sum(low + high);
        for (; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }
}
