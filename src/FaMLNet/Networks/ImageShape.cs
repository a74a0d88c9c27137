
namespace FaMLNet;

/// <summary>How a feature vector is laid out as an image: channel by channel, row by row, column by column.</summary>
/// <param name="Channels">1 for grey, 3 for colour; at least 1.</param>
/// <param name="Height">Rows of pixels; at least 1.</param>
/// <param name="Width">Columns of pixels; at least 1.</param>
public sealed record ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Channels × height × width.</summary>
    public int Length => checked(Channels * Height * Width);

    /// <summary>Channels, height and width.</summary>
    internal int[] Dimensions => [Channels, Height, Width];

    /// <inheritdoc/>
    public override string ToString() => $"{Channels} × {Height} × {Width}";

    /// <summary>The shape of a vector of so many features, if it is a square image of 1 or 3 channels; else null.</summary>
    internal static ImageShape? Infer(int features)
    {
        foreach (int channels in new[] { 1, 3 })
        {
            int side = (int)Math.Round(Math.Sqrt((double)features / channels));
            if (side > 0 && features == channels * side * side)
                return new ImageShape(channels, side, side);
        }
        return null;
    }

    internal void Validate()
    {
        if (Channels < 1 || Height < 1 || Width < 1 || (long)Channels * Height * Width > int.MaxValue)
            throw OptionError.OutOfRange("ImageShape", $"channels, height and width must be at least 1; found {this}.");
    }
}
