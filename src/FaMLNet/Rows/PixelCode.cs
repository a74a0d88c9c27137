namespace FaMLNet.Rows;

/// <summary>Pixels as bytes and as the floats that pipelines make of them, without loss.</summary>
internal static class PixelCode
{
    /// <summary>What byte b stands for: b/255, b·(1/255) (which rounds otherwise now and then), or b itself.</summary>
    public static readonly float[][] Tables =
    [
        [.. Enumerable.Range(0, 256).Select(b => b / 255f)],
        [.. Enumerable.Range(0, 256).Select(b => b * (1 / 255f))],
        [.. Enumerable.Range(0, 256).Select(b => (float)b)],
    ];

    /// <summary>Writes the bytes whose values in <paramref name="table"/> are exactly <paramref name="values"/>; false if there are none.</summary>
    public static bool TryEncode(ReadOnlySpan<float> values, float[] table, Span<byte> pixels)
    {
        float scale = 255 / table[255];
        for (int i = 0; i < values.Length; i++)
        {
            float scaled = values[i] * scale;
            if (!(scaled >= 0 && scaled < 255.5f))
                return false;
            byte pixel = (byte)(scaled + 0.5f);
            // By bits: −0 is not 0.
            if (BitConverter.SingleToInt32Bits(table[pixel]) != BitConverter.SingleToInt32Bits(values[i]))
                return false;
            pixels[i] = pixel;
        }
        return true;
    }

    public static void Decode(ReadOnlySpan<byte> pixels, float[] table, Span<float> values)
    {
        for (int i = 0; i < pixels.Length; i++)
            values[i] = table[pixels[i]];
    }
}
