namespace FaMLNet;

/// <summary>
/// The weights of a layer that reads sparse rows, feature by feature: inputs × units made up to a multiple of
/// <see cref="NetworkLayout.Alignment"/>.
/// </summary>
internal static class FeatureMajor
{
    /// <summary>Units and features that are turned at a time: a square that stays in a processor's cache.</summary>
    private const int Tile = 32;

    /// <summary>Elements from one feature's weights to the next one's.</summary>
    public static int StrideOf(int units) => NetworkLayout.Padded(units);

    /// <summary>From units × inputs.</summary>
    public static void Pack(ReadOnlySpan<float> weights, Span<float> packed, int inputs, int units)
    {
        int stride = StrideOf(units);
        packed.Clear();
        for (int firstInput = 0; firstInput < inputs; firstInput += Tile)
        {
            for (int firstUnit = 0; firstUnit < units; firstUnit += Tile)
            {
                for (int unit = firstUnit; unit < Math.Min(units, firstUnit + Tile); unit++)
                {
                    for (int input = firstInput; input < Math.Min(inputs, firstInput + Tile); input++)
                        packed[input * stride + unit] = weights[unit * inputs + input];
                }
            }
        }
    }

    /// <summary>To units × inputs, in an array of its own.</summary>
    public static float[] Unpack(ReadOnlySpan<float> packed, int inputs, int units)
    {
        float[] weights = new float[inputs * units];
        Unpack(packed, weights, inputs, units);
        return weights;
    }

    /// <summary>To units × inputs.</summary>
    public static void Unpack(ReadOnlySpan<float> packed, Span<float> weights, int inputs, int units)
    {
        int stride = StrideOf(units);
        for (int firstInput = 0; firstInput < inputs; firstInput += Tile)
        {
            for (int firstUnit = 0; firstUnit < units; firstUnit += Tile)
            {
                for (int unit = firstUnit; unit < Math.Min(units, firstUnit + Tile); unit++)
                {
                    for (int input = firstInput; input < Math.Min(inputs, firstInput + Tile); input++)
                        weights[unit * inputs + input] = packed[input * stride + unit];
                }
            }
        }
    }
}
