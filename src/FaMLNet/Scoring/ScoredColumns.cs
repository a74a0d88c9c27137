using FaMLNet.Rows;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace FaMLNet.Scoring;

/// <summary>Compares the feature column that a model is to score with the one that it was trained on.</summary>
/// <param name="host">The transformer's.</param>
/// <param name="trained">The feature column of the training data.</param>
/// <param name="image">The shape of the images that the model takes; null if it takes none.</param>
internal sealed class ScoredColumns(IHost host, DataViewSchema.Column trained, ImageShape? image)
{
    private int _warned;

    /// <summary>The column's name.</summary>
    public string Name => trained.Name;

    /// <summary>Refuses images of another shape, and warns once of features in another order.</summary>
    /// <param name="schema">Of the data.</param>
    /// <exception cref="InvalidOperationException">The column's dimensions are others than the training data's.</exception>
    public void Look(DataViewSchema schema)
    {
        // A missing column, and one of another length, are ML.NET's and the model's to refuse.
        if (schema.GetColumnOrNull(Name) is not { Type: VectorDataViewType { Size: > 0 } type } column
            || trained.Type is not VectorDataViewType before || type.Size != before.Size)
            return;
        IReadOnlyList<int> expected = image?.Dimensions is { } shape && !VectorDimensions.Agree(type.Dimensions, shape) ? shape : before.Dimensions;
        if (!VectorDimensions.Agree(type.Dimensions, expected))
            throw new InvalidOperationException($"Feature column '{Name}' has the dimensions {VectorDimensions.Text(type.Dimensions)}; the model was "
                + $"trained on {VectorDimensions.Text(expected)}{(image == null ? "" : " (channels × height × width)")}. Give it values in that "
                + "order.");
        if (Volatile.Read(ref _warned) == 0
            && ColumnNames.Compare(trained, column) is { IsSameKind: true } difference
            && Interlocked.Exchange(ref _warned, 1) == 0)
        {
            using IChannel channel = host.Start("Scoring");
            channel.Warning($"Feature column '{Name}' has its features in another order than the training data: slot {difference.Slot} is "
                + $"'{difference.Found}', and was '{difference.Expected}'. The model takes them by their places: give them in the order of then.");
        }
    }
}
