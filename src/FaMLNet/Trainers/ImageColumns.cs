using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet;

/// <summary>What a feature column's type tells of the image in it.</summary>
internal static class ImageColumns
{
    /// <summary>The shape of the images: what the user says, as long as the column does not contradict it, or what the column says.</summary>
    /// <param name="column">The feature column.</param>
    /// <param name="chosen">The user's word; null for none.</param>
    /// <returns>Null if neither says anything.</returns>
    /// <exception cref="ArgumentException">The column's dimensions are others than the option's.</exception>
    /// <exception cref="InvalidOperationException">The channels come last: pixels are interleaved.</exception>
    public static ImageShape? ShapeOf(DataViewSchema.Column column, ImageShape? chosen)
    {
        if (column.Type is not VectorDataViewType { Size: > 0 } vector)
            return chosen;
        int[] dimensions = [.. vector.Dimensions];
        if (chosen != null)
        {
            // Another length is refused where the network is made, with what it asks for.
            return chosen.Length != vector.Size || VectorDimensions.Agree(dimensions, chosen.Dimensions) ? chosen
                : throw OptionError.Invalid("ImageShape", $"{chosen} contradicts feature column '{column.Name}', which has the dimensions "
                    + $"{VectorDimensions.Text(dimensions)}. ImageShape is channels × height × width, in the order in which the values lie. "
                    + $"{(IsInterleaved(dimensions) ? Cure : "Set the shape that the column has, or leave ImageShape out.")}");
        }
        if (IsInterleaved(dimensions))
            throw new InvalidOperationException($"Feature column '{column.Name}' has dimensions {VectorDimensions.Text(dimensions)}: the colours of "
                + $"a pixel stand together. {Cure}");
        return dimensions switch
        {
            [int height, int width, 1] when height > 1 && width > 1 => new ImageShape(1, height, width),
            [int channels, int height, int width] => new ImageShape(channels, height, width),
            // Rows of pixels, unless they may also be what a square image's length says.
            [> 1 and int height, > 1 and int width] when ImageShape.Infer(vector.Size) is not { } square
                || !VectorDimensions.Agree(dimensions, square.Dimensions) => new ImageShape(1, height, width),
            _ => null,
        };
    }

    private const string Cure = "Convolutions want one channel after the other: leave interleavePixelColors of ExtractPixels at false.";

    private static bool IsInterleaved(int[] dimensions) => dimensions is [not (1 or 3 or 4), _, 3 or 4];
}
