using Microsoft.ML;
using Microsoft.ML.Data;

namespace FaMLNet;

/// <summary>What a feature column's type tells of the image in it.</summary>
internal static class ImageColumns
{
    /// <summary>The shape, if the column's vector has three dimensions, as ExtractPixels and the loaders of images give them; else null.</summary>
    /// <exception cref="InvalidOperationException">The channels come last: pixels are interleaved.</exception>
    public static ImageShape? ShapeOf(DataViewSchema.Column column)
    {
        if (column.Type is not VectorDataViewType { Dimensions: { Length: 3 } dimensions } || dimensions.Contains(0))
            return null;
        if (dimensions[2] is 1 or 3 or 4 && dimensions[0] is not (1 or 3 or 4))
            throw new InvalidOperationException(
                $"Feature column '{column.Name}' has dimensions {string.Join(" × ", dimensions)}: the colours of a pixel stand together. "
                    + $"Convolutions want one channel after the other: "
                + "leave interleavePixelColors of ExtractPixels at false.");
        return new ImageShape(dimensions[0], dimensions[1], dimensions[2]);
    }
}
