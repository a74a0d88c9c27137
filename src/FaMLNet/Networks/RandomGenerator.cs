using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FaMLNet;

/// <summary>
/// A seeded stream of pseudo-random numbers that is the same on every machine, fast enough to fill weight buffers within a training
/// step, and whose state can be saved.
/// </summary>
/// <remarks>
/// Eight interleaved xoshiro128+ generators (Blackman and Vigna 2018, "Scrambled linear pseudorandom number generators"), seeded by
/// SplitMix64. Each purpose (shuffling, initial weights, feedback weights, dropout) has a stream of its own derived from the one seed,
/// so that drawing more of one leaves the others as they were. Not thread-safe.
/// </remarks>
public sealed class RandomGenerator
{
    /// <summary>The number of 32-bit words that <see cref="GetState"/> returns.</summary>
    internal const int StateLength = 4 * Lanes + Lanes + 1;

    private const int Lanes = 8;
    private const float UnitStep = 1f / (1 << 24);

    private readonly uint[] _buffer = new uint[Lanes];
    private Vector256<uint> _s0, _s1, _s2, _s3;
    private int _next = Lanes;

    /// <summary>Starts a stream.</summary>
    /// <param name="seed">Any value. Equal seeds and purposes give equal streams.</param>
    /// <param name="purpose">What the numbers are for: streams of different purposes are independent.</param>
    /// <exception cref="ArgumentNullException"><paramref name="purpose"/> is null.</exception>
    public RandomGenerator(int seed, string purpose)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        ulong mix = unchecked((uint)seed);
        foreach (char c in purpose)
            mix = (mix ^ c) * 0x100000001B3UL + 0x9E3779B97F4A7C15UL;
        Span<uint> words = stackalloc uint[4 * Lanes];
        for (int i = 0; i < words.Length; i++)
            words[i] = (uint)(SplitMix64(ref mix) >> 32);
        Load(words);
    }

    /// <summary>The next number, uniform in [0, 1) with 24 random bits.</summary>
    public float NextSingle() => (NextUInt32() >> 8) * UnitStep;

    /// <summary>The next whole number, uniform in [0, <paramref name="exclusiveMaximum"/>).</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="exclusiveMaximum"/> is not positive.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int NextInt32(int exclusiveMaximum)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMaximum);
        uint range = (uint)exclusiveMaximum;
        // Lemire 2019: multiply and shift, rejecting the few draws that would make some results likelier.
        ulong product = (ulong)NextUInt32() * range;
        uint low = (uint)product;
        if (low < range)
        {
            uint threshold = unchecked(0u - range) % range;
            while (low < threshold)
            {
                product = (ulong)NextUInt32() * range;
                low = (uint)product;
            }
        }
        return (int)(product >> 32);
    }

    /// <summary>Fills <paramref name="destination"/> with numbers uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="destination">Every element is overwritten.</param>
    /// <param name="low">The least value.</param>
    /// <param name="high">The bound above.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void FillUniform(Span<float> destination, float low, float high)
    {
        float scale = (high - low) * UnitStep;
        _next = Lanes;
        int whole = destination.Length - destination.Length % Lanes;
        Vector256<float> scales = Vector256.Create(scale), lows = Vector256.Create(low);
        ref float start = ref MemoryMarshal.GetReference(destination);
        for (int i = 0; i < whole; i += Lanes)
        {
            Vector256<int> bits = Vector256.ShiftRightLogical(NextBlock(), 8).AsInt32();
            (Vector256.ConvertToSingle(bits) * scales + lows).StoreUnsafe(ref start, (nuint)i);
        }
        for (int i = whole; i < destination.Length; i++)
            destination[i] = (NextUInt32() >> 8) * scale + low;
        _next = Lanes;
    }

    /// <summary>Fills <paramref name="destination"/> with normally distributed numbers (Box and Muller 1958).</summary>
    /// <param name="destination">Every element is overwritten.</param>
    /// <param name="mean">The mean.</param>
    /// <param name="standardDeviation">The standard deviation, not negative.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void FillNormal(Span<float> destination, float mean, float standardDeviation)
    {
        for (int i = 0; i < destination.Length; i += 2)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - (double)NextSingle()));
            (double sine, double cosine) = Math.SinCos(2 * Math.PI * NextSingle());
            destination[i] = (float)(mean + standardDeviation * radius * cosine);
            if (i + 1 < destination.Length)
                destination[i + 1] = (float)(mean + standardDeviation * radius * sine);
        }
    }

    /// <summary>Puts <paramref name="items"/> into a uniformly random order (Fisher and Yates).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Shuffle(Span<int> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = NextInt32(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>The whole state of the stream: <see cref="StateLength"/> words for <see cref="SetState"/>.</summary>
    internal uint[] GetState()
    {
        uint[] state = new uint[StateLength];
        _s0.CopyTo(state, 0);
        _s1.CopyTo(state, Lanes);
        _s2.CopyTo(state, 2 * Lanes);
        _s3.CopyTo(state, 3 * Lanes);
        _buffer.CopyTo(state, 4 * Lanes);
        state[^1] = (uint)_next;
        return state;
    }

    /// <summary>Goes on exactly where the stream that gave <paramref name="state"/> stood.</summary>
    /// <param name="state">What <see cref="GetState"/> returned.</param>
    /// <exception cref="ArgumentException"><paramref name="state"/> is not such a state.</exception>
    internal void SetState(ReadOnlySpan<uint> state)
    {
        if (state.Length != StateLength || state[^1] > Lanes)
            throw new ArgumentException(
                $"The state of a random stream has {StateLength} words, the last at most {Lanes}; found {state.Length} words.", nameof(state));
        Load(state);
        state.Slice(4 * Lanes, Lanes).CopyTo(_buffer);
        _next = (int)state[^1];
    }

    internal static ulong SplitMix64(ref ulong state)
    {
        ulong z = unchecked(state += 0x9E3779B97F4A7C15UL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    private void Load(ReadOnlySpan<uint> words)
    {
        _s0 = Vector256.Create(words[..Lanes]);
        _s1 = Vector256.Create(words.Slice(Lanes, Lanes));
        _s2 = Vector256.Create(words.Slice(2 * Lanes, Lanes));
        _s3 = Vector256.Create(words.Slice(3 * Lanes, Lanes));
    }

    private uint NextUInt32()
    {
        if (_next == Lanes)
        {
            NextBlock().CopyTo(_buffer);
            _next = 0;
        }
        return _buffer[_next++];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<uint> NextBlock()
    {
        Vector256<uint> result = _s0 + _s3;
        Vector256<uint> shifted = Vector256.ShiftLeft(_s1, 9);
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = Vector256.ShiftLeft(_s3, 11) | Vector256.ShiftRightLogical(_s3, 21);
        return result;
    }
}
