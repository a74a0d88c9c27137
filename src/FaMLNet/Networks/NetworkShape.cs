namespace FaMLNet;

/// <summary>The sizes for which a network of the user's own is to be built.</summary>
/// <param name="Input">The shape of one row, without the batch: channels, height, width for images, else the number of features.</param>
/// <param name="Outputs">Outputs per row: one per class.</param>
public sealed record NetworkShape(IReadOnlyList<int> Input, int Outputs);
