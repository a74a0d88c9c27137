using System.Numerics;
using System.Runtime.InteropServices;

namespace FaMLNet;

/// <summary>The arithmetic that the sign-concordant rules share: one pass over contiguous memory.</summary>
internal static class SignConcordance
{
    /// <summary>destination = |magnitudes| with the sign bits of <paramref name="signs"/>; the spans have one length and may coincide.</summary>
    public static void CopySign(ReadOnlySpan<float> magnitudes, ReadOnlySpan<float> signs, Span<float> destination)
    {
        Vector<uint> signBit = new(0x8000_0000u);
        ReadOnlySpan<uint> m = MemoryMarshal.Cast<float, uint>(magnitudes), s = MemoryMarshal.Cast<float, uint>(signs);
        Span<uint> d = MemoryMarshal.Cast<float, uint>(destination);
        int i = 0;
        for (; i <= d.Length - Vector<uint>.Count; i += Vector<uint>.Count)
            Vector.ConditionalSelect(signBit, new Vector<uint>(s[i..]), new Vector<uint>(m[i..])).CopyTo(d[i..]);
        for (; i < d.Length; i++)
            d[i] = (s[i] & 0x8000_0000u) | (m[i] & 0x7FFF_FFFFu);
    }

    /// <summary>destination = ±<paramref name="magnitude"/> with the sign bits of <paramref name="signs"/>.</summary>
    public static void CopySign(float magnitude, ReadOnlySpan<float> signs, Span<float> destination)
    {
        Vector<uint> signBit = new(0x8000_0000u), magnitudes = new(BitConverter.SingleToUInt32Bits(magnitude));
        ReadOnlySpan<uint> s = MemoryMarshal.Cast<float, uint>(signs);
        Span<uint> d = MemoryMarshal.Cast<float, uint>(destination);
        int i = 0;
        for (; i <= d.Length - Vector<uint>.Count; i += Vector<uint>.Count)
            Vector.ConditionalSelect(signBit, new Vector<uint>(s[i..]), magnitudes).CopyTo(d[i..]);
        for (; i < d.Length; i++)
            d[i] = (s[i] & 0x8000_0000u) | magnitudes[0];
    }
}
