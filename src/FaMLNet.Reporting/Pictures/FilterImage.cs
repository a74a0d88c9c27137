using SkiaSharp;

namespace FaMLNet.Reporting.Pictures;

/// <summary>
/// The filters of a first layer side by side, each stretched from its least to its greatest weight: of a convolution in colour where it has three
/// channels, else a grey tile a channel; of a dense layer whose inputs are an image, a tile a unit.
/// </summary>
internal static class FilterImage
{
    private const int MostTiles = 256, TileSize = 32, Gap = 2;

    /// <summary>Null where the first layer's weights are no images.</summary>
    public static EncodedPicture? Of(IFeedbackAlignmentModel model)
    {
        ParameterTensor weights = model.GetWeights().First().Value;
        int[] shape = [.. weights.Shape];
        if (shape is [_, var channels, var height, var width])
            return Draw(weights.Values.ToArray(), shape[0], channels, height, width);
        int side = (int)Math.Round(Math.Sqrt(shape[^1]));
        return shape is [var units, var inputs] && side > 2 && side * side == inputs ? Draw(weights.Values.ToArray(), units, 1, side, side) : null;
    }

    private static EncodedPicture Draw(float[] weights, int filters, int channels, int height, int width)
    {
        bool colour = channels == 3;
        int tilesAFilter = colour ? 1 : channels, tiles = Math.Min(filters * tilesAFilter, MostTiles), columns = (int)Math.Ceiling(Math.Sqrt(tiles)),
            rows = (tiles + columns - 1) / columns, zoom = Math.Max(1, TileSize / Math.Max(height, width));
        using SKBitmap bitmap = new(columns * (width * zoom + Gap) + Gap, rows * (height * zoom + Gap) + Gap);
        bitmap.Erase(SKColors.White);
        int plane = height * width;
        for (int tile = 0; tile < tiles; tile++)
        {
            ReadOnlySpan<float> values = weights.AsSpan(tile * plane * (colour ? 3 : 1), plane * (colour ? 3 : 1));
            float least = float.PositiveInfinity, greatest = float.NegativeInfinity;
            foreach (float value in values)
                (least, greatest) = (Math.Min(least, value), Math.Max(greatest, value));
            int left = Gap + tile % columns * (width * zoom + Gap), top = Gap + tile / columns * (height * zoom + Gap);
            for (int pixel = 0; pixel < plane; pixel++)
            {
                byte Level(float value) => (byte)(greatest > least ? 255 * (value - least) / (greatest - least) : 128);
                byte red = Level(values[pixel]), green = colour ? Level(values[plane + pixel]) : red,
                    blue = colour ? Level(values[2 * plane + pixel]) : red;
                for (int dot = 0; dot < zoom * zoom; dot++)
                    bitmap.SetPixel(left + pixel % width * zoom + dot % zoom, top + pixel / width * zoom + dot / zoom, new SKColor(red, green, blue));
            }
        }
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return new EncodedPicture(data.ToArray(), bitmap.Width, bitmap.Height);
    }
}
