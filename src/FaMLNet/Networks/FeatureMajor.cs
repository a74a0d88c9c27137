namespace FaMLNet;

/// <summary>
/// The weights of a layer that reads sparse rows, feature by feature: inputs × units made up to a multiple of
/// <see cref="NetworkLayout.Alignment"/>.
/// </summary>
internal static class FeatureMajor
{
    /// <summary>Rows and columns that are turned at a time: a square that stays in a processor's cache.</summary>
    private const int Tile = 32;

    /// <summary>Elements from one feature's weights to the next one's.</summary>
    public static int StrideOf(int units) => NetworkLayout.Padded(units);

    /// <summary>From units × inputs; what lies between is left alone.</summary>
    public static void Pack(ReadOnlySpan<float> weights, Span<float> packed, int inputs, int units, int stride) =>
        Transpose(weights, inputs, packed, stride, units, inputs);

    /// <summary>To units × inputs.</summary>
    public static void Unpack(ReadOnlySpan<float> packed, Span<float> weights, int inputs, int units, int stride) =>
        Transpose(packed, stride, weights, inputs, inputs, units);

    /// <summary>to[column, row] = from[row, column], of matrices whose rows lie so many elements apart.</summary>
    public static void Transpose(ReadOnlySpan<float> from, int fromStride, Span<float> to, int toStride, int rows, int columns)
    {
        for (int firstColumn = 0; firstColumn < columns; firstColumn += Tile)
        {
            for (int firstRow = 0; firstRow < rows; firstRow += Tile)
            {
                for (int row = firstRow; row < Math.Min(rows, firstRow + Tile); row++)
                {
                    for (int column = firstColumn; column < Math.Min(columns, firstColumn + Tile); column++)
                        to[column * toStride + row] = from[row * fromStride + column];
                }
            }
        }
    }
}
