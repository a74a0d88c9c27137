namespace FaMLNet;

/// <summary>What the dimensions of two vectors of one length say of each other.</summary>
internal static class VectorDimensions
{
    /// <summary>
    /// Whether they can describe the same values in the same order: alike, or the one only leaves out divisions that the other makes. 3 × 1024 can
    /// be 3 × 32 × 32, and so can a plain vector; 32 × 32 × 3 cannot, nor can 3 × 40 × 30 be 3 × 30 × 40.
    /// </summary>
    public static bool Agree(IReadOnlyList<int> one, IReadOnlyList<int> other)
    {
        int[] a = [.. one.Where(size => size != 1)], b = [.. other.Where(size => size != 1)];
        if (one.Count == 3 && other.Count == 3 && !(a.Length == 2 && b.Length == 2))
            return one.SequenceEqual(other);
        HashSet<long> ends = Ends(a), others = Ends(b);
        return ends.IsSubsetOf(others) || others.IsSubsetOf(ends);
    }

    public static string Text(IEnumerable<int> dimensions) => string.Join(" × ", dimensions);

    /// <summary>Where stretches end that the dimensions tell apart, counted in the products from the left.</summary>
    private static HashSet<long> Ends(IEnumerable<int> dimensions)
    {
        long product = 1;
        return [.. dimensions.Select(size => product *= size)];
    }
}
